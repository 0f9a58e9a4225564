#pragma once
#include <filesystem>
#include <memory>

#include "domain/transport/spool_folder.h"

namespace ghm::spool_folder {

/// A folder of the file system; one process owns it. Every append is one write and an fdatasync, a new name a sync of the folder.
class PosixFolder final : public transport::SpoolFolder {
 public:
  /// Makes the folder (0700) when there is none. conflict: another process uses it. unavailable: permissions, space.
  static Result<std::unique_ptr<PosixFolder>> open(const std::filesystem::path& path);
  ~PosixFolder() override;

  Result<std::vector<std::string>> list() const override;
  Result<std::uint64_t> size(const std::string& name) const override;
  Result<std::string> read(const std::string& name, std::uint64_t at, std::size_t n) const override;
  Result<void> append(const std::string& name, std::string_view bytes) override;
  Result<void> overwrite(const std::string& name, std::string_view bytes) override;
  Result<void> remove(const std::string& name) override;

 private:
  PosixFolder(std::filesystem::path path, int folder, int lock) : path_(std::move(path)), folder_(folder), lock_(lock) {}
  Error trouble(const std::string& name, const char* doing) const;

  std::filesystem::path path_;
  int folder_;  // descriptors
  int lock_;
};

}  // namespace ghm::spool_folder
