#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

/// One block of `scrape:` in the configuration: where its targets come from and how to talk to them.
struct TargetGroup {
  std::vector<std::string> targets;  // static "host:port"; the port may be left out: 9400
  std::vector<std::string> file_sd;  // JSON or YAML in Prometheus' file_sd shape; globs in the last path component
  std::vector<std::string> http_sd;  // URLs that answer the same JSON; asked with the group's TLS files, without its credentials
  telemetry::LabelMap labels;
  std::shared_ptr<const telemetry::ScrapeAccess> access = std::make_shared<telemetry::ScrapeAccess>();
  std::chrono::milliseconds refresh{60'000};  // http_sd; files are looked at every 2 s
};

/// The file_sd / http_sd shape: [{"targets": ["h:9400"], "labels": {"rack": "R1"}}]. `file` names it in errors; a bad
/// entry is an error that says where, nothing is taken from a bad file. The entry's labels win over the group's; the labels
/// __scheme__ and __metrics_path__ mean what they mean to Prometheus, others that start with __ are dropped.
Result<std::vector<telemetry::Target>> parse_targets(std::string_view text, std::string_view file, const TargetGroup& group);

/// Static and file targets of all groups, once; the first one of each address. The error names the file and line, or the
/// static target. Reads files; for a start and for check-config.
Result<std::vector<telemetry::Target>> read_targets(const std::vector<TargetGroup>& groups);

/// Asks one `http_sd` URL once and waits for it; for check-config.
Result<std::vector<telemetry::Target>> fetch_targets(const std::string& url, const TargetGroup& group);

/// Follows all groups and calls `on_change` with the whole set whenever it differs. A file or URL that turns bad keeps its last
/// good targets and is named in the log; a file that a glob no longer finds takes its targets along. A target listed twice
/// is scraped once. All on the io_context's thread.
class Discovery {
 public:
  using OnChange = std::function<void(std::vector<telemetry::Target>)>;
  /// `look_every`: how often files are looked at (time, size and inode; the content is read when one differs). A look is a
  /// stat() per file, works on every file system, and sees a ConfigMap's link being replaced.
  Discovery(boost::asio::io_context& io, std::vector<TargetGroup> groups, OnChange on_change, Log log,
            std::chrono::milliseconds look_every = std::chrono::milliseconds(2000));
  ~Discovery();
  /// Reads static and file targets at once (errors are returned: a wrong file at start is a wrong configuration), then follows.
  /// The first `on_change` comes with the io_context's next turn.
  Result<void> start();
  /// No callback comes after it.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ghm::scrape
