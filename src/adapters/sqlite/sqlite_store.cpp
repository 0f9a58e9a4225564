#include "adapters/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/sealer.h"
#include "domain/store/points.h"
#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return Error{Errc::unavailable, fmt::format("{}: {}; choose another data_dir, or make the folder", folder.string(), failed.message())};
}

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

}  // namespace

/// Series of one board, and what was found of them.
struct SqliteStore::Wanted {
  BoardId board{};
  TimeRange range;
  std::vector<SeriesKey> series;
  std::vector<std::vector<HeadPoint>> head;  // not sealed
  std::vector<std::vector<Point>> sealed;
};

SqliteStore::SqliteStore(fs::path folder, FolderLock lock, std::unique_ptr<Db> main, SqliteSettings settings, Log log)
    : folder_(std::move(folder)),
      settings_(settings),
      log_(log),
      lock_(std::move(lock)),
      main_(std::move(main)),
      readers_(std::make_shared<ConnectionPool>(folder_ / "ghm.db", Db::Mode::read_write)),
      days_(folder_, std::move(log)) {}

SqliteStore::~SqliteStore() {
  readers_->close();
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const fs::path& folder, SqliteSettings settings, Log log) {
  if (auto done = make_folder(folder); !done) return done.error();
  auto lock = FolderLock::take(folder);
  if (!lock) return lock.error();
  auto main = open_main(folder / "ghm.db", log);
  if (!main) return main.error();
  std::unique_ptr<SqliteStore> store(new SqliteStore(folder, std::move(*lock), std::move(*main), settings, std::move(log)));
  if (auto done = store->restore(); !done) return done.error();
  return store;
}

// ---- appending

Result<void> SqliteStore::append(std::span<const RowBatch> batch) {
  if (auto done = store::check_rows(batch); !done) return done;
  std::lock_guard lock(writing_);
  JournalWriter journal(next_seq_);
  std::uint64_t samples = 0;
  for (const auto& row : batch) {
    auto& source = source_of(row);
    if (journal.add(source, columns_of(source, row), row)) samples += row.values.size();
  }
  if (auto done = write(journal); !done) {
    journal.undo();
    return done;
  }
  next_seq_ = journal.next_seq();
  head_.publish(journal.rows());
  rows_ += journal.rows().size();
  samples_ += samples;
  return {};
}

Source& SqliteStore::source_of(const RowBatch& row) {
  const auto before = head_.sources().size();
  auto& source = head_.source(row.source);
  if (head_.sources().size() != before) unsaved_sources_.push_back(&source);
  return source;
}

const ColumnSet* SqliteStore::columns_of(Source& source, const RowBatch& row) {
  if (source.given != row.columns) {
    source.given_columns = sets_.intern(row.columns);
    source.given = row.columns;
  }
  return source.given_columns;
}

Result<void> SqliteStore::write(const JournalWriter& journal) {
  if (journal.blobs().empty()) return {};
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  if (auto done = write_names(); !done) return done;
  auto q = main_->query("insert into journal(seq, rows) values(?1, ?2)");
  if (!q) return q.error();
  for (const auto& blob : journal.blobs())
    if (auto done = q->bind(1, static_cast<std::int64_t>(blob.seq)).bind_bytes(2, blob.bytes).run(); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  sets_.saved();
  unsaved_sources_.clear();
  return {};
}

Result<void> SqliteStore::write_names() {
  auto columns = main_->query("insert into columns(id, keys) values(?1, ?2)");
  if (!columns) return columns.error();
  for (const auto* set : sets_.unsaved())
    if (auto done = columns->bind(1, set->id).bind_bytes(2, encode_keys(*set->keys)).run(); !done) return done;
  auto sources = main_->query("insert into sources(id, name) values(?1, ?2)");
  if (!sources) return sources.error();
  for (const auto* source : unsaved_sources_)
    if (auto done = sources->bind(1, source->id).bind(2, source->name).run(); !done) return done;
  return {};
}

// ---- reading

Result<std::vector<Point>> SqliteStore::read(const SeriesKey& series, TimeRange range) const {
  auto all = read_many(std::span(&series, 1), range);
  if (!all) return all.error();
  return std::move(all->front());
}

Result<std::vector<std::vector<Point>>> SqliteStore::read_many(std::span<const SeriesKey> series, TimeRange range) const {
  std::map<BoardId, std::vector<std::size_t>> boards;
  for (std::size_t i = 0; i < series.size(); ++i) boards[series[i].board].push_back(i);
  std::vector<std::vector<Point>> all(series.size());
  for (const auto& [board, places] : boards) {
    Wanted wanted{board, range, {}, {}, {}};
    for (const auto i : places) wanted.series.push_back(series[i]);
    wanted.head.resize(places.size());
    wanted.sealed.resize(places.size());
    // The head before the days: an hour that is sealed in between is then in both, never in neither.
    if (auto done = read_head(wanted); !done) return done.error();
    if (auto done = read_days(wanted); !done) return done.error();
    for (std::size_t w = 0; w < places.size(); ++w) {
      auto& points = all[places[w]] = std::move(wanted.sealed[w]);  // sealed readings arrived first
      std::ranges::copy(in_time_order(std::move(wanted.head[w])), std::back_inserter(points));
      store::keep_first_of_each_instant(points);
    }
  }
  return all;
}

Result<void> SqliteStore::read_head(Wanted& wanted) const {
  const auto slices = head_.slices(wanted.board, wanted.range);
  if (slices.empty()) return {};
  auto db = readers_->lend();
  if (!db) return db.error();
  Places places(wanted.series);
  const auto take = [&](const RowRef& ref, std::span<const double> values) {
    if (!wanted.range.contains(ref.at)) return;
    const auto& columns = places.of(ref.columns);
    for (std::size_t w = 0; w < columns.size(); ++w)
      if (columns[w] && !telemetry::is_absent(values[*columns[w]]))
        wanted.head[w].push_back({{ref.at, values[*columns[w]]}, ref.seq, ref.offset});
  };
  const auto damaged = [this](const Error& e) { log_.error("store.row_damaged", {{"error", e.what}}); };
  for (const auto& slice : slices)
    if (auto done = read_slice(**db, slice, take, damaged); !done) return done;
  return {};
}

namespace {

Result<void> read_chunk(std::string_view bytes, std::span<const SeriesKey> series, TimeRange range,
                        std::vector<std::vector<Point>>& found) {
  auto chunk = store::ChunkReader::open(bytes);
  if (!chunk) return chunk.error();
  std::vector<double> values;
  for (std::size_t w = 0; w < series.size(); ++w) {
    const auto column = chunk->find({series[w].entity, series[w].metric});
    if (!column) continue;
    if (auto done = chunk->read(*column, values); !done) return done;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!telemetry::is_absent(values[i]) && range.contains(chunk->times()[i])) found[w].push_back({chunk->times()[i], values[i]});
  }
  return {};
}

Result<void> read_day(Db& db, BoardId board, std::span<const SeriesKey> series, TimeRange range, std::vector<std::vector<Point>>& found) {
  auto q = db.query("select sum, bytes from chunks where board = ?1 and hour >= ?2 and hour <= ?3 order by hour");
  if (!q) return q.error();
  q->bind(1, static_cast<std::int64_t>(board)).bind(2, hour_of(range.from)).bind(3, hour_of(range.to));
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    const auto bytes = q->bytes(1);
    if (q->integer(0) != checksum(bytes)) return Error{Errc::corrupt, fmt::format("{}: a chunk's checksum is wrong", db.path().string())};
    if (auto done = read_chunk(bytes, series, range, found); !done) return done;
  }
}

}  // namespace

// A day that turns out damaged, or is dropped meanwhile, is a day without readings.
Result<void> SqliteStore::read_days(Wanted& wanted) const {
  for (const auto& [day, pool] : days_.readers(wanted.range)) {
    const auto before = wanted.sealed;
    auto db = pool->lend();
    auto done = db ? read_day(**db, wanted.board, wanted.series, wanted.range, wanted.sealed) : Result<void>(db.error());
    if (done) continue;
    if (done.error().code == Errc::corrupt) days_.set_aside(day, done.error());
    if (days_.known(day)) return done;
    wanted.sealed = before;
  }
  return {};
}

Result<std::vector<Bucket>> SqliteStore::aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const {
  if (width <= 0ms) return Error{Errc::invalid_input, "aggregate: bucket width must be more than 0"};
  auto points = read(series, range);
  if (!points) return points.error();
  return store::into_buckets(*points, width);
}

StoreStats SqliteStore::stats() const {
  StoreStats s{rows_, samples_, 0, sealed_chunks_, 0, days_.damaged()};
  std::error_code passing;  // a file that goes while we look is not there
  for (const auto& entry : fs::directory_iterator(folder_, passing))
    if (const auto size = entry.file_size(passing); !passing) s.bytes_on_disk += size;
  if (const auto space = fs::space(folder_, passing); !passing) s.free_bytes = space.available;
  return s;
}

// ---- records

Result<void> SqliteStore::put(std::span<const Record> records) {
  std::lock_guard lock(writing_);
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  if (auto done = put_records(*main_, records); !done) return done;
  return transaction->commit();
}

Result<std::optional<Record>> SqliteStore::get(std::string_view kind, std::string_view key) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return get_record(**db, kind, key);
}

Result<std::vector<Record>> SqliteStore::scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                              std::size_t limit) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return scan_records(**db, kind, prefix, after, limit);
}

Result<std::vector<Record>> SqliteStore::recent(std::string_view kind, TimeRange range, std::size_t limit) const {
  auto db = readers_->lend();
  if (!db) return db.error();
  return recent_records(**db, kind, range, limit);
}

Result<bool> SqliteStore::erase(std::string_view kind, std::string_view key) {
  std::lock_guard lock(writing_);
  return erase_record(*main_, kind, key);
}

}  // namespace ghm::sqlite
