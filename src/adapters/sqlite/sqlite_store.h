#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>

#include "adapters/sqlite/connection_pool.h"
#include "adapters/sqlite/day_files.h"
#include "adapters/sqlite/folder_lock.h"
#include "adapters/sqlite/head.h"
#include "adapters/sqlite/journal.h"
#include "adapters/sqlite/records.h"
#include "adapters/sqlite/sealer.h"
#include "core/log.h"
#include "domain/store/atomic_store.h"
#include "domain/store/record_store.h"
#include "domain/store/tiers.h"

namespace ghm::sqlite {

using store::Bucket, store::Latest, store::Point, store::RowBatch, store::StoreStats;

/// How long each tier is kept; rollups of a day stay for ever. Each at least as long as the one before.
struct SqliteSettings {
  int raw_days = 30;
  int minute_days = 90;
  int hour_days = 730;
};

/// Both stores in a data folder: ghm.db (records, the journal of the hours that are not sealed, rollups of hours and days)
/// and per UTC day a file of sealed columns and one of rollups of a minute. Every append is one transaction with synchronous=FULL: what
/// returned survives a power cut. One process owns the folder. Appends and maintain() from one thread at a time; everything else from any.
/// Measured: bench/ (docs/benchmarks.md).
class SqliteStore final : public store::TelemetryStore, public store::RecordStore, public store::AtomicStore {
 public:
  /// Makes the folder when there is none, brings an older ghm.db to this version (after a copy), restores the head from
  /// the journal. conflict: in use, or written by a newer version. corrupt: ghm.db is damaged. unavailable: permissions, space.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& folder, SqliteSettings settings, Log log);
  ~SqliteStore() override;

  Result<void> append(std::span<const RowBatch> batch) override { return keep(batch, {}); }
  Result<void> keep(std::span<const RowBatch> rows, std::span<const Record> records) override;
  Result<std::vector<Point>> read(const SeriesKey& series, TimeRange range) const override;
  Result<std::vector<std::vector<Point>>> read_many(std::span<const SeriesKey> series, TimeRange range) const override;
  Result<std::vector<Bucket>> aggregate(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const override;
  Result<std::vector<std::vector<Bucket>>> aggregate_many(std::span<const SeriesKey> series, TimeRange range,
                                                          std::chrono::milliseconds width) const override;
  std::vector<Latest> latest(BoardId board) const override { return head_.latest(board); }
  std::vector<Latest> latest(telemetry::MetricId metric) const override { return head_.latest(metric); }
  Result<bool> maintain(Timestamp now) override;
  StoreStats stats() const override;
  /// The UTC days with readings of any of these boards, oldest first; a day of other boards alone may be among them.
  std::vector<Timestamp> days(std::span<const BoardId> boards) const;

  Result<void> put(std::span<const Record> records) override;
  Result<std::optional<Record>> get(std::string_view kind, std::string_view key) const override;
  Result<std::vector<Record>> scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                   std::size_t limit) const override;
  Result<std::vector<Record>> recent(std::string_view kind, TimeRange range, std::size_t limit) const override;
  Result<std::vector<Record>> about(std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit) const override;
  Result<bool> erase(std::string_view kind, std::string_view key) override;

 private:
  SqliteStore(std::filesystem::path folder, FolderLock lock, std::unique_ptr<Db> main, SqliteSettings settings, Log log);

  // restoring (restore.cpp)
  Result<void> restore();
  Result<void> restore_columns();
  Result<void> restore_sources();
  Result<void> restore_journal();
  using UnknownRows = std::unordered_map<Source*, std::vector<RowRef>>;
  Result<std::map<std::pair<std::uint32_t, std::int64_t>, std::uint64_t>> sealed_marks();
  Result<void> restore_places(UnknownRows& unknown);
  Result<void> restore_values(const UnknownRows& unknown);
  Result<void> save_latest(Timestamp now);

  // appending (sqlite_store.cpp)
  Source& source_of(const RowBatch& row);
  const ColumnSet* columns_of(Source& source, const RowBatch& row);
  Result<void> write(const JournalWriter& journal, std::span<const Record> records);
  Result<void> write_names();

  // reading (reading.cpp)
  Result<std::vector<std::vector<Point>>> read_head(std::span<const SeriesKey> series, TimeRange range) const;
  Result<void> read_slices(std::span<const HeadSlice> slices,
                           const std::function<void(const RowRef&, std::span<const double>)>& take) const;
  Result<void> read_days(std::span<const SeriesKey> series, TimeRange range, std::vector<std::vector<Point>>& found) const;

  // aggregating (aggregating.cpp)
  struct Aggregation;
  Aggregation plan(const SeriesKey& series, TimeRange range, std::chrono::milliseconds width) const;
  std::map<Timestamp, std::vector<windows::Rollup>> whole_hours(Db& main, const Aggregation& a, std::int64_t day) const;
  Result<void> add_minutes(Db& main, Aggregation& a) const;
  Result<void> add_hours(Db& main, Aggregation& a) const;
  Result<void> add_days(Db& main, Aggregation& a) const;
  Result<void> add_readings(std::span<Aggregation> all) const;
  Result<void> add_readings(std::span<Aggregation* const> together, TimeRange span) const;
  Result<void> add_rollups(Aggregation& a) const;

  // sealing (sealing.cpp)
  struct Look {
    std::uint64_t seq = 0;  // the newest row then
    Timestamp since{};      // it is the newest since
    Timestamp first{};      // look at this hour
  };
  struct Sealing {
    std::vector<HeadSlice> slices;
    std::vector<std::uint64_t> unneeded;
  };
  struct SealedMinutes {
    BoardId board{};
    std::int64_t hour = 0;
    store::RollupBlock minutes;
  };
  Source* due(Timestamp now, std::int64_t& hour);
  bool settled(const Source& source, std::int64_t hour, Timestamp now);
  Result<void> seal(Source& source, std::int64_t hour);
  Result<std::vector<SealedMinutes>> write_chunks(std::int64_t hour, const std::vector<HeadSlice>& slices);
  Result<std::vector<SealedMinutes>> try_write_chunks(std::int64_t hour, const std::vector<HeadSlice>& slices);
  Result<void> write_sealed(const Sealing& sealing, const std::vector<SealedMinutes>& minutes);
  Result<void> retain(Timestamp now);
  Result<bool> drop_hours();

  // rolling up what has no rollups (rolling_up.cpp)
  Result<void> restore_unrolled();
  Result<void> find_unrolled();
  Result<bool> roll_up_next();
  Result<bool> roll_up_board(std::int64_t day, std::int64_t after);
  Result<void> end_rolling_up(std::int64_t day);
  Result<void> write_minutes(std::int64_t day, const std::vector<SealedMinutes>& all);
  Result<void> try_write_minutes(std::int64_t day, const std::vector<SealedMinutes>& all);

  const std::filesystem::path folder_;
  const SqliteSettings settings_;
  const Log log_;
  const FolderLock lock_;
  mutable std::mutex writing_;  // guards main_: the journal's writer and records share one connection
  std::unique_ptr<Db> main_;
  std::shared_ptr<ConnectionPool> readers_;
  mutable DayFiles days_, rollups_;  // a reader may find a day damaged
  Head head_;

  // the appender's alone
  ColumnSets sets_;
  std::vector<const Source*> unsaved_sources_;
  std::uint64_t next_seq_ = 1;
  std::map<std::pair<std::uint32_t, std::int64_t>, Look> looks_;
  Timestamp next_retention_{}, next_save_{};
  std::size_t next_source_ = 0;
  std::int64_t oldest_day_ = 0, oldest_hours_day_ = 0;  // what is older is past retention
  bool hours_to_drop_ = false;

  std::atomic<std::uint64_t> rows_{0}, samples_{0}, sealed_chunks_{0}, too_old_rows_{0};
};

}  // namespace ghm::sqlite
