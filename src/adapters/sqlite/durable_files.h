#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/result.h"

/// Files that must survive a power cut, and their checksums.
namespace ghm::sqlite {

/// Hears of bytes as they go.
using Copied = std::function<void(std::uint64_t)>;

/// SHA-256 of a whole file, 64 hexadecimal digits. not_found when it is not there. About 1 s per GB.
Result<std::string> sha256_of_file(const std::filesystem::path& path, const Copied& read = {});

/// Copies `from` to a new file `to` and answers the SHA-256 of what was copied. The bytes are durable on return, the name
/// is once sync_path() of the folder has returned.
Result<std::string> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to, const Copied& copied = {});

/// fsync of a file or a folder.
Result<void> sync_path(const std::filesystem::path& path);

/// Renames over what is there, within one folder; durable once sync_path() of the folder has returned.
Result<void> rename_over(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ghm::sqlite
