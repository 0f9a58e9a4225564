#include <fmt/format.h>

#include <memory>

#include "adapters/sqlite/sqlite_store.h"
#include "apps/ghm/cli.h"
#include "apps/ghm/progress.h"
#include "pipeline/archive_import.h"
#include "pipeline/ledger_records.h"

namespace ghm::cli {
namespace {

struct ImportOptions {
  std::string folder, data_dir = "./ghm-data";
  bool json = false;
};

// Nothing of what comes in may be dropped on the way for its age: what is kept how long is the server's to decide.
constexpr int kKeepAll = 100 * 366;
constexpr auto kServersRawDays = std::chrono::days(30);

Result<pipeline::ImportReport> import(const ImportOptions& o) {
  auto from = archive::Folder::open(o.folder);
  if (!from) return from.error();
  auto store =
      sqlite::SqliteStore::open(o.data_dir, {.raw_days = kKeepAll, .minute_days = kKeepAll, .hour_days = kKeepAll}, Log::to_stderr("warn"));
  if (!store && store.error().code == Errc::conflict) store.error().what += " (an archive is imported while no server has the folder open)";
  if (!store) return store.error();
  auto kept = pipeline::load_ledger(**store);
  if (!kept) return kept.error();
  fleet::Ledger ledger;
  ledger.restore(std::move(*kept));
  Progress bar("importing", from->telemetry_bytes());
  return pipeline::import_archive(*from, ledger, {**store, **store, [&](std::uint64_t bytes) { bar.reach(bytes); }});
}

Json report_json(const pipeline::ImportReport& r, double seconds) {
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
           {"seconds", seconds}};
  return out;
}

void print_report(const pipeline::ImportReport& r, double seconds) {
  const auto& t = r.total;
  if (r.was_there) fmt::print("{} was imported before: nothing is changed\n", t.name);
  fmt::print("{}: {} boards in {} stays, {} events, {} failures, {} rows of telemetry with {} readings", t.name, t.boards, t.stays,
             t.events, t.failures, t.rows, t.cells);
  if (!r.was_there)
    fmt::print(" in {:.1f} s ({:.2f} M readings/s)", seconds, static_cast<double>(r.cells_now) / std::max(seconds, 1e-3) / 1e6);
  fmt::print("\n");
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
  const auto start = std::chrono::steady_clock::now();
  const auto report = import(o);
  if (!report) return fail(report.error());
  const double seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  warn(*report);
  if (o.json) print_json(report_json(*report, seconds));
  else print_report(*report, seconds);
  return kDone;
}

}  // namespace

void add_import(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("import", "a fleet archive into a data folder that no server has open; may be stopped and run again");
  auto o = std::make_shared<ImportOptions>();
  command->add_option("DIR", o->folder, "the archive: a folder with manifest.json, assets.csv and more (docs/archive.md)")->required();
  command->add_option("--data-dir", o->data_dir, "the data folder; made when there is none")->capture_default_str();
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm import ./my-fleet-2025 --data-dir ./ghm-data");
  command->callback([&run, o] { run = [o] { return run_import(*o); }; });
}

}  // namespace ghm::cli
