#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm::scrape {

/// Tells whether a file was changed or replaced: a rename in its place has another inode, a write another time or size.
struct FileStamp {
  std::uint64_t inode = 0, size = 0;
  std::int64_t changed_ns = 0;
  bool exists = false;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::string& path);

/// Passwords and tokens in files, read again when the file changed: rotating one needs no restart.
class SecretFiles {
 public:
  /// The text without its last line break. It must be one line without control characters, for it goes into a header.
  /// The error is one sentence that names the file and never its content.
  Result<std::string_view> text(const std::string& path);

 private:
  struct Secret {
    FileStamp stamp;
    std::string text;
  };
  std::map<std::string, Secret> secrets_;
};

}  // namespace ghm::scrape
