#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"

namespace ghm::archive {

/// The bytes of a table, whether it lies there plain or as zstd (a name that ends in .zst): one pass, front to back.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `room` from its front; 0 at the end and only there. corrupt: no zstd, or cut off. unavailable: the disk says so.
  virtual Result<std::size_t> read(std::span<char> room) = 0;
  /// How far into the file on disk, in bytes: for a progress bar.
  virtual std::uint64_t bytes_of_file() const = 0;

  /// not_found, or unavailable: permissions. Memory for zstd is bounded by its window, of 128 MiB at most, however small the
  /// file and however large what it unfolds to.
  static Result<std::unique_ptr<ByteStream>> open(const std::filesystem::path& path);
};

/// A text in memory as a stream that comes in pieces; for tests, fuzzing and benchmarks. `text` outlives it.
std::unique_ptr<ByteStream> stream_of(std::string_view text, std::size_t piece = 1 << 16);

}  // namespace ghm::archive
