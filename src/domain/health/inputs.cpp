#include "domain/health/inputs.h"

#include <algorithm>

namespace ghm::health {
namespace {

constexpr double kPresent = 0.60;

struct Row {
  Of of;
  std::string_view metric, otherwise = {};
  double window_s = kDay;  // over which presence is measured
};
constexpr Row kRows[] = {
    {Of::reasons, "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"},
    {Of::temperature, "DCGM_FI_DEV_GPU_TEMP"},
    {Of::activity, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"},
    {Of::fan, "DCGM_FI_DEV_FAN_SPEED", {}, kHour},
    {Of::sbe, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", kWeek},
    {Of::dbe, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", kWeek},
    {Of::remap_pending, "DCGM_FI_DEV_ROW_REMAP_PENDING"},
    {Of::remap_failure, "DCGM_FI_DEV_ROW_REMAP_FAILURE"},
    {Of::banks, "DCGM_FI_DEV_BANKS_REMAP_ROWS_AVAIL_NONE"},
    {Of::power, "DCGM_FI_DEV_POWER_USAGE"},
    {Of::sm_clock, "DCGM_FI_DEV_SM_CLOCK"},
    {Of::max_sm_clock, "DCGM_FI_DEV_MAX_SM_CLOCK"},
    {Of::limit_default, "DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF"},
    {Of::limit_enforced, "DCGM_FI_DEV_ENFORCED_POWER_LIMIT"},
    {Of::energy, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"},
    {Of::pcie_width, "DCGM_FI_DEV_PCIE_LINK_WIDTH"},
    {Of::pcie_max_width, "DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH"},
    {Of::pcie_gen, "DCGM_FI_DEV_PCIE_LINK_GEN"},
    {Of::pcie_max_gen, "DCGM_FI_DEV_PCIE_MAX_LINK_GEN"},
    {Of::remapped_corrected, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS"},
    {Of::remapped_uncorrected, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"},
    {Of::pcie_replays, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER"},
    {Of::nvlink_crc, "DCGM_FI_DEV_NVLINK_ERROR_DL_CRC", "DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL"},
    {Of::nvlink_replays, "DCGM_FI_DEV_NVLINK_ERROR_DL_REPLAY", "DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL"},
};

constexpr std::string_view kLinkState = "DCGM_FI_DEV_NVLINK_GET_STATE";

Metric look_up_metric(const Input& in, const Row& row) {
  if (row.of == Of::activity) return activity(in.metrics, in.t);
  if (!row.otherwise.empty()) return metric(in.metrics, in.t, row.metric, row.otherwise);
  return metric(in.metrics, in.t, row.metric);
}

// Counters of links that the part does not have.
bool is_of_nvlink(Of of) {
  return of == Of::nvlink_crc || of == Of::nvlink_replays;
}

bool has_bandwidth_record(const Input& in) {
  return in.bandwidth_test && in.bandwidth_test->time <= in.t && in.bandwidth_test->time >= in.t - kMonth;
}

// Moments at which any of the links was read within the last day.
double link_moments(const std::vector<Readings>& days) {
  std::vector<double> moments;
  for (const auto& day : days)
    for (const auto& r : day) moments.push_back(r.at);
  std::ranges::sort(moments);
  return static_cast<double>(std::ranges::unique(moments).begin() - moments.begin());
}

// One link that was read often enough speaks for all, so that their moments are put together only where none was.
bool links_present(const Input& in, const std::vector<Metric>& links) {
  std::vector<Readings> days;
  for (const auto& link : links) {
    days.push_back(within(link.readings, in.t - kDay, in.t));
    if (presence(in, static_cast<double>(days.back().size()), kDay) >= kPresent) return true;
  }
  return presence(in, link_moments(days), kDay) >= kPresent;
}

// Seconds of (from, to] that lie in any of the intervals.
double covered(std::vector<Interval> intervals, double from, double to) {
  std::ranges::sort(intervals, {}, &Interval::from);
  double sum = 0;
  for (const auto& i : intervals) {
    const double end = std::min(i.to, to);
    from = std::max(from, i.from);
    if (end > from) {
      sum += end - from;
      from = end;
    }
  }
  return sum;
}

}  // namespace

Evidence::Evidence(const Input& input) : input_(input) {
  for (const auto& row : kRows) {
    auto& fact = facts_[static_cast<std::size_t>(row.of)];
    fact.metric = look_up_metric(input, row);
    const auto seen = within(fact.metric.readings, input.t - row.window_s, input.t).size();
    fact.listed = fact.metric.listed && (input.links_expected > 0 || !is_of_nvlink(row.of));
    fact.present = fact.listed && presence(input, static_cast<double>(seen), row.window_s) >= kPresent;
  }
  look_up_links();
  set(Of::bandwidth_record, "bandwidth test", has_bandwidth_record(input), true);
  const bool has_answered = answered();
  set(Of::reporting, "times at which the source answered", true, has_answered);
  set(Of::events, "events", true, has_answered && input.events);
  set(Of::jobs, "jobs", input.jobs.has_value(), true);
}

void Evidence::set(Of of, std::string_view name, bool listed, bool present) {
  auto& fact = facts_[static_cast<std::size_t>(of)];
  fact.metric.name = name;
  fact.listed = listed;
  fact.present = listed && present;
}

void Evidence::look_up_links() {
  if (input_.links_expected <= 0) return set(Of::nvlinks, kLinkState, false, false);
  for (auto it = input_.metrics.lower_bound(kLinkState); it != input_.metrics.end() && it->first.starts_with(kLinkState); ++it)
    if (it->first.substr(kLinkState.size()).starts_with("@nvlink") && it->second)
      links_.push_back(metric(input_.metrics, input_.t, it->first));
  set(Of::nvlinks, kLinkState, true, links_present(input_, links_));
}

bool Evidence::answered() const {
  const double from = std::max(input_.t - kMonth, input_.deployed_at);
  if (!input_.source_silent || from >= input_.t) return false;
  const double window = input_.t - from;
  return (window - covered(*input_.source_silent, from, input_.t)) / window >= kPresent;
}

}  // namespace ghm::health
