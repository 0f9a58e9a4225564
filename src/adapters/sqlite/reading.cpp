// A series is what stands in the day files and what is not sealed yet. The head is read first: an hour that is sealed in
// between is then in both, never in neither.
#include <limits>
#include <set>

#include "adapters/sqlite/sealer.h"
#include "adapters/sqlite/sqlite_store.h"
#include "domain/store/points.h"
#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

// Places where one page's rows stop being worth a search: the same set comes again and again.
class Places {
 public:
  Places(std::span<const SeriesKey> wanted) : wanted_(wanted) {}
  /// Per wanted series its column, or none.
  const std::vector<std::optional<std::size_t>>& of(const ColumnSet* columns) {
    if (columns == known_) return places_;
    known_ = columns;
    places_.assign(wanted_.size(), std::nullopt);
    for (std::size_t w = 0; w < wanted_.size(); ++w) {
      const auto found = std::ranges::find(*columns->keys, wanted_[w]);
      if (found != columns->keys->end()) places_[w] = static_cast<std::size_t>(found - columns->keys->begin());
    }
    return places_;
  }

 private:
  std::span<const SeriesKey> wanted_;
  const ColumnSet* known_ = nullptr;
  std::vector<std::optional<std::size_t>> places_;
};

std::map<BoardId, std::vector<std::size_t>> by_board(std::span<const SeriesKey> series) {
  std::map<BoardId, std::vector<std::size_t>> boards;
  for (std::size_t i = 0; i < series.size(); ++i) boards[series[i].board].push_back(i);
  return boards;
}

// Appends the chunk's readings of the series that `wanted` numbers, which are of the chunk's board.
Result<void> read_chunk(std::string_view bytes, std::span<const SeriesKey> series, std::span<const std::size_t> wanted, TimeRange range,
                        std::vector<std::vector<Point>>& found) {
  auto chunk = store::ChunkReader::open(bytes);
  if (!chunk) return chunk.error();
  std::vector<double> values;
  for (const auto w : wanted) {
    const auto column = chunk->find({series[w].entity, series[w].metric});
    if (!column) continue;
    if (auto done = chunk->read(*column, values); !done) return done;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!telemetry::is_absent(values[i]) && range.contains(chunk->times()[i])) found[w].push_back({chunk->times()[i], values[i]});
  }
  return {};
}

Result<void> read_board(Db& day, std::span<const SeriesKey> series, std::span<const std::size_t> wanted, TimeRange range,
                        std::vector<std::vector<Point>>& found) {
  auto q = day.query("select sum, bytes from chunks where board = ?1 and hour >= ?2 and hour <= ?3 order by hour");
  if (!q) return q.error();
  q->bind(1, static_cast<std::int64_t>(series[wanted[0]].board)).bind(2, hour_of(range.from)).bind(3, hour_of(range.to));
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    const auto bytes = checked_bytes(day, *q);
    if (!bytes) return bytes.error();
    if (auto done = read_chunk(*bytes, series, wanted, range, found); !done) return done;
  }
}

Result<void> read_day(ConnectionPool& pool, std::span<const SeriesKey> series, TimeRange range, std::vector<std::vector<Point>>& found) {
  auto day = pool.lend();
  if (!day) return day.error();
  for (const auto& [board, wanted] : by_board(series))
    if (auto done = read_board(**day, series, wanted, range, found); !done) return done;
  return {};
}

}  // namespace

Result<std::vector<Point>> SqliteStore::read(const SeriesKey& series, TimeRange range) const {
  auto all = read_many(std::span(&series, 1), range);
  if (!all) return all.error();
  return std::move(all->front());
}

Result<std::vector<std::vector<Point>>> SqliteStore::read_many(std::span<const SeriesKey> series, TimeRange range) const {
  std::vector<std::vector<HeadPoint>> head(series.size());
  std::vector<std::vector<Point>> all(series.size());
  if (auto done = read_head(series, range, head); !done) return done.error();
  if (auto done = read_days(series, range, all); !done) return done.error();
  for (std::size_t w = 0; w < series.size(); ++w) {  // what is sealed arrived first
    auto unsealed = in_time_order(std::move(head[w]));
    if (all[w].empty()) all[w] = std::move(unsealed);
    else all[w].insert(all[w].end(), unsealed.begin(), unsealed.end());
    store::keep_first_of_each_instant(all[w]);
  }
  return all;
}

Result<void> SqliteStore::read_head(std::span<const SeriesKey> series, TimeRange range, std::vector<std::vector<HeadPoint>>& found) const {
  std::vector<BoardId> boards;
  for (const auto& [board, wanted] : by_board(series)) boards.push_back(board);
  const auto slices = head_.slices(boards, range);
  if (slices.empty()) return {};
  auto db = readers_->lend();
  if (!db) return db.error();
  Places places(series);
  std::size_t rows = 0;
  for (const auto& slice : slices) rows += slice.rows.size();
  if (slices.size() <= boards.size())
    for (auto& of_series : found) of_series.reserve(rows);  // mostly one source
  const auto take = [&](const RowRef& ref, std::span<const double> values) {
    if (!range.contains(ref.at)) return;
    const auto& columns = places.of(ref.columns);
    for (std::size_t w = 0; w < columns.size(); ++w)
      if (columns[w] && !telemetry::is_absent(values[*columns[w]]))
        found[w].push_back({{ref.at, values[*columns[w]]}, ref.seq, ref.offset});
  };
  const auto damaged = [this](const Error& e) { log_.error("store.row_damaged", {{"error", e.what}}); };
  for (const auto& slice : slices)
    if (auto done = read_slice(**db, slice, take, damaged); !done) return done;
  return {};
}

// A day that turns out damaged, or is dropped meanwhile, is a day without readings.
Result<void> SqliteStore::read_days(std::span<const SeriesKey> series, TimeRange range, std::vector<std::vector<Point>>& found) const {
  std::vector<std::size_t> before(found.size());
  for (const auto& [day, pool] : days_.readers(range)) {
    for (std::size_t w = 0; w < found.size(); ++w) before[w] = found[w].size();
    auto done = read_day(*pool, series, range, found);
    if (done) continue;
    if (done.error().code == Errc::corrupt) days_.set_aside(day, done.error());
    if (days_.known(day)) return done;
    for (std::size_t w = 0; w < found.size(); ++w) found[w].resize(before[w]);
  }
  return {};
}

std::vector<Timestamp> SqliteStore::days(std::span<const BoardId> boards) const {
  const TimeRange all{Timestamp{}, start_of_hour(std::numeric_limits<std::int32_t>::max())};
  std::set<std::int64_t> found;
  for (const auto& [day, pool] : days_.readers(all)) found.insert(day);
  for (const auto& slice : head_.slices(boards, all)) found.insert(day_of_hour(slice.hour));
  std::vector<Timestamp> days;
  for (const auto day : found) days.push_back(start_of_hour(day * 24));
  return days;
}

}  // namespace ghm::sqlite
