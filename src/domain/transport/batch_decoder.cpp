#include <fmt/format.h>

#include <algorithm>

#include "domain/transport/batch_codec.h"

#include <telemetry_batch.pb.h>

namespace ghm::transport {
namespace {

using telemetry::LabelMap;

constexpr std::size_t kMostGpus = 1024;
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kWeight = 16;  // of an object with its texts empty, in values of 8 bytes
constexpr std::int64_t kYear2500 = 16'725'225'600'000;

Error malformed(std::string_view what) {
  return {Errc::invalid_input, fmt::format("batch: {}", what)};
}

Error too_much() {
  return malformed(fmt::format("more than {} values in it: send fewer rounds at once", kMostCells));
}

template <class Map>
std::size_t weight_of(const Map& labels) {
  std::size_t weight = 0;
  for (const auto& [name, value] : labels) weight += kWeight + (name.size() + value.size()) / 8;
  return weight;
}

template <class Map>
LabelMap labels_of(const Map& in) {
  return {in.begin(), in.end()};
}

GpuName name_of(const wire::Name& in) {
  return {in.uuid(), in.serial(), in.pci_bus_id()};
}

telemetry::GpuIdentity gpu_of(const wire::Gpu& in) {
  return {in.uuid(), in.serial(), in.pci_bus_id(), in.model(), in.hostname(), in.driver_version(), in.vbios_version(), in.index()};
}

std::optional<telemetry::Entity> entity_of(std::uint32_t packed) {
  if (packed >> 16 > static_cast<std::uint32_t>(telemetry::Entity::Kind::node)) return std::nullopt;
  return telemetry::Entity{static_cast<telemetry::Entity::Kind>(packed >> 16), static_cast<std::uint16_t>(packed & 0xffff)};
}

bool is_id(std::uint32_t n) {
  return n <= 0xffff;
}

Result<std::shared_ptr<const telemetry::PageLayout>> layout_of(const wire::Layout& in) {
  const auto columns = in.metric_size();
  if (in.gpu_size() != columns || in.entity_size() != columns || static_cast<std::size_t>(columns) > kMostColumns)
    return malformed("a layout whose columns are not all described");
  if (static_cast<std::size_t>(in.gpus_size()) > kMostGpus) return malformed("a layout of more than 1024 GPUs");
  if (!in.event_like().empty() && in.event_like().size() != static_cast<std::size_t>(columns + 7) / 8)
    return malformed("a layout whose event-like columns are malformed");
  if (in.work_size() != 0 && in.work_size() != in.gpus_size()) return malformed("a layout with work of other GPUs");
  telemetry::SeriesTable table;
  table.series.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    const auto entity = entity_of(in.entity(i));
    if (in.gpu(i) < -1 || in.gpu(i) >= in.gpus_size() || !entity || !is_id(in.metric(i)))
      return malformed("a layout with a column of no GPU, entity or metric");
    const bool event_like =
        !in.event_like().empty() && (static_cast<unsigned char>(in.event_like()[static_cast<std::size_t>(i) / 8]) >> i % 8 & 1);
    table.series.push_back({static_cast<std::int16_t>(in.gpu(i)), *entity, static_cast<telemetry::MetricId>(in.metric(i)), event_like});
  }
  for (const auto& l : in.labels()) {
    if (l.column() >= static_cast<std::uint32_t>(columns)) return malformed("a layout with labels of no column");
    table.labels[l.column()] = labels_of(l.labels());
  }
  auto out = std::make_shared<telemetry::PageLayout>();
  out->table = std::make_shared<const telemetry::SeriesTable>(std::move(table));
  for (const auto& gpu : in.gpus()) out->gpus.push_back(gpu_of(gpu));
  for (const auto& w : in.work()) out->work.push_back({{w.pods().begin(), w.pods().end()}, {w.jobs().begin(), w.jobs().end()}});
  return std::shared_ptr<const telemetry::PageLayout>(std::move(out));
}

std::optional<telemetry::Refusal> refusal_of(const wire::Refusal& in, const telemetry::PageLayout& layout) {
  const auto entity = entity_of(in.entity());
  const auto gpus = static_cast<std::int64_t>(layout.gpus.size()), columns = static_cast<std::int64_t>(layout.table->series.size());
  if (!entity || !is_id(in.metric()) || in.gpu() < -1 || in.gpu() >= gpus || in.column() < -1 || in.column() >= columns ||
      in.reason() >= telemetry::kReasons)
    return std::nullopt;
  telemetry::Refusal r{std::nullopt, *entity, static_cast<telemetry::MetricId>(in.metric()), in.value(),
                       static_cast<telemetry::Reason>(in.reason())};
  if (in.gpu() >= 0) r.gpu = static_cast<std::uint16_t>(in.gpu());
  if (in.column() >= 0) r.column = static_cast<std::uint32_t>(in.column());
  if (in.has_number()) r.number = in.number();
  if (in.has_at_ms()) r.at = from_unix_ms(in.at_ms());
  return r;
}

bool is_time(std::int64_t ms) {
  return ms >= 0 && ms <= kYear2500;
}

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// A time is said as so much before the round; what is no time then stands at the round.
Timestamp time_before(Timestamp round, std::int64_t before_ms) {
  const auto ms = wrapping_add(to_unix_ms(round), wrapping_add(0, -1 - before_ms) + 1);
  return is_time(ms) ? from_unix_ms(ms) : round;
}

}  // namespace

struct BatchDecoder::State {
  std::uint64_t sequence = 0;  // 0: only a batch that stands alone can be read
  std::int64_t at = 0, booted_at = 0;
  std::string boot_id, simulated, trouble;
  std::shared_ptr<const telemetry::PageLayout> layout;
  ColumnStates columns;
  std::vector<telemetry::Refusal> refused;
  std::int64_t unknown_lines = 0, repeated_lines = 0;
  std::vector<JobNow> jobs;
  LabelMap host;
  std::size_t cells = 0;  // of this batch: values, and what else each of its rounds carries, in eighths of bytes
  std::size_t refused_weight = 0, jobs_weight = 0, host_weight = 0;

  Result<HostRound> round(const wire::Round& in);
  Result<void> readings(const wire::Round& in, HostRound& out);
  Result<void> refusals(const wire::Round& in);
  void learn_jobs(const wire::Jobs& in);
  void learn_host(const wire::Facts& in);
  static AgentEvent event(const wire::Event& in, Timestamp round);
  void snapshots(const wire::Round& in, HostRound& out);
};

BatchDecoder::BatchDecoder() : state_(std::make_unique<State>()) {}
BatchDecoder::~BatchDecoder() = default;
BatchDecoder::BatchDecoder(BatchDecoder&&) noexcept = default;
BatchDecoder& BatchDecoder::operator=(BatchDecoder&&) noexcept = default;

Result<Batch> BatchDecoder::decode(const PackedBatch& packed) {
  const auto& m = packed.message();
  auto state = m.base() == 0 ? std::make_unique<State>() : std::exchange(state_, std::make_unique<State>());
  if (m.base() != state->sequence)
    return Error{Errc::conflict,
                 fmt::format("batch: it differs from round {}, which was not the last one read: send it standing alone", m.base())};
  state->cells = 0;
  Batch out{packed.header(), m.base() == 0, {}};
  for (const auto& r : m.rounds()) {
    auto round = state->round(r);
    if (!round) return round.error();
    out.rounds.push_back(std::move(*round));
  }
  if (out.header.boot_id.empty()) out.header.boot_id = state->boot_id;
  state_ = std::move(state);
  return out;
}

Result<HostRound> BatchDecoder::State::round(const wire::Round& in) {
  if (in.sequence() == 0 || in.sequence() > ~sequence) return malformed("rounds whose sequence does not rise");
  sequence += in.sequence();
  at = wrapping_add(at, in.at_ms());
  booted_at = wrapping_add(booted_at, in.booted_at_ms());
  if (!is_time(at)) return malformed("a round at no time");
  if (in.has_boot_id()) boot_id = in.boot_id();
  if (in.has_simulated()) simulated = in.simulated();
  if (in.has_trouble()) trouble = in.trouble().substr(0, kLongestEventText);
  if (in.has_jobs()) learn_jobs(in.jobs());
  if (in.has_host()) learn_host(in.host());
  if (boot_id.size() > kLongestName || simulated.size() > kLongestName) return malformed("a name of more than 255 bytes");
  // What is said once is in every round here.
  cells += refused_weight + jobs_weight + host_weight + trouble.size() / 8;
  if (cells > kMostCells) return too_much();
  HostRound out;
  out.sequence = sequence;
  out.at = from_unix_ms(at);
  out.since_boot = std::chrono::milliseconds(wrapping_add(at, wrapping_add(~booted_at, 1)));
  out.boot_id = boot_id;
  out.simulated = simulated;
  out.trouble = trouble;
  if (auto done = readings(in, out); !done) return done.error();
  for (const auto& e : in.events()) out.events.push_back(event(e, out.at));
  snapshots(in, out);
  if (cells > kMostCells) return too_much();
  out.jobs = jobs;
  out.host = host;
  return out;
}

Result<void> BatchDecoder::State::readings(const wire::Round& in, HostRound& out) {
  if (in.has_layout()) {
    auto fresh = layout_of(in.layout());
    if (!fresh) return fresh.error();
    layout = std::move(*fresh);
    refused.clear();
    refused_weight = 0;
  }
  if (!in.has_values()) return in.has_layout() ? Result<void>(malformed("a layout without values")) : Result<void>();
  if (!layout) return malformed("values of an unknown layout");
  if (in.has_layout() != in.values().key()) return malformed("a layout needs all values, and only a layout does");
  cells += layout->table->series.size();
  if (cells > kMostCells) return too_much();
  if (auto done = columns.read(in.values(), layout->table->series.size()); !done) return done;
  if (auto done = refusals(in); !done) return done;
  unknown_lines = wrapping_add(unknown_lines, in.unknown_lines());
  repeated_lines = wrapping_add(repeated_lines, in.repeated_lines());
  out.readings.layout = layout;
  out.readings.values.assign(columns.values().begin(), columns.values().end());
  out.readings.refused = refused;
  out.readings.unknown_lines = static_cast<std::uint32_t>(unknown_lines);
  out.readings.repeated_lines = static_cast<std::uint32_t>(repeated_lines);
  for (const auto& s : in.stamps()) {
    if (s.column() >= layout->table->series.size()) return malformed("a time of no column");
    out.readings.stamps[s.column()] = time_before(out.at, s.before_ms());
  }
  return {};
}

Result<void> BatchDecoder::State::refusals(const wire::Round& in) {
  if (in.refused_as_before()) return {};
  refused.clear();
  refused_weight = 0;
  for (const auto& r : in.refused()) {
    auto one = refusal_of(r, *layout);
    if (!one) return malformed("a refused value of no column");
    refused_weight += kWeight + one->value.size() / 8;
    refused.push_back(std::move(*one));
  }
  return {};
}

void BatchDecoder::State::learn_jobs(const wire::Jobs& in) {
  jobs.clear();
  jobs_weight = 0;
  for (const auto& j : in.jobs()) {
    jobs.push_back({name_of(j.gpu()), j.kind(), j.name(), labels_of(j.facts())});
    jobs_weight += 2 * kWeight + j.ByteSizeLong() / 8 + weight_of(j.facts());
  }
  std::ranges::sort(jobs);
}

void BatchDecoder::State::learn_host(const wire::Facts& in) {
  host = labels_of(in.facts());
  host_weight = weight_of(host);
}

AgentEvent BatchDecoder::State::event(const wire::Event& in, Timestamp round) {
  AgentEvent e;
  e.at = time_before(round, in.before_ms());
  e.kind = in.kind();
  e.gpu = name_of(in.gpu());
  e.code = in.code();
  e.text = in.text();
  e.fields = labels_of(in.fields());
  return e;
}

// What is longer than it may be is cut, not refused: the readings beside it come first.
void BatchDecoder::State::snapshots(const wire::Round& in, HostRound& out) {
  for (const auto& s : in.snapshots()) {
    if (out.snapshots.size() >= kMostSnapshots) break;
    out.snapshots.push_back({s.id().substr(0, kLongestSnapshotWord), time_before(out.at, s.before_ms()),
                             s.part().substr(0, kLongestSnapshotWord), name_of(s.gpu()), s.body().substr(0, kLargestSnapshot)});
    cells += kWeight + out.snapshots.back().body.size() / 8;
  }
}

}  // namespace ghm::transport
