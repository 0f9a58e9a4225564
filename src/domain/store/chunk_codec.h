#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/store/bytes.h"
#include "domain/telemetry/identity.h"

/// One board's readings of one hour as columns: the sealed form on disk, 0.5-0.7 bytes per reading on real data.
namespace ghm::store {

/// Rows of one hour have different milliseconds, so no honest chunk has more.
inline constexpr std::size_t kMostChunkRows = 3'600'000;
inline constexpr std::size_t kMostChunkColumns = 1 << 16;

struct ColumnName {
  telemetry::Entity entity;
  telemetry::MetricId metric{};
  friend auto operator<=>(const ColumnName&, const ColumnName&) = default;
};

struct ChunkColumn {
  ColumnName name;
  std::vector<double> values;  // one per time, absent() where there is none
};

struct Chunk {
  std::vector<Timestamp> times;      // strictly ascending
  std::vector<ChunkColumn> columns;  // strictly ascending by name
};

/// Columns without any value are left out. ~10 ns per value.
std::string encode_chunk(const Chunk& chunk);

/// Reads a chunk column by column: a column costs its own bytes only. Total: any bytes give values or `corrupt`, and
/// never more memory than 8 bytes × kMostChunkRows per list.
class ChunkReader {
 public:
  /// Parses the directory (~10 ns per column) and the times; `bytes` must outlive the reader.
  static Result<ChunkReader> open(std::string_view bytes);

  std::span<const Timestamp> times() const { return times_; }
  std::size_t columns() const { return columns_.size(); }
  ColumnName name(std::size_t column) const { return columns_[column].name; }
  std::optional<std::size_t> find(const ColumnName& name) const;
  /// One value per time into `out`, bit for bit what was stored. 1-3 ns per value.
  Result<void> read(std::size_t column, std::vector<double>& out);

 private:
  struct Entry {
    ColumnName name;
    std::string_view payload;
  };
  Result<void> read_times(ByteReader& in);
  Result<void> read_directory(ByteReader& in);

  std::vector<Timestamp> times_;
  std::vector<Entry> columns_;
  std::vector<std::int64_t> scratch_;
};

/// All of it.
Result<Chunk> decode_chunk(std::string_view bytes);

}  // namespace ghm::store
