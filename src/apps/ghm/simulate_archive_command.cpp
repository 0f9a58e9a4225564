#include <fmt/format.h>

#include <memory>

#include "apps/ghm/progress.h"
#include "apps/ghm/simulate_command.h"
#include "domain/simulation/fleet.h"
#include "pipeline/simulated_archive.h"

namespace ghm::cli {
namespace {

struct ArchiveOptions {
  pipeline::SimulationOptions what;
  std::string out, truth, interval = "60s", start;
  int days = 90;
  bool zstd = false, plain = false, json = false;
};

// A day that any archive of up to a year's length can begin with; not the clock's, so that the same options give the same bytes.
constexpr std::string_view kStart = "2025-01-01T00:00:00Z";

Result<pipeline::SimulationReport> make(ArchiveOptions& o) {
  const auto interval = parse_duration(o.interval);
  if (!interval) return Error{interval.error().code, fmt::format("--interval: {}", interval.error().what)};
  if (*interval % 1s != 0ms) return Error{Errc::invalid_input, fmt::format("--interval {}: expected whole seconds", o.interval)};
  const auto start = parse_time(o.start.empty() ? kStart : o.start);
  if (!start) return Error{start.error().code, fmt::format("--start: {}", start.error().what)};
  o.what.interval = std::chrono::duration_cast<std::chrono::seconds>(*interval);
  o.what.folder = o.out;
  o.what.truth = o.truth;
  o.what.zstd = !o.plain;
  o.what.plan.start = std::chrono::floor<std::chrono::seconds>(*start);
  o.what.plan.end = o.what.plan.start + std::chrono::days(o.days);
  std::unique_ptr<Progress> bar;
  const auto show = [&bar](std::size_t done, std::size_t of) {
    if (!bar) bar = std::make_unique<Progress>("simulating", of);
    bar->reach(done);
  };
  return pipeline::simulate_archive(o.what, show);
}

int run_archive(ArchiveOptions o) {
  const auto begin = std::chrono::steady_clock::now();
  const auto report = make(o);
  if (!report) return fail(report.error());
  const double seconds = Seconds(std::chrono::steady_clock::now() - begin).count();
  const auto& r = *report;
  if (o.json)
    print_json({{"folder", o.out},
                {"scenario", o.what.plan.scenario},
                {"seed", o.what.plan.seed},
                {"gpus", r.gpus},
                {"stays", r.stays},
                {"events", r.events},
                {"failures", r.failures},
                {"rows", r.rows},
                {"rows_missing", r.missing},
                {"seconds", seconds}});
  else
    fmt::print(
        "{}: {} simulated GPUs in {} stays, {} events, {} failures, {} rows of telemetry in {:.1f} s; bring it in with `ghm import {}`\n",
        o.out, r.gpus, r.stays, r.events, r.failures, r.rows, seconds, o.out);
  return kDone;
}

std::vector<std::string> scenarios() {
  const auto& all = simulation::Fleet::scenarios();
  return {all.begin(), all.end()};
}

}  // namespace

void add_simulate_archive(CLI::App& parent, Run& run) {
  auto* command = parent.add_subcommand("archive", "a fleet's history as plain files, with failures as labels (docs/simulation.md)");
  auto o = std::make_shared<ArchiveOptions>();
  auto& plan = o->what.plan;
  command->add_option("--out", o->out, "the archive's folder; made new")->required();
  command->add_option("--gpus", plan.gpus, "how many GPUs, in hosts of 8")->check(CLI::Range(1, 100'000))->capture_default_str();
  command->add_option("--days", o->days, "how long")->check(CLI::Range(1, 3650))->capture_default_str();
  command->add_option("--interval", o->interval, "between readings of a GPU: 1s to 1h")->capture_default_str();
  command->add_option("--seed", plan.seed, "the same seed gives the same bytes")->capture_default_str();
  command->add_option("--scenario", plan.scenario, "how its boards fail")->check(CLI::IsMember(scenarios()))->capture_default_str();
  command->add_option("--start", o->start, fmt::format("the first moment, RFC 3339 or Unix seconds ({} where not given)", kStart));
  command->add_option("--truth", o->truth, "a folder, made new, for what the archive hides: modes, causes, signs, lemons, lots");
  auto* zstd = command->add_flag("--zstd", o->zstd, "tables packed with zstd (the default)");
  command->add_flag("--plain", o->plain, "tables as plain CSV")->excludes(zstd);
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer(
      "example: ghm simulate archive --out ./school --truth ./school-truth --gpus 100 --days 90 --seed 7 --scenario literature");
  command->callback([&run, o] { run = [o] { return run_archive(*o); }; });
}

}  // namespace ghm::cli
