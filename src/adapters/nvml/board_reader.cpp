// One GPU through NVML. Whatever a driver lacks is left out, and not asked again until the child starts anew, as it does
// after a driver change; a lost GPU is left alone at the first call that says so, for calls to it can hang.
#include "adapters/nvml/board_reader.h"

#include <algorithm>
#include <array>

#include "adapters/nvml/field_table.h"

namespace ghm::nvml {
namespace {

using telemetry::Entity;
using telemetry::MetricId;

constexpr double kMilliwatts = 1000, kMebibyte = 1048576;

Entity nvlink(unsigned n) {
  return {Entity::Kind::nvlink, static_cast<std::uint16_t>(n)};
}

double number(const abi::FieldValue& f) {
  switch (f.type) {
    case 0: return f.value.as_double;
    case 1: return f.value.as_unsigned;
    case 2: return static_cast<double>(f.value.as_unsigned_long);
    case 3: return static_cast<double>(f.value.as_unsigned_long_long);
    case 4: return static_cast<double>(f.value.as_long_long);
    case 5: return f.value.as_int;
    case 6: return f.value.as_unsigned_short;
    default: return 0;
  }
}

}  // namespace

BoardReader::BoardReader(const Library& library, Progress& progress, BoardMemory& memory, abi::Device device, unsigned index)
    : lib_(library), progress_(progress), memory_(memory), device_(device) {
  out_.index = index;
}

void BoardReader::note(Call id, abi::Code code, Support support) {
  switch (code) {
    case abi::kSuccess: return;
    case abi::kNotSupported:
    case abi::kFunctionNotFound:
    case abi::kDeprecated:
    case abi::kInvalidArgument:          // an older driver's word for a newer argument
    case abi::kArgumentVersionMismatch:  // an older structure is wanted
      if (support == Support::of_call) memory_.unsupported.set(static_cast<std::size_t>(id));
      return;
    case abi::kNoPermission: ++out_.not_permitted; return;
    case abi::kNotFound: return;
    case abi::kGpuIsLost:
    case abi::kGpuNotFound: out_.status = abi::kGpuIsLost; break;
    case abi::kResetRequired: out_.status = out_.status == abi::kSuccess ? code : out_.status; break;
    default: break;
  }
  ++out_.errors;
}

template <BoardReader::Support support, class Function, class... Args>
bool BoardReader::ok(Call id, Function function, Args... args) {
  if (!function || out_.status == abi::kGpuIsLost || memory_.unsupported[static_cast<std::size_t>(id)]) return false;
  progress_.begin(id, static_cast<int>(out_.index));
  const abi::Code code = function(args...);
  note(id, code, support);
  return code == abi::kSuccess;
}

void BoardReader::say(unsigned metric, double value, Entity entity) {
  out_.values.push_back({MetricId(static_cast<std::uint16_t>(metric)), entity, value});
}
void BoardReader::say_slow(unsigned metric, double value, Entity entity) {
  memory_.slow.push_back({MetricId(static_cast<std::uint16_t>(metric)), entity, value});
}

template <class Function>
void BoardReader::say_unsigned(Call id, Function function, unsigned metric, double divide) {
  unsigned value = 0;
  if (ok(id, function, device_, &value)) say(metric, value / divide);
}

void BoardReader::identify() {
  std::array<char, 96> text{};
  const auto length = static_cast<unsigned>(text.size() - 1);
  if (!memory_.named) {
    if (ok(Call::serial, lib_.serial, device_, text.data(), length)) memory_.serial = text.data();
    if (ok(Call::vbios, lib_.vbios, device_, text.data(), length)) memory_.vbios = text.data();
    if (ok(Call::model_name, lib_.model_name, device_, text.data(), length)) memory_.model = text.data();
    unsigned minor = 0;
    if (ok(Call::minor_number, lib_.minor_number, device_, &minor)) memory_.minor = static_cast<int>(minor);
    memory_.named = out_.status != abi::kGpuIsLost;
  }
  abi::PciInfo pci{};
  if (ok(Call::pci_info, lib_.pci_info, device_, &pci)) {
    pci.bus_id[sizeof pci.bus_id - 1] = 0;
    out_.pci_bus_id = telemetry::normalise_pci_bus_id(pci.bus_id);
  }
  out_.minor = memory_.minor;
  out_.uuid = memory_.uuid, out_.serial = memory_.serial, out_.vbios = memory_.vbios, out_.model = memory_.model;
}

void BoardReader::read_temperatures() {
  unsigned celsius = 0;
  abi::Temperature sensor{abi::version_of<abi::Temperature>(1), abi::kSensorGpu, 0};
  if (ok(Call::temperature, lib_.temperature, device_, abi::kSensorGpu, &celsius)) say(150, celsius);
  else if (ok(Call::temperature_v, lib_.temperature_v, device_, &sensor)) say(150, sensor.celsius);
  abi::Margin margin{abi::version_of<abi::Margin>(1), 0};
  if (ok(Call::margin, lib_.margin, device_, &margin)) say(153, margin.celsius);
}

void BoardReader::read_power() {
  const auto has = [&](MetricId id) { return std::ranges::any_of(out_.values, [&](const Value& v) { return v.metric == id; }); };
  if (!has(MetricId{155})) say_unsigned(Call::power, lib_.power, 155, kMilliwatts);
  unsigned long long millijoules = 0;
  if (!has(MetricId{156}) && ok(Call::energy, lib_.energy, device_, &millijoules)) say(156, static_cast<double>(millijoules));
  say_unsigned(Call::power_enforced, lib_.power_enforced, 164, kMilliwatts);
}

void BoardReader::read_clocks() {
  constexpr std::pair<int, unsigned> kClocks[] = {{abi::kClockSm, 100}, {abi::kClockMemory, 101}, {abi::kClockVideo, 102}};
  for (const auto& [clock, metric] : kClocks) {
    unsigned mhz = 0;
    if (ok<Support::of_argument>(Call::clock, lib_.clock, device_, clock, &mhz)) say(metric, mhz);
  }
  unsigned long long reasons = 0;
  if (ok(Call::clock_reasons, lib_.clock_reasons, device_, &reasons) ||
      ok(Call::throttle_reasons, lib_.throttle_reasons, device_, &reasons))
    say(112, static_cast<double>(reasons));
  int state = 0;
  if (ok(Call::performance_state, lib_.performance_state, device_, &state)) say(190, state);
}

void BoardReader::read_load() {
  abi::Utilisation busy{};
  if (ok(Call::utilisation, lib_.utilisation, device_, &busy)) say(203, busy.gpu), say(204, busy.memory);
  abi::Memory memory{abi::version_of<abi::Memory>(2), 0, 0, 0, 0};
  if (!ok(Call::memory, lib_.memory, device_, &memory)) return;
  say(250, static_cast<double>(memory.total) / kMebibyte);
  say(251, static_cast<double>(memory.free) / kMebibyte);
  say(252, static_cast<double>(memory.used) / kMebibyte);
  say(253, static_cast<double>(memory.reserved) / kMebibyte);
}

void BoardReader::take_field(const abi::FieldValue& got, std::size_t n) {
  const Field& field = fields()[n];
  if (got.code == abi::kNotSupported || got.code == abi::kInvalidArgument || got.code == abi::kDeprecated)
    memory_.unsupported_fields.set(n);
  if (got.code == abi::kGpuIsLost) note(Call::field_values, got.code, Support::of_argument);
  if (got.code != abi::kSuccess) return;
  const bool no_sensor = field.metric == MetricId{140} && number(got) == 0;  // parts without HBM say 0
  if (no_sensor) return;
  (field.slow ? memory_.slow : out_.values).push_back({field.metric, {}, number(got) / field.divide});
}

void BoardReader::read_fields(bool slow) {
  static_assert(BoardMemory::kMostFields >= 52);
  std::array<abi::FieldValue, BoardMemory::kMostFields> ask{};
  std::array<std::size_t, BoardMemory::kMostFields> which{};
  std::size_t asked = 0;
  const auto all = fields();
  for (std::size_t n = 0; n < all.size() && n < BoardMemory::kMostFields; ++n) {
    if (all[n].slow != slow || memory_.unsupported_fields[n]) continue;
    ask[asked].field = all[n].field, ask[asked].scope = all[n].scope;
    ask[asked].code = abi::kNotSupported;  // what a driver leaves untouched says nothing
    which[asked++] = n;
  }
  if (asked == 0 || !ok(Call::field_values, lib_.field_values, device_, static_cast<int>(asked), ask.data())) return;
  for (std::size_t i = 0; i < asked; ++i) take_field(ask[i], which[i]);  // success of the call says nothing about its elements
}

void BoardReader::read_pcie() {
  say_unsigned(Call::pcie_generation, lib_.pcie_generation, 237);
  say_unsigned(Call::pcie_width, lib_.pcie_width, 238);
  say_unsigned(Call::pcie_max_generation, lib_.pcie_max_generation, 235);
  say_unsigned(Call::pcie_max_width, lib_.pcie_max_width, 236);
  say_unsigned(Call::pcie_replays, lib_.pcie_replays, 202);
}

void BoardReader::count_links() {
  if (memory_.links_known) return;
  abi::FieldValue count{};
  count.field = kFieldLinkCount, count.code = abi::kNotSupported;
  if (ok<Support::of_argument>(Call::field_values, lib_.field_values, device_, 1, &count) && count.code == abi::kSuccess)
    memory_.links = static_cast<unsigned>(std::clamp(number(count), 0.0, double{abi::kMostLinks}));
  else
    for (int up = 0; memory_.links < abi::kMostLinks; ++memory_.links)
      if (!ok<Support::of_argument>(Call::nvlink_state, lib_.nvlink_state, device_, memory_.links, &up)) break;
  memory_.links_known = out_.status != abi::kGpuIsLost;
}

void BoardReader::read_link_states() {
  count_links();
  std::array<abi::FieldValue, abi::kMostLinks> ask{};
  for (unsigned n = 0; n < memory_.links; ++n) ask[n].field = kFieldLinkState, ask[n].scope = n, ask[n].code = abi::kNotSupported;
  const bool batch = memory_.links > 0 && ok(Call::field_values, lib_.field_values, device_, static_cast<int>(memory_.links), ask.data());
  for (unsigned n = 0; n < memory_.links; ++n) {
    int up = 0;
    if (batch && ask[n].code == abi::kSuccess) say(1508, number(ask[n]) != 0, nvlink(n));
    else if (ok<Support::of_argument>(Call::nvlink_state, lib_.nvlink_state, device_, n, &up)) say(1508, up != 0, nvlink(n));
  }
}

void BoardReader::read_mig() {
  unsigned mode = 0, pending = 0;
  if (!ok(Call::mig_mode, lib_.mig_mode, device_, &mode, &pending)) return;
  say(67, mode);
  if (mode != memory_.mig_mode) memory_.unsupported.reset(), memory_.unsupported_fields.reset();  // what is supported depends on it
  memory_.mig_mode = mode;
  if (mode != 0) read_mig_instances();
}

void BoardReader::read_mig_instances() {
  unsigned most = 0;
  if (!ok(Call::mig_most, lib_.mig_most, device_, &most)) return;
  std::uint64_t seen = 0;  // several compute instances share a GPU instance, and its memory
  for (unsigned n = 0; n < std::min(most, 16u); ++n) {
    abi::Device instance = nullptr;
    unsigned id = 0;
    std::array<char, 96> uuid{};
    if (!ok<Support::of_argument>(Call::mig_device, lib_.mig_device, device_, n, &instance)) continue;
    if (ok<Support::of_argument>(Call::uuid, lib_.uuid, instance, uuid.data(), static_cast<unsigned>(uuid.size() - 1)))
      out_.mig_uuids.push_back(uuid.data());
    if (!ok<Support::of_argument>(Call::gpu_instance, lib_.gpu_instance, instance, &id) || id >= 64 || seen >> id & 1) continue;
    seen |= std::uint64_t{1} << id;
    abi::Memory memory{abi::version_of<abi::Memory>(2), 0, 0, 0, 0};
    if (!ok<Support::of_argument>(Call::memory, lib_.memory, instance, &memory)) continue;
    const Entity mig{Entity::Kind::mig, static_cast<std::uint16_t>(id)};
    say(250, static_cast<double>(memory.total) / kMebibyte, mig);
    say(251, static_cast<double>(memory.free) / kMebibyte, mig);
    say(252, static_cast<double>(memory.used) / kMebibyte, mig);
  }
}

void BoardReader::read_processes() {
  std::array<abi::Process, kMostProcesses> processes{};
  auto count = static_cast<unsigned>(processes.size());
  // INSUFFICIENT_SIZE fills what there is room for in some drivers and nothing in others: more than that is not told.
  if (!ok<Support::of_argument>(Call::processes, lib_.processes, device_, &count, processes.data())) return;
  for (unsigned i = 0; i < std::min<unsigned>(count, kMostProcesses); ++i)
    if (processes[i].pid != 0) out_.processes.push_back({processes[i].pid});
  std::ranges::sort(out_.processes);
  out_.processes.erase(std::unique(out_.processes.begin(), out_.processes.end()), out_.processes.end());
}

void BoardReader::read_limits() {
  // Source of the numbers: nvmlTemperatureThresholds_t. Newer boards give the margin instead.
  constexpr std::pair<int, unsigned> kThresholds[] = {{0, 159}, {1, 158}, {2, 151}, {3, 152}};
  for (const auto& [threshold, metric] : kThresholds) {
    unsigned celsius = 0;
    if (ok<Support::of_argument>(Call::temperature_threshold, lib_.temperature_threshold, device_, threshold, &celsius))
      say_slow(metric, celsius);
  }
  unsigned a = 0, b = 0;
  if (ok(Call::power_limit, lib_.power_limit, device_, &a)) say_slow(160, a / kMilliwatts);
  if (ok(Call::power_limits, lib_.power_limits, device_, &a, &b)) say_slow(161, a / kMilliwatts), say_slow(162, b / kMilliwatts);
  if (ok(Call::power_default, lib_.power_default, device_, &a)) say_slow(163, a / kMilliwatts);
  constexpr std::pair<int, unsigned> kClocks[] = {{abi::kClockSm, 113}, {abi::kClockMemory, 114}, {abi::kClockVideo, 115}};
  for (const auto& [clock, metric] : kClocks)
    if (ok<Support::of_argument>(Call::max_clock, lib_.max_clock, device_, clock, &a)) say_slow(metric, a);
}

void BoardReader::read_ecc() {
  int current = 0, pending = 0;
  if (ok(Call::ecc_mode, lib_.ecc_mode, device_, &current, &pending)) say_slow(300, current), say_slow(301, pending);
  constexpr std::array<std::array<int, 3>, 4> kSram = {{{abi::kCorrected, abi::kVolatile, 342},
                                                        {abi::kUncorrected, abi::kVolatile, 343},
                                                        {abi::kCorrected, abi::kAggregate, 344},
                                                        {abi::kUncorrected, abi::kAggregate, 345}}};
  for (const auto& [severity, life, metric] : kSram) {
    unsigned long long count = 0;
    if (ok<Support::of_argument>(Call::memory_errors, lib_.memory_errors, device_, severity, life, abi::kLocationSram, &count))
      say_slow(static_cast<unsigned>(metric), static_cast<double>(count));
  }
  abi::SramStatus sram{};
  sram.version = abi::version_of<abi::SramStatus>(1);
  if (ok(Call::sram_status, lib_.sram_status, device_, &sram)) say_slow(346, sram.threshold_exceeded != 0);
}

void BoardReader::read_remaps() {
  unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
  if (ok(Call::remapped_rows, lib_.remapped_rows, device_, &corrected, &uncorrected, &pending, &failed)) {
    say_slow(394, corrected), say_slow(393, uncorrected), say_slow(396, pending != 0), say_slow(395, failed != 0);
  }
  abi::RemapHistogram banks{};
  if (!ok(Call::remap_histogram, lib_.remap_histogram, device_, &banks)) return;
  const unsigned counts[] = {banks.max, banks.high, banks.partial, banks.low, banks.none};
  for (unsigned i = 0; i < 5; ++i) say_slow(385 + i, counts[i]);
}

void BoardReader::read_link_errors() {
  constexpr std::pair<int, unsigned> kCounters[] = {{0, 1527}, {1, 1528}, {2, 1525}, {3, 1526}};  // replay, recovery, CRC flit, CRC data
  for (unsigned n = 0; n < memory_.links; ++n)
    for (const auto& [counter, metric] : kCounters) {
      unsigned long long count = 0;
      if (ok<Support::of_argument>(Call::nvlink_errors, lib_.nvlink_errors, device_, n, counter, &count))
        say_slow(metric, static_cast<double>(count), nvlink(n));
    }
}

void BoardReader::read_fabric() {
  abi::FabricInfo fabric{};
  fabric.version = abi::version_of<abi::FabricInfo>(2);
  constexpr unsigned kDone = 3, kFailed = 4;  // DCGM's word for "done, with an error"
  if (!ok(Call::fabric, lib_.fabric, device_, &fabric)) return;
  say_slow(170, fabric.state == kDone && fabric.status != abi::kSuccess ? kFailed : fabric.state);
  if (fabric.state == 0) return;
  say_slow(171, fabric.status);
  say_slow(173, fabric.clique);
  say_slow(174, fabric.health_mask);
}

void BoardReader::read_slow() {
  memory_.slow.clear();
  read_fields(true);
  read_limits();
  read_ecc();
  read_remaps();
  read_link_errors();
  read_fabric();
}

BoardReport BoardReader::read(bool all) {
  identify();
  read_mig();
  read_fields(false);
  read_temperatures();
  read_power();
  read_clocks();
  read_load();
  read_pcie();
  read_link_states();
  read_processes();
  const bool due = memory_.rounds++ % kSlowEvery == 0;
  if (due || all) read_slow();
  if (out_.status == abi::kGpuIsLost) memory_.slow.clear(), out_.values.clear();  // half a round of a dying board is no reading
  else out_.values.insert(out_.values.end(), memory_.slow.begin(), memory_.slow.end());
  return std::move(out_);
}

}  // namespace ghm::nvml
