#pragma once
#include <filesystem>

#include "core/result.h"

namespace ghm::sqlite {

/// A data folder belongs to one process. The kernel holds the lock, so it ends with the process, however that ends.
class FolderLock {
 public:
  /// conflict names the process that holds the folder; unavailable when the lock file cannot be made.
  static Result<FolderLock> take(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace ghm::sqlite
