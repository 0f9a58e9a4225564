#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm {

/// The whole file; not_found, invalid_input (a folder, over `limit` bytes) or unavailable, each naming the path.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = 1ull << 30);

/// Writes beside the target and renames: readers see the old file or the new one, never half. Durable on return.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

}  // namespace ghm
