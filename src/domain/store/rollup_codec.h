#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/store/chunk_codec.h"
#include "domain/windows/rollup.h"

/// Rollups of one board over some time as columns: how a wider tier lies on disk. A minute's rollup costs 2-3 bytes on
/// real data, that of a series that stands still next to nothing.
namespace ghm::store {

inline constexpr std::size_t kMostSlots = 256;

struct RollupSeries {
  ColumnName name;
  std::vector<windows::Rollup> rollups;  // strictly ascending by `from`
};

struct RollupBlock {
  Timestamp start{};  // aligned to width
  std::chrono::milliseconds width{};
  std::vector<RollupSeries> series;  // strictly ascending by name
};

/// Each rollup's `from` is start + slot * width, slot < kMostSlots. Series without a rollup are left out. ~30 ns per rollup.
std::string encode_rollups(const RollupBlock& block);

/// Reads a block series by series. Total: any bytes give rollups or `corrupt`.
class RollupReader {
 public:
  /// Parses the directory (~5 ns per series); `bytes` must outlive the reader.
  static Result<RollupReader> open(std::string_view bytes);

  Timestamp start() const { return start_; }
  std::chrono::milliseconds width() const { return width_; }
  std::size_t series() const { return entries_.size(); }
  ColumnName name(std::size_t i) const { return entries_[i].name; }
  std::optional<std::size_t> find(const ColumnName& name) const;
  /// All rollups of a series into `out`, to the last bit what was stored. ~10 ns per rollup.
  Result<void> read(std::size_t i, std::vector<windows::Rollup>& out);

 private:
  struct Entry {
    ColumnName name;
    std::string_view payload;
  };
  Result<void> read_shapes(ByteReader& in);
  Result<void> read_directory(ByteReader& in);
  Result<void> read_shape(std::uint64_t shape, std::vector<windows::Rollup>& out);

  Timestamp start_{};
  std::chrono::milliseconds width_{};
  std::vector<std::string_view> shapes_;
  std::vector<Entry> entries_;
  std::vector<std::int64_t> slots_, counts_;  // of the shape read last
  std::optional<std::uint64_t> shape_;
};

/// All of it.
Result<RollupBlock> decode_rollups(std::string_view bytes);

}  // namespace ghm::store
