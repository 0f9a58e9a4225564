#include <fmt/format.h>
#include <malloc.h>

#include <memory>
#include <mutex>
#include <thread>

#include "adapters/sqlite/sqlite_store.h"
#include "apps/ghm/cli.h"
#include "apps/ghm/faults_option.h"
#include "apps/ghm/progress.h"
#include "pipeline/archive_import.h"
#include "pipeline/archive_store_clock.h"
#include "pipeline/ledger_records.h"
#include "services/back_scoring.h"

namespace ghm::cli {
namespace {

struct ImportOptions {
  std::string folder, data_dir = "./ghm-data", profile = std::string(health::name_of(health::default_profile()));
  std::vector<std::string> faults;
  bool json = false, no_scores = false;
};

struct Imported {
  pipeline::ImportReport report;
  double seconds = 0;
  struct Scores {
    std::uint64_t hours = 0, rounds = 0;  // of boards
    double seconds = 0;
  } scores;
};

double since(std::chrono::steady_clock::time_point start) {
  return Seconds(std::chrono::steady_clock::now() - start).count();
}

// Nothing of what comes in may be dropped on the way for its age: what is kept how long is the server's to decide.
constexpr int kKeepAll = 100 * 366;
constexpr auto kServersRawDays = std::chrono::days(30);

using Store = std::unique_ptr<sqlite::SqliteStore>;

Result<Store> open_store(const std::string& data_dir) {
  auto store =
      sqlite::SqliteStore::open(data_dir, {.raw_days = kKeepAll, .minute_days = kKeepAll, .hour_days = kKeepAll}, Log::to_stderr("warn"));
  if (!store && store.error().code == Errc::conflict) store.error().what += " (an archive is imported while no server has the folder open)";
  return store;
}

// Windows of a month are made and dropped thousands of times: memory that goes back to the kernel each time costs as much as the scores.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 28);
  mallopt(M_TRIM_THRESHOLD, 1 << 29);
}

// Whole hosts, on every core its share.
std::vector<services::FleetPast> shares_of(const fleet::Ledger& ledger) {
  const auto all = services::past_of(ledger);
  std::vector<services::FleetPast> out(std::max(1u, std::thread::hardware_concurrency()), {{}, all.hosts, all.maintenance});
  for (const auto& board : all.boards) out[std::hash<std::string>()(board.host) % out.size()].boards.push_back(board);
  return out;
}

/// Scores of the archive's time, worked out on all cores and written by one at a time.
class PastScores {
 public:
  PastScores(const fleet::Ledger& ledger, sqlite::SqliteStore& store, TimeRange within, services::BackScoringSettings settings)
      : store_(store), clock_(store), interval_(settings.interval), ends_(within.to) {
    for (auto& share : shares_of(ledger))
      parts_.push_back(
          std::make_unique<services::BackScoring>(store_, store_, std::move(share), within, settings,
                                                  [this](auto rows, auto records) { return keep(std::move(rows), std::move(records)); }));
  }

  /// How many hours of boards lack scores; the readings' interval is noted for whoever works them out.
  Result<std::uint64_t> look_through() {
    std::uint64_t hours = 0;
    for (auto& part : parts_) {
      const auto more = part->look_through(interval_);
      if (!more) return more.error();
      hours += *more;
    }
    return hours;
  }

  Result<void> run(Progress& bar, Imported::Scores& out) {
    std::vector<std::jthread> threads;
    for (auto& part : parts_) threads.emplace_back([&] { run(*part, bar, out); });
    threads.clear();
    if (!failed_) return failed_;
    return out.rounds > 0 ? clock_.finish(ends_) : Result<void>();
  }

 private:
  void run(services::BackScoring& part, Progress& bar, Imported::Scores& out) {
    for (;;) {
      const auto done = part.step();
      std::lock_guard lock(mutex_);
      if (!done) failed_ = done.error();
      if (!failed_ || done->finished) return;
      out.hours += done->hours;
      out.rounds += done->rounds;
      bar.reach(out.hours);
    }
  }

  // A day of four boards: its rows are durable before the record that says so.
  Result<void> keep(std::vector<store::RowBatch> rows, std::vector<store::Record> records) {
    std::lock_guard lock(writing_);
    if (!rows.empty())
      if (auto done = store_.append(rows); !done) return done;
    if (auto done = store_.put(records); !done) return done;
    return rows.empty() ? Result<void>() : clock_.rows_until(rows.back().at);
  }

  sqlite::SqliteStore& store_;
  pipeline::ArchiveStoreClock clock_;
  std::chrono::milliseconds interval_;
  Timestamp ends_;
  std::vector<std::unique_ptr<services::BackScoring>> parts_;
  std::mutex writing_;  // guards clock_: a store has one writer
  std::mutex mutex_;    // guards failed_, and what run() counts
  Result<void> failed_;
};

// Hours that have readings, but no score, in the time of the archive. With --no-scores they are left to the server.
Result<void> score_past(const ImportOptions& o, const faults::FaultCatalogue& codes, const archive::Folder& from,
                        const fleet::Ledger& ledger, sqlite::SqliteStore& store, Imported& out) {
  const auto& total = out.report.total;
  if (!total.first || !total.last || from.manifest.interval <= 0ms) return {};
  const TimeRange within{std::chrono::floor<std::chrono::hours>(*total.first), std::chrono::floor<std::chrono::hours>(*total.last) + 1h};
  keep_freed_memory();
  const auto start = std::chrono::steady_clock::now();
  PastScores past(ledger, store, within, {.interval = from.manifest.interval, .profile = health::find_profile(o.profile), .codes = &codes});
  const auto hours = past.look_through();
  if (!hours) return hours.error();
  if (o.no_scores) return {};
  Progress bar("scoring its past", *hours);
  if (auto done = past.run(bar, out.scores); !done) return done;
  out.scores.seconds = since(start);
  return {};
}

Result<Imported> import(const ImportOptions& o) {
  const auto start = std::chrono::steady_clock::now();
  const auto codes = catalogue_with(o.faults);
  if (!codes) return codes.error();
  auto from = archive::Folder::open(o.folder);
  if (!from) return from.error();
  auto store = open_store(o.data_dir);
  if (!store) return store.error();
  auto kept = pipeline::load_ledger(**store);
  if (!kept) return kept.error();
  fleet::Ledger ledger;
  ledger.restore(std::move(*kept));
  Imported out;
  {
    Progress bar("importing", from->telemetry_bytes());
    auto report = pipeline::import_archive(*from, ledger, {**store, **store, [&](std::uint64_t bytes) { bar.reach(bytes); }});
    if (!report) return report.error();
    out.report = std::move(*report);
  }
  out.seconds = since(start);
  if (auto done = score_past(o, *codes, *from, ledger, **store, out); !done) return done.error();
  return out;
}

Json report_json(const Imported& done) {
  const auto& r = done.report;
  const auto& t = r.total;
  Json refused = Json::object();
  for (const auto& [reason, count] : t.refusals.counts) refused[reason] = count;
  Json out{{"name", t.name},
           {"already_imported", r.was_there},
           {"continued", r.went_on},
           {"boards", t.boards},
           {"stays", t.stays},
           {"events", t.events},
           {"failures", t.failures},
           {"rows", t.rows},
           {"cells", t.cells},
           {"refused", refused},
           {"refused_first", t.refusals.named},
           {"warnings", r.warnings},
           {"seconds", done.seconds},
           {"scores", {{"board_hours", done.scores.hours}, {"rounds", done.scores.rounds}, {"seconds", done.scores.seconds}}}};
  return out;
}

void print_report(const Imported& done) {
  const auto& r = done.report;
  const auto& t = r.total;
  if (r.was_there) fmt::print("{} was imported before: nothing is changed\n", t.name);
  fmt::print("{}: {} boards in {} stays, {} events, {} failures, {} rows of telemetry with {} readings", t.name, t.boards, t.stays,
             t.events, t.failures, t.rows, t.cells);
  if (!r.was_there)
    fmt::print(" in {:.1f} s ({:.2f} M readings/s)", done.seconds, static_cast<double>(r.cells_now) / std::max(done.seconds, 1e-3) / 1e6);
  fmt::print("\n");
  if (done.scores.rounds > 0)
    fmt::print("scores of its past: {} rounds over {} hours of boards in {:.1f} s\n", done.scores.rounds, done.scores.hours,
               done.scores.seconds);
  for (const auto& [reason, count] : t.refusals.counts) fmt::print("refused: {} {}\n", count, reason);
}

void warn(const pipeline::ImportReport& r) {
  for (const auto& w : r.warnings) fmt::print(stderr, "ghm: {}\n", w);
  for (const auto& line : r.total.refusals.named) fmt::print(stderr, "ghm: {}\n", line);
  const auto& first = r.total.first;
  if (!first || SystemClock().now() - *first <= kServersRawDays) return;
  fmt::print(stderr,
             "ghm: its readings begin {}: a server keeps raw readings for retention.raw_days (30 where not set) and deletes older ones; "
             "set it higher before you start one\n",
             format_rfc3339(*first));
}

int run_import(const ImportOptions& o) {
  const auto done = import(o);
  if (!done) return fail(done.error());
  warn(done->report);
  if (o.json) print_json(report_json(*done));
  else print_report(*done);
  return kDone;
}

}  // namespace

void add_import(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("import", "a fleet archive into a data folder that no server has open; may be stopped and run again");
  auto o = std::make_shared<ImportOptions>();
  command->add_option("DIR", o->folder, "the archive: a folder with manifest.json, assets.csv and more (docs/archive.md)")->required();
  command->add_option("--data-dir", o->data_dir, "the data folder; made when there is none")->capture_default_str();
  command->add_flag("--no-scores", o->no_scores,
                    "leave the health scores of its time to the server, which works them out in the background");
  command->add_option("--profile", o->profile, "the scoring profile of those scores: that of the server, scoring.profile")
      ->check(CLI::IsMember(health::profile_names()))
      ->capture_default_str();
  add_faults_option(*command, o->faults);
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm import ./my-fleet-2025 --data-dir ./ghm-data");
  command->callback([&run, o] { run = [o] { return run_import(*o); }; });
}

}  // namespace ghm::cli
