#include <zstd.h>

#include <cassert>

#include "core/handle.h"
#include "core/utf8.h"
#include "domain/transport/batch_codec.h"
#include "domain/transport/refusals_equal.h"

#include <telemetry_batch.pb.h>

namespace ghm::transport {
namespace {

using telemetry::LabelMap;

constexpr int kLevel = 3;
// What the packer remembers of a batch: small, since batches are, and its tables stay in memory.
constexpr int kWindowLog = 17, kHashLog = 12, kChainLog = 12;

std::string text(const std::string& said) {
  return is_utf8(said) ? said : to_utf8(said);
}

template <class Map>
void put(const LabelMap& labels, Map& out) {
  for (const auto& [name, value] : labels) out[text(name)] = text(value);
}

void put(const GpuName& name, wire::Name& out) {
  out.set_uuid(text(name.uuid));
  out.set_serial(text(name.serial));
  out.set_pci_bus_id(text(name.pci_bus_id));
}

void put(const telemetry::GpuIdentity& gpu, wire::Gpu& out) {
  out.set_uuid(text(gpu.uuid));
  out.set_serial(text(gpu.serial));
  out.set_pci_bus_id(text(gpu.pci_bus_id));
  out.set_model(text(gpu.model));
  out.set_hostname(text(gpu.hostname));
  out.set_driver_version(text(gpu.driver_version));
  out.set_vbios_version(text(gpu.vbios_version));
  out.set_index(gpu.index);
}

std::uint32_t packed(telemetry::Entity e) {
  return static_cast<std::uint32_t>(e.kind) << 16 | e.number;
}

void put(const telemetry::PageLayout& layout, wire::Layout& out) {
  for (const auto& gpu : layout.gpus) put(gpu, *out.add_gpus());
  const auto& series = layout.table->series;
  std::string event_like((series.size() + 7) / 8, '\0');
  bool any = false;
  for (std::size_t i = 0; i < series.size(); ++i) {
    out.add_gpu(series[i].gpu);
    out.add_entity(packed(series[i].entity));
    out.add_metric(static_cast<std::uint32_t>(series[i].metric));
    if (!series[i].event_like) continue;
    any = true;
    event_like[i / 8] = static_cast<char>(event_like[i / 8] | 1 << i % 8);
  }
  if (any) out.set_event_like(std::move(event_like));
  for (const auto& [column, labels] : layout.table->labels) {
    auto& l = *out.add_labels();
    l.set_column(column);
    put(labels, *l.mutable_labels());
  }
  for (const auto& work : layout.work) {
    auto& w = *out.add_work();
    for (const auto& pod : work.pods) w.add_pods(text(pod));
    for (const auto& job : work.jobs) w.add_jobs(text(job));
  }
}

void put(const telemetry::Refusal& r, wire::Refusal& out) {
  out.set_gpu(r.gpu ? *r.gpu : -1);
  out.set_entity(packed(r.entity));
  out.set_metric(static_cast<std::uint32_t>(r.metric));
  out.set_value(text(r.value));
  out.set_reason(static_cast<std::uint32_t>(r.reason));
  out.set_column(r.column ? static_cast<std::int64_t>(*r.column) : -1);
  if (r.number) out.set_number(*r.number);
  if (r.at) out.set_at_ms(to_unix_ms(*r.at));
}

void put(const AgentEvent& e, Timestamp round, wire::Event& out) {
  out.set_before_ms((round - e.at).count());
  out.set_kind(text(e.kind));
  if (!e.gpu.is_host()) put(e.gpu, *out.mutable_gpu());
  out.set_code(e.code);
  out.set_text(text(e.text.substr(0, kLongestEventText)));
  put(e.fields, *out.mutable_fields());
}

void put(const std::vector<JobNow>& jobs, wire::Jobs& out) {
  for (const auto& job : jobs) {
    auto& j = *out.add_jobs();
    put(job.gpu, *j.mutable_gpu());
    j.set_kind(text(job.kind));
    j.set_name(text(job.name));
    put(job.facts, *j.mutable_facts());
  }
}

void put(const Snapshot& s, Timestamp round, wire::Snapshot& out) {
  out.set_id(text(s.id));
  out.set_before_ms((round - s.at).count());
  out.set_part(text(s.part));
  if (!s.gpu.is_host()) put(s.gpu, *out.mutable_gpu());
  out.set_body(text(s.body));
}

bool same_layout(const telemetry::PageLayout& a, const telemetry::PageLayout& b) {
  return (a.table == b.table || *a.table == *b.table) && a.gpus == b.gpus && a.work == b.work;
}

}  // namespace

struct BatchEncoder::State {
  State() : packer(ZSTD_createCCtx()) {
    ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_windowLog, kWindowLog);
    ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_hashLog, kHashLog);
    ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_chainLog, kChainLog);
  }

  Handle<ZSTD_CCtx, ZSTD_freeCCtx> packer;
  // Of the round that was written last.
  std::uint64_t sequence = 0;
  Timestamp at{};
  std::int64_t booted_at = 0;
  std::string boot_id, simulated, trouble;
  std::shared_ptr<const telemetry::PageLayout> layout;
  ColumnStates columns;
  std::vector<telemetry::Refusal> refused;
  std::int64_t unknown_lines = 0, repeated_lines = 0;
  std::vector<JobNow> jobs;
  LabelMap host;

  void forget() {
    sequence = 0;
    at = {};
    booted_at = 0;
    boot_id.clear();
    simulated.clear();
    trouble.clear();
    layout.reset();
    refused.clear();
    unknown_lines = repeated_lines = 0;
    jobs.clear();
    host.clear();
  }
  void put_round(const HostRound& r, wire::Round& out);
  void put_readings(const HostRound& r, wire::Round& out);
  std::string pack(const wire::TelemetryBatch& m);
};

BatchEncoder::BatchEncoder() : state_(std::make_unique<State>()) {}
BatchEncoder::~BatchEncoder() = default;
BatchEncoder::BatchEncoder(BatchEncoder&&) noexcept = default;

void BatchEncoder::reset() {
  state_->forget();
}

std::string BatchEncoder::encode(const BatchHeader& header, std::span<const HostRound> rounds) {
  assert(!rounds.empty() && rounds.size() <= kMostRounds && header.agent.size() == kAgentIdBytes);
  auto& s = *state_;
  wire::TelemetryBatch m;
  m.set_version(kBatchVersion);
  m.set_agent(header.agent);
  m.set_host(text(header.host));
  m.set_base(s.sequence);
  if (s.sequence == 0) {
    m.set_agent_version(text(header.agent_version));
    put(header.labels, *m.mutable_labels());
  }
  m.set_sent_at_ms(to_unix_ms(header.sent_at));
  m.set_sent_since_boot_ms(header.sent_since_boot.count());
  if (header.boot_id != rounds.back().boot_id) m.set_sent_boot_id(text(header.boot_id));
  for (const auto& r : rounds) s.put_round(r, *m.add_rounds());
  return s.pack(m);
}

void BatchEncoder::State::put_round(const HostRound& r, wire::Round& out) {
  assert(r.sequence > sequence);
  const auto booted = to_unix_ms(r.at) - r.since_boot.count();
  out.set_sequence(r.sequence - sequence);
  out.set_at_ms((r.at - at).count());
  out.set_booted_at_ms(booted - booted_at);
  if (r.boot_id != boot_id) out.set_boot_id(text(r.boot_id));
  if (r.simulated != simulated) out.set_simulated(text(r.simulated));
  if (r.trouble != trouble) out.set_trouble(text(r.trouble));
  if (r.readings.layout) put_readings(r, out);
  for (const auto& e : r.events) put(e, r.at, *out.add_events());
  for (const auto& s : r.snapshots) put(s, r.at, *out.add_snapshots());
  if (r.jobs != jobs) put(r.jobs, *out.mutable_jobs());
  if (r.host != host) put(r.host, *out.mutable_host()->mutable_facts());
  sequence = r.sequence;
  at = r.at;
  booted_at = booted;
  boot_id = r.boot_id;
  simulated = r.simulated;
  trouble = r.trouble;
  jobs = r.jobs;
  host = r.host;
}

void BatchEncoder::State::put_readings(const HostRound& r, wire::Round& out) {
  const auto& said = r.readings;
  const bool fresh = !layout || (layout != said.layout && !same_layout(*layout, *said.layout));
  if (fresh) {
    put(*said.layout, *out.mutable_layout());
    refused.clear();
  }
  layout = said.layout;
  columns.write(said.values, fresh, *out.mutable_values());
  if (!said.refused.empty() && same_refusals(said.refused, refused)) out.set_refused_as_before(true);
  else
    for (const auto& one : said.refused) put(one, *out.add_refused());
  refused = said.refused;
  out.set_unknown_lines(said.unknown_lines - unknown_lines);
  out.set_repeated_lines(said.repeated_lines - repeated_lines);
  unknown_lines = said.unknown_lines;
  repeated_lines = said.repeated_lines;
  for (const auto& [column, stamp] : said.stamps) {
    auto& s = *out.add_stamps();
    s.set_column(column);
    s.set_before_ms((r.at - stamp).count());
  }
}

std::string BatchEncoder::State::pack(const wire::TelemetryBatch& m) {
  const auto plain = m.SerializeAsString();
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  const auto n = ZSTD_compress2(packer.get(), out.data(), out.size(), plain.data(), plain.size());
  assert(!ZSTD_isError(n));  // the room is enough and the parameters are ours
  out.resize(n);
  return out;
}

}  // namespace ghm::transport
