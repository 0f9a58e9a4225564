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

// Which columns of a row are wanted; looked up once, for the same set of columns comes again and again.
class Places {
 public:
  struct Place {
    std::size_t wanted, column;
  };
  explicit Places(std::span<const SeriesKey> wanted) {
    for (std::size_t w = 0; w < wanted.size(); ++w) wanted_.emplace_back(wanted[w], w);
    std::ranges::sort(wanted_);
  }
  const std::vector<Place>& of(const ColumnSet* columns) {
    if (columns == known_) return places_;
    known_ = columns;
    places_.clear();
    for (std::size_t column = 0; column < columns->size(); ++column)
      for (auto it = std::ranges::lower_bound(wanted_, (*columns->keys)[column], {}, &Wanted::first);
           it != wanted_.end() && it->first == (*columns->keys)[column]; ++it)
        places_.push_back({it->second, column});
    return places_;
  }

 private:
  using Wanted = std::pair<SeriesKey, std::size_t>;
  std::vector<Wanted> wanted_;  // ascending
  const ColumnSet* known_ = nullptr;
  std::vector<Place> places_;
};

// Not those of sources that only say something else of the boards, as scores.
std::vector<HeadSlice> that_matter(std::vector<HeadSlice> slices, Places& places) {
  std::erase_if(slices, [&](const HeadSlice& slice) {
    return std::ranges::none_of(slice.rows, [&](const RowRef& ref) { return !places.of(ref.columns).empty(); });
  });
  return slices;
}

// One source whose rows arrived in order of time: what nearly every board has.
bool arrived_in_order(std::span<const HeadSlice> slices) {
  auto before = Timestamp::min();
  for (const auto& slice : slices) {
    if (slice.source != slices.front().source) return false;
    for (const auto& ref : slice.rows) {
      if (ref.at <= before) return false;
      before = ref.at;
    }
  }
  return true;
}

std::map<BoardId, std::vector<std::size_t>> by_board(std::span<const SeriesKey> series) {
  std::map<BoardId, std::vector<std::size_t>> boards;
  for (std::size_t i = 0; i < series.size(); ++i) boards[series[i].board].push_back(i);
  return boards;
}

// What a series of the range will hold if its other hours are as full as this one; more is room that may never be needed.
std::size_t likely_size(std::size_t rows_of_hour, TimeRange range) {
  constexpr std::size_t kMost = 1 << 16;
  const auto hours = static_cast<std::size_t>(hour_of(range.to) - hour_of(range.from) + 1);
  return hours > kMost ? kMost : std::min(kMost, rows_of_hour * hours);
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
    if (found[w].empty()) found[w].reserve(likely_size(values.size(), range));
    const auto times = chunk->times();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!telemetry::is_absent(values[i]) && range.contains(times[i])) found[w].push_back({times[i], values[i]});
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
  auto head = read_head(series, range);
  if (!head) return head;
  std::vector<std::vector<Point>> all(series.size());
  if (auto done = read_days(series, range, all); !done) return done.error();
  for (std::size_t w = 0; w < series.size(); ++w) {  // what is sealed arrived first
    auto& unsealed = (*head)[w];
    if (all[w].empty()) all[w] = std::move(unsealed);
    else all[w].insert(all[w].end(), unsealed.begin(), unsealed.end());
    store::keep_first_of_each_instant(all[w]);
  }
  return all;
}

// What is not sealed, each series in order of time.
Result<std::vector<std::vector<Point>>> SqliteStore::read_head(std::span<const SeriesKey> series, TimeRange range) const {
  std::vector<BoardId> boards;
  for (const auto& [board, wanted] : by_board(series)) boards.push_back(board);
  Places places(series);
  const auto slices = that_matter(head_.slices(boards, range), places);
  std::vector<std::vector<Point>> found(series.size());
  if (slices.empty()) return found;
  const auto read = [&](auto put) {
    return read_slices(slices, [&](const RowRef& ref, std::span<const double> values) {
      if (!range.contains(ref.at)) return;
      for (const auto& [w, column] : places.of(ref.columns))
        if (const double v = values[column]; !telemetry::is_absent(v)) put(w, ref, v);
    });
  };
  if (arrived_in_order(slices)) {
    std::size_t rows = 0;
    for (const auto& slice : slices) rows += slice.rows.size();
    for (auto& points : found) points.reserve(rows);
    if (auto done = read([&](std::size_t w, const RowRef& ref, double v) { found[w].push_back({ref.at, v}); }); !done) return done.error();
    return found;
  }
  std::vector<std::vector<HeadPoint>> arrived(series.size());
  auto done = read([&](std::size_t w, const RowRef& ref, double v) { arrived[w].push_back({{ref.at, v}, ref.seq, ref.offset}); });
  if (!done) return done.error();
  for (std::size_t w = 0; w < series.size(); ++w) found[w] = in_time_order(std::move(arrived[w]));
  return found;
}

Result<void> SqliteStore::read_slices(std::span<const HeadSlice> slices,
                                      const std::function<void(const RowRef&, std::span<const double>)>& take) const {
  auto db = readers_->lend();
  if (!db) return db.error();
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
