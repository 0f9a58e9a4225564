#pragma once
#include <filesystem>
#include <memory>
#include <string_view>

#include "core/result.h"

namespace ghm::archive {

/// A table being written, plain or as zstd (a name that ends in .zst). It stands beside its place as NAME.part until finish()
/// renames it: whoever sees the name sees a whole table.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Durable on return.
  virtual Result<void> finish() = 0;

  /// unavailable: permissions, space.
  static Result<std::unique_ptr<ByteSink>> create(const std::filesystem::path& path);
};

}  // namespace ghm::archive
