#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ghm::transport {

/// What the spool needs of a disk: one flat folder of small files. Errors are sentences that name the file.
class SpoolFolder {
 public:
  virtual ~SpoolFolder() = default;
  /// Names of all files, ascending.
  virtual Result<std::vector<std::string>> list() const = 0;
  virtual Result<std::uint64_t> size(const std::string& name) const = 0;
  /// Up to `n` bytes from `at` on; fewer at the file's end. not_found when there is no such file.
  virtual Result<std::string> read(const std::string& name, std::uint64_t at, std::size_t n) const = 0;
  /// Writes at the end of the file, which is made when there is none. Durable on return, the name too. unavailable (the disk is
  /// full): any part of `bytes` may stand there.
  virtual Result<void> append(const std::string& name, std::string_view bytes) = 0;
  /// Writes in place, making the file when there is none. Not durable by itself: after a power cut either text may stand there.
  virtual Result<void> overwrite(const std::string& name, std::string_view bytes) = 0;
  /// No error when it is gone already.
  virtual Result<void> remove(const std::string& name) = 0;
};

}  // namespace ghm::transport
