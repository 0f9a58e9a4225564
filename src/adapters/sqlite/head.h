#pragma once
#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/sqlite/column_sets.h"
#include "domain/store/row_codec.h"
#include "domain/store/telemetry_store.h"

/// The head: the hours that are not sealed yet. Their rows lie in the journal; in memory stand only where they lie, and
/// each source's newest values.
namespace ghm::sqlite {

inline constexpr std::int64_t kHourMs = 3'600'000;
inline std::int64_t hour_of(Timestamp t) {
  return to_unix_ms(t) / kHourMs;
}
inline Timestamp start_of_hour(std::int64_t hour) {
  return from_unix_ms(hour * kHourMs);
}

/// Where one row lies in the journal.
struct RowRef {
  std::uint64_t seq = 0;     // journal row
  std::uint32_t offset = 0;  // of the payload in it
  std::uint32_t length = 0;
  Timestamp at{};
  const ColumnSet* columns = nullptr;
  std::uint8_t link = 0;  // 0: stands alone (a late row); n: n-th of a chain of differences, the 1st stands alone too
};

/// The newest value of a series that the source's newest row does not have.
struct LastSeen {
  store::Point point;
  std::uint64_t seq = 0;
};

struct Source {
  std::uint32_t id = 0;
  std::string name;

  // The writer's alone: what the next row is encoded against.
  store::RowState chain;
  const ColumnSet* chain_columns = nullptr;
  Timestamp chain_at = Timestamp::min();
  std::uint8_t chain_links = 0;  // 0: the next row must stand alone
  store::Columns given;          // the caller's pointer of the row before, held so that it cannot become another's
  const ColumnSet* given_columns = nullptr;
  std::uint64_t saved_seq = 0;  // newest row when its newest values were last written down

  // Written by the writer under Head's lock.
  const ColumnSet* columns = nullptr;
  std::vector<double> values;  // the newest row
  Timestamp at = Timestamp::min();
  std::uint64_t seq = 0;
  std::unordered_map<SeriesKey, LastSeen> left_behind;
  std::map<std::int64_t, std::vector<RowRef>> hours;  // unsealed, in order of arrival
};

/// One row that is on disk now.
struct NewRow {
  Source* source = nullptr;
  RowRef ref;
  std::span<const double> values;
};

/// One source's part of an hour, as it was when asked for.
struct HeadSlice {
  Source* source = nullptr;  // only its constant fields may be read without the lock
  std::int64_t hour = 0;
  std::vector<RowRef> rows;
};

/// All sources. One writer, many readers: readers hold the lock for as long as it takes to copy what they asked for.
class Head {
 public:
  // --- the writer
  /// The source of that name; made when new.
  Source& source(std::string_view name);
  Source& restore_source(std::uint32_t id, std::string name);
  Source* find(std::uint32_t id);
  const std::vector<std::unique_ptr<Source>>& sources() const { return sources_; }
  void publish(std::span<const NewRow> rows);
  /// The newest values of a source from before this process; boards become findable.
  void restore_latest(Source& source, const ColumnSet* columns, std::vector<double> values, Timestamp at, std::uint64_t seq);
  void restore_left_behind(Source& source, const SeriesKey& key, LastSeen seen);
  /// Where an unsealed row of before this process lies.
  void restore_row(Source& source, const RowRef& ref);
  /// Its values, when restore_latest() did not know them yet.
  void restore_values(const NewRow& row);
  /// Rows of these slices are sealed: forgotten. Answers the journal rows that hold nothing unsealed any more.
  std::vector<std::uint64_t> unneeded_after(std::span<const HeadSlice> sealed) const;
  void forget(std::span<const HeadSlice> sealed, std::span<const std::uint64_t> unneeded);
  void forget_left_behind_before(Timestamp t);
  /// Sources that share a board with `source`, itself included.
  std::vector<Source*> sharing_boards(Source& source) const;
  HeadSlice slice(Source& source, std::int64_t hour) const;

  // --- readers
  /// Hours of the sources that feed any of these boards, each once.
  std::vector<HeadSlice> slices(std::span<const BoardId> boards, TimeRange range) const;
  /// The hours in `range` of which something that may be about the board is not sealed.
  std::set<std::int64_t> hours(BoardId board, TimeRange range) const;
  std::vector<store::Latest> latest(BoardId board) const;
  std::vector<store::Latest> latest(telemetry::MetricId metric) const;

 private:
  void index(Source& source, const RowRef& ref);
  void show(const NewRow& row);
  void publish_newest(const NewRow& row);
  void publish_late(const NewRow& row);
  void note_boards(Source& source, const ColumnSet& columns);

  mutable std::shared_mutex mutex_;  // guards what follows and the published fields of sources
  std::vector<std::unique_ptr<Source>> sources_;
  std::unordered_map<std::string_view, Source*> by_name_;
  std::unordered_map<std::uint32_t, Source*> by_id_;
  std::unordered_map<BoardId, std::vector<Source*>> by_board_;
  std::unordered_map<std::uint64_t, std::uint32_t> unsealed_rows_;  // per journal row
};

}  // namespace ghm::sqlite
