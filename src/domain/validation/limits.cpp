#include "domain/validation/limits.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "domain/validation/believe.h"

namespace ghm::validation {
namespace {

namespace field = telemetry::field;
using telemetry::Entity;
using telemetry::MetricId;

// A GPU above its shutdown threshold is already off; the margin leaves room for sensors that read high while it dies.
constexpr double kMarginAboveShutdown = 15;
// Peaks of a millisecond above the limit are normal, half as much again is not.
constexpr double kPowerHeadroom = 1.5;
// Boost steps are 15 MHz; a reading may be rounded up by one.
constexpr double kClockStep = 15, kClockTolerance = 1.02;
// "80 GB" boards report 79.6 to 80.0 GiB; capacity names and GiB differ by less than this.
constexpr double kMemoryTolerance = 1.05;
// Counting windows and scrape windows do not line up.
constexpr double kPcieTolerance = 1.1;
// Whether headers count is documented both ways (fields 1011, 1012), and they are up to a fifth of the bytes.
constexpr double kNvlinkTolerance = 1.25;
constexpr double kMib = 1048576, kKib = 1024, kGiga = 1e9;

// Bytes per second, lane and direction after line coding. Source: PCI Express Base Specification 3.0 to 6.0:
// 8, 16 and 32 GT/s with 128b/130b; 64 GT/s in flits of 256 bytes, 242 of them ours.
double pcie_lane(int generation) {
  constexpr double kOfGeneration[] = {0, 0.25e9, 0.5e9, 0.985e9, 1.969e9, 3.938e9, 7.563e9};
  return generation >= 1 && generation <= 6 ? kOfGeneration[generation] : 0;
}

constexpr MetricId kMaxMemClock{114}, kFbTotal{250}, kPowerInstant{157};

/// Rates over links, in the unit of their metric. A rule is a row; first to last are consecutive field ids of one meaning.
struct LinkRate {
  int first, last;
  bool nvlink;        // else PCIe
  bool one_link;      // of the NVLinks
  double unit;        // bytes
  double directions;  // 2: send plus receive
};
constexpr LinkRate kLinkRates[] = {
    {200, 201, false, false, kKib, 1},  // DEV_PCIE_TX/RX_THROUGHPUT
    {440, 448, true, true, kMib, 2},    // DEV_NVLINK_BANDWIDTH_L0..L5, L12..L14
    {449, 449, true, false, kMib, 2},   // DEV_NVLINK_BANDWIDTH_TOTAL
    {475, 480, true, true, kMib, 2},    // ..._L6..L11
    {494, 496, true, true, kMib, 2},    // ..._L15..L17
    {825, 842, true, true, kMib, 1},    // DEV_NVLINK_TX_BANDWIDTH_Ln
    {843, 843, true, false, kMib, 1},   // DEV_NVLINK_TX_BANDWIDTH_TOTAL
    {879, 896, true, true, kMib, 1},    // DEV_NVLINK_RX_BANDWIDTH_Ln
    {897, 897, true, false, kMib, 1},   // DEV_NVLINK_RX_BANDWIDTH_TOTAL
    {1009, 1010, false, false, 1, 1},   // PROF_PCIE_TX/RX_BYTES
    {1011, 1012, true, false, 1, 1},    // PROF_NVLINK_TX/RX_BYTES
    {1529, 1529, true, true, kMib, 2},  // DEV_NVLINK_THROUGHPUT_PER_LINK
    {1530, 1531, true, true, kMib, 1},  // DEV_NVLINK_TX/RX_THROUGHPUT_PER_LINK
    {1532, 1533, true, true, 1, 1},     // PROF_NVLINK_TX/RX_BYTES_PER_LINK
};

std::optional<double> link_limit(MetricId id, const DeviceLimits& own) {
  const auto n = static_cast<int>(id);
  const auto* row = std::ranges::find_if(kLinkRates, [n](const LinkRate& r) { return n >= r.first && n <= r.last; });
  if (row == std::end(kLinkRates)) return std::nullopt;
  const auto& all = row->nvlink ? own.nvlink : own.pcie;
  if (!all || (row->one_link && own.nvlinks == 0)) return std::nullopt;
  return *all * row->directions / row->unit / (row->one_link ? own.nvlinks : 1);
}

// A model's row may stand for a bigger sister whose name says so ("GH200 144G HBM3e"): the larger number is believed.
double memory_gib(const telemetry::ModelSpec& model, std::string_view printed) {
  double most = *model.memory_gib;
  for (std::size_t i = 0; i < printed.size(); ++i) {
    std::size_t end = i;
    while (end < printed.size() && std::isdigit(static_cast<unsigned char>(printed[end]))) ++end;
    if (end > i && end - i <= 4 && end < printed.size() && printed[end] == 'G')
      most = std::max(most, std::stod(std::string(printed.substr(i, end - i))));
    i = std::max(i, end);
  }
  return most;
}

DeviceLimits limits_of_model(const telemetry::ModelSpec& model, std::string_view printed) {
  DeviceLimits out;
  if (model.tdp_w) out.power = *model.tdp_w * kPowerHeadroom;
  if (model.memory_gib) out.memory = memory_gib(model, printed) * 1024 * kMemoryTolerance;
  if (model.pcie_gen) out.pcie = pcie_lane(*model.pcie_gen) * 16 * kPcieTolerance;
  if (model.nvlink_gbs && *model.nvlink_gbs > 0) out.nvlink = *model.nvlink_gbs * kGiga / 2 * kNvlinkTolerance;
  out.nvlinks = model.nvlinks;
  return out;
}

bool within(double value, double lo, double hi) {
  return value >= lo && value <= hi;
}

/// The device's own PCIe link: two fields make one limit.
struct OwnLink {
  int generation = 0, width = 0;
};

// Each is taken only where it is plausible itself: a limit that is garbage must not refuse everything else.
void note_limit(DeviceLimits& limits, OwnLink& link, MetricId id, double value) {
  if (telemetry::is_absent(value) || !std::isfinite(value) || is_sentinel(value)) return;
  if (id == field::shutdown_temp && within(value, 80, 130)) limits.shutdown_temp = value;
  if (id == field::power_limit_max && within(value, 50, 3000)) limits.power = value * kPowerHeadroom;
  if (id == field::max_sm_clock && within(value, 1000, 4000)) limits.sm_clock = value * kClockTolerance + kClockStep;
  if (id == kMaxMemClock && within(value, 1000, 20'000)) limits.mem_clock = value * kClockTolerance + kClockStep;
  if (id == kFbTotal && within(value, 1000, 1e6)) limits.memory = value;
  if (id == field::pcie_max_gen && within(value, 1, 6)) link.generation = static_cast<int>(value);
  if (id == field::pcie_max_width && within(value, 1, 32)) link.width = static_cast<int>(value);
}

}  // namespace

std::map<int, DeviceLimits> limits_by_gpu(const telemetry::PageLayout& layout, const std::vector<double>& values,
                                          const telemetry::ModelCatalogue& models) {
  std::map<int, DeviceLimits> out;
  std::map<int, OwnLink> links;
  for (std::size_t g = 0; g < layout.gpus.size(); ++g)
    if (const auto* model = models.find(layout.gpus[g].model)) out[static_cast<int>(g)] = limits_of_model(*model, layout.gpus[g].model);
  const auto& series = layout.table->series;
  for (std::size_t i = 0; i < series.size() && i < values.size(); ++i)
    if (series[i].gpu >= 0 && series[i].entity.kind == Entity::Kind::gpu)
      note_limit(out[series[i].gpu], links[series[i].gpu], series[i].metric, values[i]);
  for (const auto& [gpu, link] : links)
    if (link.generation > 0) out[gpu].pcie = pcie_lane(link.generation) * (link.width > 0 ? link.width : 16) * kPcieTolerance;
  return out;
}

Bounds bounds_of(const telemetry::MetricSpec& spec, Entity, const DeviceLimits& own) {
  Bounds b{spec.min, spec.max};
  if (spec.id == field::power_usage || spec.id == kPowerInstant) return {0, own.power.value_or(spec.max)};
  if (spec.id == field::gpu_temp && own.shutdown_temp) b.hi = *own.shutdown_temp + kMarginAboveShutdown;
  if (spec.id == field::sm_clock && own.sm_clock) b.hi = *own.sm_clock;
  if (spec.id == field::mem_clock && own.mem_clock) b.hi = *own.mem_clock;
  if ((spec.id == field::fb_used || spec.id == field::fb_free) && own.memory) b.hi = std::min(b.hi, *own.memory);
  if (const auto most = link_limit(spec.id, own)) b.hi = std::min(b.hi, *most);
  return b;
}

namespace {

bool same_model(std::string_view wanted, std::string_view model, const telemetry::ModelCatalogue& models) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  if (std::ranges::equal(wanted, model, same)) return true;
  const auto* spec = models.find(wanted);
  return spec != nullptr && spec == models.find(model);
}

}  // namespace

const Override* override_for(const Overrides& all, MetricId metric, std::string_view model, const telemetry::ModelCatalogue& models) {
  for (auto o = all.rbegin(); o != all.rend(); ++o)
    if (o->metric == metric && (o->model.empty() || same_model(o->model, model, models))) return &*o;
  return nullptr;
}

Bounds overridden(Bounds bounds, const Override* by) {
  if (by == nullptr) return bounds;
  return {by->min.value_or(bounds.lo), by->max.value_or(bounds.hi)};
}

}  // namespace ghm::validation
