#pragma once
#include <functional>
#include <map>
#include <vector>

#include "adapters/sqlite/day_files.h"
#include "adapters/sqlite/head.h"
#include "domain/store/chunk_codec.h"

/// From rows of sources to columns of boards: what sealing an hour is.
namespace ghm::sqlite {

/// One reading of the head and where it lies, so that of two at one instant the first to arrive can be told.
struct HeadPoint {
  store::Point point;
  std::uint64_t seq = 0;
  std::uint32_t offset = 0;
};

/// In time order, one per instant: the first to arrive.
std::vector<store::Point> in_time_order(std::vector<HeadPoint> points);

/// Gathers rows into one chunk per board. Memory: 32 bytes per reading.
class ChunkBuilder {
 public:
  void add(const RowRef& ref, std::span<const double> values);
  /// Calls `chunk(board, chunk)` for every board that had a row.
  Result<void> finish(const std::function<Result<void>(BoardId, store::Chunk)>& chunk);

 private:
  using Columns = std::map<store::ColumnName, std::vector<HeadPoint>>;
  std::map<BoardId, Columns> boards_;
  // Rows mostly have the columns of the row before: their places are looked up once.
  const ColumnSet* known_ = nullptr;
  std::vector<std::vector<HeadPoint>*> places_;
};

/// Both, `first` standing where they disagree: it was there before.
store::Chunk merge_chunks(const store::Chunk& first, const store::Chunk& second);

/// Merges the chunk into what the day holds of that board and hour, and answers all of it. Idempotent.
Result<store::Chunk> seal_chunk(Db& day, BoardId board, std::int64_t hour, store::Chunk chunk);

}  // namespace ghm::sqlite
