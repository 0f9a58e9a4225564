#include <fmt/format.h>

#include <memory>

#include "adapters/sqlite/sqlite_store.h"
#include "apps/ghm/cli.h"
#include "apps/ghm/progress.h"
#include "pipeline/archive_export.h"
#include "pipeline/ledger_records.h"

namespace ghm::cli {
namespace {

struct ExportCommand {
  std::string folder, data_dir = "./ghm-data", from, to;
  bool zstd = false, json = false;
};

constexpr int kKeepAll = 100 * 366;  // an export deletes nothing

Result<std::optional<Timestamp>> time_option(const char* name, const std::string& text) {
  if (text.empty()) return std::optional<Timestamp>();
  auto t = parse_time(text);
  if (!t) return Error{t.error().code, fmt::format("{}: {}", name, t.error().what)};
  return std::optional(*t);
}

Result<std::unique_ptr<sqlite::SqliteStore>> open_store(const std::string& data_dir) {
  std::error_code none;
  if (!std::filesystem::exists(std::filesystem::path(data_dir) / "ghm.db", none))
    return Error{Errc::not_found, fmt::format("{}: no data folder of ghm: name yours with --data-dir", data_dir)};
  auto store =
      sqlite::SqliteStore::open(data_dir, {.raw_days = kKeepAll, .minute_days = kKeepAll, .hour_days = kKeepAll}, Log::to_stderr("warn"));
  if (!store && store.error().code == Errc::conflict)
    store.error().what += "; or make a copy with `ghm backup` while it runs, and export that";
  return store;
}

Result<pipeline::ExportReport> do_export(const ExportCommand& c) {
  auto from = time_option("--from", c.from), to = time_option("--to", c.to);
  if (!from) return from.error();
  if (!to) return to.error();
  auto store = open_store(c.data_dir);
  if (!store) return store.error();
  auto kept = pipeline::load_ledger(**store);
  if (!kept) return kept.error();
  fleet::Ledger ledger;
  ledger.restore(std::move(*kept));
  std::vector<telemetry::BoardId> boards;
  for (const auto& [id, board] : ledger.boards()) boards.push_back(id);
  std::unique_ptr<Progress> bar;
  const auto show = [&bar](std::size_t done, std::size_t of) {
    if (!bar) bar = std::make_unique<Progress>("exporting", of);
    bar->reach(done);
  };
  return pipeline::export_archive({c.folder, *from, *to, c.zstd}, ledger, {**store, **store, (*store)->days(boards), show});
}

int run_export(const ExportCommand& c) {
  const auto start = std::chrono::steady_clock::now();
  const auto report = do_export(c);
  if (!report) return fail(report.error());
  const double seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  const auto& r = *report;
  for (const auto& w : r.warnings) fmt::print(stderr, "ghm: {}\n", w);
  if (c.json)
    print_json({{"folder", c.folder},
                {"already_exported", r.was_there},
                {"boards", r.boards},
                {"stays", r.stays},
                {"events", r.events},
                {"failures", r.failures},
                {"rows", r.rows},
                {"cells", r.cells},
                {"days_written", r.days_written},
                {"days_there", r.days_there},
                {"seconds", seconds}});
  else if (r.was_there) fmt::print("{} holds this export already: nothing is changed\n", c.folder);
  else
    fmt::print("{}: {} boards in {} stays, {} events, {} failures, {} rows of telemetry with {} readings on {} days in {:.1f} s\n",
               c.folder, r.boards, r.stays, r.events, r.failures, r.rows, r.cells, r.days_written, seconds);
  return kDone;
}

}  // namespace

void add_export(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("export", "a data folder that no server has open, as a fleet archive; may be stopped and run again");
  auto c = std::make_shared<ExportCommand>();
  command->add_option("DIR", c->folder, "the archive's folder; made new")->required();
  command->add_option("--data-dir", c->data_dir, "the data folder")->capture_default_str();
  command->add_option("--from", c->from, "telemetry, events and failures from this time on (RFC 3339 or Unix seconds)");
  command->add_option("--to", c->to, "... and before this one");
  command->add_flag("--zstd", c->zstd, "tables packed with zstd");
  command->add_flag("--json", c->json, "one JSON document on standard output");
  command->footer("example: ghm export ./fleet-january --data-dir ./ghm-data --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --zstd");
  command->callback([&run, c] { run = [c] { return run_export(*c); }; });
}

}  // namespace ghm::cli
