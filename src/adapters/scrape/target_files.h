#pragma once
#include <map>
#include <string>
#include <vector>

#include "adapters/scrape/discovery.h"
#include "adapters/scrape/watched_file.h"

namespace ghm::scrape {

/// The files of one `file_sd` pattern and the targets that each said last.
class TargetFiles {
 public:
  explicit TargetFiles(std::string pattern) : pattern_(std::move(pattern)) {}

  struct News {
    bool changed = false;       // append_to() may say something else than before
    std::vector<Error> errors;  // one sentence per file that turned bad since the last look; it keeps its last good targets
  };
  /// Looks at the files; reads those that changed.
  News look(const TargetGroup& group);
  void append_to(std::vector<telemetry::Target>& all) const;

 private:
  struct File {
    FileStamp stamp;
    std::vector<telemetry::Target> targets;
  };
  std::string pattern_;
  std::map<std::string, File> files_;  // by path, so that the order is the same each time
};

/// The static targets of a group.
Result<std::vector<telemetry::Target>> static_targets(const TargetGroup& group);
/// The first target of each address.
std::vector<telemetry::Target> without_repeats(std::vector<telemetry::Target> all);

}  // namespace ghm::scrape
