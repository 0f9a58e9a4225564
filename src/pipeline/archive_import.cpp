// Order: assets, events and failures (small, and the same records when written again), then the telemetry tables in batches. A
// batch's rows are durable before the record that says so; killed in between, they are read once more and the store keeps what
// it has.
#include "pipeline/archive_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "pipeline/archive_belief.h"
#include "pipeline/archive_rows.h"
#include "pipeline/archive_store_clock.h"
#include "pipeline/ledger_records.h"

namespace ghm::pipeline {
namespace {

using telemetry::BoardId;

constexpr std::size_t kRecordsAtOnce = 2000;

struct Hash : std::hash<std::string_view> {
  using is_transparent = void;
};

Result<std::unique_ptr<archive::ByteStream>> open_stream(const archive::TableFile& table) {
  return archive::ByteStream::open(table.path);
}

/// One import on its way.
class Import {
 public:
  Import(const archive::Folder& from, fleet::Ledger& ledger, const ImportPorts& ports)
      : from_(from), ledger_(ledger), ports_(ports), clock_(ports.telemetry) {}

  Result<ImportReport> run() {
    if (auto done = recall(); !done) return done.error();
    if (report_.was_there) return std::move(report_);
    for (const auto step :
         {&Import::look_at_tables, &Import::take_assets, &Import::take_small_tables, &Import::take_telemetry, &Import::finish})
      if (auto done = (this->*step)(); !done) return done.error();
    return std::move(report_);
  }

 private:
  ImportProgress& total() { return report_.total; }

  Result<void> recall() {
    const auto record = ports_.records.get("import", from_.identity);
    if (!record) return record.error();
    total().identity = from_.identity;
    total().name = from_.name;
    if (!*record) return {};
    auto before = parse_import(**record);
    if (!before) return before.error();
    total() = std::move(*before);
    report_.went_on = true;
    report_.was_there = total().done;
    return {};
  }

  /// All headers before anything is written: a missing column is told at once, not after hours.
  Result<void> look_at_tables() {
    for (const auto& file : from_.telemetry) {
      auto table = open_telemetry(file, report_.warnings);
      if (!table) return table.error();
      columns_.push_back(table->columns());
    }
    if (from_.manifest.interval > 0ms && from_.telemetry.empty())
      report_.warnings.push_back(fmt::format("manifest.json speaks of telemetry every {}, but there is no telemetry/*.csv",
                                             format_duration(from_.manifest.interval)));
    return {};
  }

  Result<archive::TelemetryReader> open_telemetry(const archive::TableFile& file, std::vector<std::string>& warnings) {
    auto in = open_stream(file);
    if (!in) return in.error();
    return archive::TelemetryReader::open(file.name, std::move(*in), telemetry::MetricCatalogue::built_in(), warnings);
  }

  template <class Row, class Take>
  Result<void> each_row(const archive::TableFile& file, archive::Refusals& refusals, Take take) {
    auto in = open_stream(file);
    if (!in) return in.error();
    auto table = archive::RowReader<Row>::open(file.name, std::move(*in), report_.warnings);
    if (!table) return table.error();
    for (;;) {
      auto row = table->next(refusals);
      if (!row) return row.error();
      if (!*row) return {};
      if (auto done = take(**row, *table); !done) return done;
    }
  }

  // Run again each time: it finds the boards that it made before, and this run needs to know them.
  Result<void> take_assets() {
    archive::Refusals again;
    auto& refusals = report_.went_on ? again : total().refusals;
    std::unordered_map<BoardId, std::size_t> numbers;
    std::uint64_t stays = 0;
    auto done = each_row<fleet::Asset>(from_.assets, refusals, [&](const fleet::Asset& asset, const auto& table) -> Result<void> {
      const auto board = take_asset(asset);
      if (!board) {
        refusals.add("unparsable", table.file(), table.line(), board.error().what);
        return {};
      }
      const auto [it, fresh] = numbers.try_emplace(*board, boards_.size());
      if (fresh) boards_.push_back(*board), models_.emplace_back();
      if (!asset.model.empty()) models_[it->second] = asset.model;
      by_uuid_[asset.uuid] = it->second;
      ++stays;
      return stays % kRecordsAtOnce != 0 ? Result<void>() : put_ledger();
    });
    if (!done) return done;
    total().boards = boards_.size();
    total().stays = stays;
    return put_ledger();
  }

  // A stay without any time was there when the archive begins; what has ended had ended when it ends.
  Result<BoardId> take_asset(const fleet::Asset& asset) {
    const bool timeless = !asset.deployed_at && !asset.retired_at;
    auto board = ledger_.take_asset(asset, from_.manifest.simulated, timeless ? from_.manifest.start : from_.manifest.end);
    if (board) stays_.push_back(to_record(*board, asset));
    return board;
  }
  Result<void> put_ledger();

  Result<void> take_small_tables() {
    if (report_.went_on) return {};  // the first record of progress is written behind them
    if (from_.events)
      if (auto done = take_events(*from_.events); !done) return done;
    if (from_.failures)
      if (auto done = take_failures(*from_.failures); !done) return done;
    return put_progress();
  }

  const fleet::Board* board_of(const std::string& uuid) const {
    const auto it = by_uuid_.find(uuid);
    return it == by_uuid_.end() ? nullptr : ledger_.find(boards_[it->second]);
  }

  /// Gathers records; one whose row stood there before is a duplicate.
  class Records {
   public:
    explicit Records(store::RecordStore& store) : store_(store) {}
    bool is_new(const store::Record& r) { return keys_.insert(r.key).second; }
    Result<void> put(store::Record r) {
      waiting_.push_back(std::move(r));
      return waiting_.size() < kRecordsAtOnce ? Result<void>() : flush();
    }
    Result<void> flush() {
      auto records = std::exchange(waiting_, {});
      return records.empty() ? Result<void>() : store_.put(records);
    }
    std::size_t count() const { return keys_.size(); }

   private:
    store::RecordStore& store_;
    std::vector<store::Record> waiting_;
    std::unordered_set<std::string> keys_;
  };

  Result<void> take_events(const archive::TableFile& file) {
    Records records(ports_.records);
    auto done = each_row<archive::EventRow>(file, total().refusals, [&](const archive::EventRow& row, const auto& table) -> Result<void> {
      const auto* board = board_of(row.gpu_uuid);
      if (!row.gpu_uuid.empty() && board == nullptr) return refuse_unknown(table.file(), table.line(), row.gpu_uuid);
      return keep(records, to_record(row, board), table.file(), table.line());
    });
    total().events = records.count();
    return done ? records.flush() : done;
  }

  Result<void> take_failures(const archive::TableFile& file) {
    Records records(ports_.records);
    auto done =
        each_row<archive::FailureRow>(file, total().refusals, [&](const archive::FailureRow& row, const auto& table) -> Result<void> {
          const auto* board = board_of(row.gpu_uuid);
          if (board == nullptr) return refuse_unknown(table.file(), table.line(), row.gpu_uuid);
          return keep(records, to_record(row, *board), table.file(), table.line());
        });
    total().failures = records.count();
    return done ? records.flush() : done;
  }

  Result<void> keep(Records& records, store::Record record, const std::string& file, std::uint64_t line) {
    if (records.is_new(record)) return records.put(std::move(record));
    total().refusals.add("duplicate", file, line, "an earlier row says the same");
    return {};
  }

  Result<void> refuse_unknown(const std::string& file, std::uint64_t line, std::string_view uuid) {
    total().refusals.add("unknown_identity", file, line, fmt::format("gpu_uuid '{}' is not in {}", uuid.substr(0, 60), from_.assets.name));
    return {};
  }

  Result<void> take_telemetry() {
    std::size_t widest = 0;
    for (const auto& columns : columns_) widest = std::max(widest, columns.size());
    ArchiveRows rows("archive/" + from_.name, boards_, widest, ports_.telemetry);
    for (const auto& columns : columns_) rows.look_for(columns);
    if (report_.went_on && total().last) rows.looked_up_until(*total().last);
    rows_ = &rows;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < from_.telemetry.size(); ++i) {
      const auto& file = from_.telemetry[i];
      if (file.name >= total().file)
        if (auto done = take_table(file, before); !done) return done;
      before += file.bytes;
      ports_.progress(before);
    }
    return {};
  }

  Result<void> take_table(const archive::TableFile& file, std::uint64_t bytes_before) {
    std::vector<std::string> told_already;
    auto table = open_telemetry(file, told_already);
    if (!table) return table.error();
    if (file.name == total().file)
      if (auto done = table->skip({total().offset, total().line}); !done) return done;
    total().file = file.name;
    rows_->begin(table->columns());
    belief_.begin(table->columns());
    for (Timestamp instant{};; instant = table->at()) {
      const bool full = rows_->waiting_values() >= ports_.values_at_once;
      const auto before = table->place();
      const auto refused_before = full ? total().refusals : archive::Refusals();
      const auto more = table->next(total().refusals);
      if (!more) return more.error();
      if (!*more) break;
      // Between two instants, so that an import which goes on can tell its own rows from repetitions.
      if (full && table->at() != instant) {
        auto of_this_row = std::exchange(total().refusals, refused_before);
        if (auto done = write(before); !done) return done;
        total().refusals = std::move(of_this_row);
        ports_.progress(bytes_before + table->bytes_of_file());
      }
      if (auto done = take_row(*table); !done) return done;
    }
    return write(table->place());
  }

  Result<void> take_row(const archive::TelemetryReader& table) {
    const auto found = by_uuid_.find(table.gpu_uuid());
    if (found == by_uuid_.end()) return refuse_unknown(table.file(), table.line(), table.gpu_uuid());
    values_ = table.values();
    const auto& refused = belief_.check(models_[found->second], values_);
    const auto taken = rows_->add(found->second, table.at(), values_);
    if (!taken) return taken.error();
    if (!*taken) {
      total().refusals.add("duplicate", table.file(), table.line(),
                           fmt::format("{} has a row at {} already", found->first, format_rfc3339(table.at())));
      return {};
    }
    for (const auto& r : refused) total().refusals.add(to_string(r.reason), table.file(), table.line(), refusal_text(r));
    const auto cells = static_cast<std::uint64_t>(std::ranges::count_if(values_, [](double v) { return !telemetry::is_absent(v); }));
    ++total().rows;
    total().cells += cells;
    report_.cells_now += cells;
    total().first = std::min(total().first.value_or(table.at()), table.at());
    total().last = std::max(total().last.value_or(table.at()), table.at());
    return {};
  }

  static std::string refusal_text(const telemetry::Refusal& r) {
    const auto* spec = telemetry::MetricCatalogue::built_in().find(r.metric);
    return fmt::format("{} {}", spec ? archive::column_name(*spec, r.entity) : "?", r.value);
  }

  Result<void> write(archive::CsvReader::Place behind) {
    const auto rows = rows_->take();
    if (!rows.empty())
      if (auto done = ports_.telemetry.append(rows); !done) return done;
    total().offset = behind.offset;
    total().line = behind.line;
    if (auto done = put_progress(); !done) return done;
    return rows.empty() ? Result<void>() : clock_.rows_until(*total().last);
  }

  Result<void> put_progress() {
    const auto record = to_record(total());
    return ports_.records.put(std::span(&record, 1));
  }

  Result<void> finish() {
    if (total().last)
      if (auto done = clock_.finish(*total().last); !done) return done;
    total().done = true;
    return put_progress();
  }

  const archive::Folder& from_;
  fleet::Ledger& ledger_;
  const ImportPorts& ports_;
  ImportReport report_;
  ArchiveStoreClock clock_;
  std::vector<store::Record> stays_;  // not written yet

  std::vector<BoardId> boards_;      // by number
  std::vector<std::string> models_;  // by number
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_uuid_;

  std::vector<std::vector<archive::TelemetryColumn>> columns_;  // per table
  ArchiveRows* rows_ = nullptr;
  ArchiveBelief belief_;
  std::vector<double> values_;
};

// What an archive tells of the past is no news: the ledger's own events about it are not kept, its events.csv is.
Result<void> Import::put_ledger() {
  auto changes = ledger_.take_changes();
  changes.events.clear();
  std::uint64_t no_events = 0;
  auto records = to_records(changes, ledger_, from_.manifest.end, no_events);
  std::ranges::move(std::exchange(stays_, {}), std::back_inserter(records));
  return records.empty() ? Result<void>() : ports_.records.put(records);
}

}  // namespace

Result<ImportReport> import_archive(const archive::Folder& from, fleet::Ledger& ledger, const ImportPorts& ports) {
  return Import(from, ledger, ports).run();
}

}  // namespace ghm::pipeline
