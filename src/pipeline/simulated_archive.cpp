#include "pipeline/simulated_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "adapters/archive/byte_sink.h"
#include "adapters/archive/manifest.h"
#include "adapters/archive/rows.h"
#include "core/files.h"
#include "domain/simulation/life.h"
#include "pipeline/simulated_telemetry.h"
#include "pipeline/simulated_truth.h"

namespace ghm::pipeline {
namespace {

namespace fs = std::filesystem;
using namespace simulation;

Timestamp moment(double unix_seconds) {
  return from_unix_ms(std::llround(unix_seconds) * 1000);
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error))
    return Error{Errc::conflict, fmt::format("{}: is there and not empty: name a new folder", folder.string())};
  fs::create_directories(folder, error);
  if (error) return Error{Errc::unavailable, fmt::format("{}: {}", folder.string(), error.message())};
  return {};
}

fs::path plain(const fs::path& path) {
  const auto found = fs::weakly_canonical(fs::absolute(path));
  return found.has_filename() ? found : found.parent_path();
}

// The truth beside the archive, never in it.
bool lies_in(const fs::path& inner, const fs::path& outer) {
  const auto from_outer = plain(inner).lexically_relative(plain(outer));
  return !from_outer.empty() && *from_outer.begin() != "..";
}

Result<void> put_file(const fs::path& path, const std::string& text) {
  auto sink = archive::ByteSink::create(path);
  if (!sink) return sink.error();
  if (auto done = (*sink)->write(text); !done) return done;
  return (*sink)->finish();
}

/// Catalogue prices of a module when it was new, USD, by model: the order of magnitude of public offers.
double price_of(const Part& part) {
  constexpr double kPrices[] = {12'000, 27'000, 32'000, 40'000};
  return kPrices[&part - parts().data()];
}

fleet::Asset asset_of(const Stay& s, const HostLife& life) {
  fleet::Asset a;
  a.uuid = s.id.uuid;
  a.serial = s.id.serial;
  a.model = spec_of(*life.part).exporter_names.front();
  a.host = life.place.host;
  a.place = {life.place.region, life.place.datacenter, life.place.rack};
  a.slot = std::to_string(s.slot);
  a.pci_bus_id = s.id.pci_bus_id;
  a.batch = s.lot;
  a.manufactured_at = moment(s.manufactured);
  a.deployed_at = moment(s.deployed);
  if (s.retired > 0) a.retired_at = moment(s.retired);
  a.warranty_until = moment(std::floor((s.deployed + 3 * kSecondsOfYear) / kSecondsOfDay) * kSecondsOfDay);
  a.purchase_price_usd = price_of(*life.part);
  return a;
}

archive::FailureRow row_of(const Failure& f, const HostLife& life) {
  const auto& facts = mode_facts()[f.mode];
  const auto& stay = life.stays[f.stay];
  archive::FailureRow row{moment(f.detected), stay.id.uuid, std::string(facts.type), stay.id.serial, std::string(facts.severity), {}, {}};
  if (f.resolved > 0) {
    row.resolved_at = moment(f.resolved);
    row.resolution = f.resolution;
  }
  return row;
}

archive::EventRow row_of(const LifeEvent& e, const HostLife& life) {
  const auto uuid = e.stay < 0 ? std::string() : life.stays[static_cast<std::size_t>(e.stay)].id.uuid;
  return {moment(e.at), std::string(e.kind), uuid, life.place.host, e.code, e.detail};
}

class Simulation {
 public:
  Simulation(const SimulationOptions& o, World world, const std::function<void(std::size_t, std::size_t)>& progress)
      : o_(o), world_(std::move(world)), progress_(progress) {}

  Result<SimulationReport> run() {
    for (const auto& folder : {o_.folder, o_.folder / "telemetry"})
      if (auto done = make_folder(folder); !done) return done.error();
    if (!o_.truth.empty())
      if (auto done = make_folder(o_.truth); !done) return done.error();
    for (std::size_t h = 0; h < world_.hosts(); ++h) lives_.push_back(live(world_, h));
    for (const auto step : {&Simulation::write_tables, &Simulation::write_truth, &Simulation::write_readings, &Simulation::write_manifest})
      if (auto done = (this->*step)(); !done) return done.error();
    return report_;
  }

 private:
  Result<void> write_tables() {
    auto assets = archive::asset_header({});
    std::vector<archive::EventRow> events;
    std::vector<archive::FailureRow> failures;
    for (const auto& life : lives_) {
      for (const auto& s : life.stays) archive::put_asset(assets, asset_of(s, life), {});
      for (const auto& e : life.events) events.push_back(row_of(e, life));
      for (const auto& f : life.failures) failures.push_back(row_of(f, life)), report_.failures_with_sign += f.sign != Sign::none;
      report_.stays += life.stays.size();
    }
    report_.gpus = static_cast<std::uint64_t>(o_.plan.gpus);
    report_.events = events.size();
    report_.failures = failures.size();
    std::ranges::stable_sort(events, {}, &archive::EventRow::at);
    std::ranges::stable_sort(failures, {}, &archive::FailureRow::detected_at);
    auto event_text = archive::event_header(), failure_text = archive::failure_header();
    for (const auto& e : events) archive::put_event(event_text, e);
    for (const auto& f : failures) archive::put_failure(failure_text, f);
    const std::string end = o_.zstd ? ".csv.zst" : ".csv";
    if (auto done = put_file(o_.folder / ("assets" + end), assets); !done) return done;
    if (auto done = put_file(o_.folder / ("events" + end), event_text); !done) return done;
    return put_file(o_.folder / ("failures" + end), failure_text);
  }

  Result<void> write_truth() {
    if (o_.truth.empty()) return {};
    if (auto done = put_file(o_.truth / "failures.csv", truth_of_failures(world_, lives_)); !done) return done;
    if (auto done = put_file(o_.truth / "boards.csv", truth_of_boards(world_, lives_)); !done) return done;
    return put_file(o_.truth / "regimes.csv", truth_of_regimes(world_));
  }

  Result<void> write_readings() {
    std::vector<HostTelemetry> hosts;
    hosts.reserve(lives_.size());
    for (auto& life : lives_) hosts.emplace_back(world_, std::move(life));
    const auto threads = o_.threads > 0 ? o_.threads : std::max(1u, std::thread::hardware_concurrency());
    const TelemetryPlan plan{o_.folder / "telemetry",
                             static_cast<std::int64_t>(world_.start()),
                             static_cast<std::int64_t>(world_.end()),
                             o_.interval.count(),
                             o_.zstd,
                             threads};
    const auto done = write_telemetry(plan, hosts, progress_);
    if (!done) return done.error();
    report_.rows = done->rows;
    report_.missing = done->missing;
    return {};
  }

  // The last, so that an archive with one is whole.
  Result<void> write_manifest() {
    archive::Manifest m;
    m.start = o_.plan.start;
    m.end = o_.plan.end;
    m.interval = o_.interval;
    m.name = fmt::format("simulated-{}-{}", o_.plan.scenario, o_.plan.seed);
    m.generator = fmt::format("ghm {} simulate archive", GHM_VERSION);
    m.timezone = "UTC";
    m.notes = fmt::format("scenario {}, seed {}, {} GPUs; no real GPU", o_.plan.scenario, o_.plan.seed, o_.plan.gpus);
    m.simulated = true;
    return write_file_atomically(o_.folder / "manifest.json", archive::format_manifest(m));
  }

  const SimulationOptions& o_;
  const World world_;
  const std::function<void(std::size_t, std::size_t)>& progress_;
  std::vector<HostLife> lives_;
  SimulationReport report_;
};

}  // namespace

Result<SimulationReport> simulate_archive(const SimulationOptions& options, const std::function<void(std::size_t, std::size_t)>& progress) {
  if (options.interval < std::chrono::seconds(1) || options.interval > std::chrono::hours(1))
    return Error{Errc::invalid_input, fmt::format("an interval of {} s: expected 1 s to 1 h", options.interval.count())};
  if (!options.truth.empty() && lies_in(options.truth, options.folder))
    return Error{Errc::invalid_input, fmt::format("{}: lies in the archive {}, which must not hold the truth: name a folder elsewhere",
                                                  options.truth.string(), options.folder.string())};
  auto world = World::create(options.plan);
  if (!world) return world.error();
  return Simulation(options, std::move(*world), progress).run();
}

}  // namespace ghm::pipeline
