// Hazards: when nature will strike. Times are drawn ahead, so they do not depend on how often the fleet is looked at.
#include <algorithm>

#include "domain/simulation/faults.h"

namespace ghm::simulation {
namespace {

constexpr double kDay = 86400, kHour = 3600;
constexpr double kHorizon = 400 * kDay;
constexpr double kOfflineHours = 2.2;  // of a node after a failure, median
constexpr double kSwapDays = 10, kSwapSigma = 0.6;

std::size_t part_number(const Board& b) {
  return static_cast<std::size_t>(b.part - parts().data());
}

// Days in service between failures at this board, 0 when it never happens.
double mean_days(const Board& b, const Mode& mode) {
  const double per_day = mode.rate[part_number(b)] / 1000 * b.traits.hazard * (mode.sites_differ ? b.traits.site_hazard : 1);
  return per_day > 0 ? 1 / per_day : 0;
}

double out_of_service(Board& b, const Mode& mode) {
  if (b.random.uniform() < mode.permanent) return b.random.lognormal(kSwapDays, kSwapSigma) * kDay;
  return b.random.lognormal(kOfflineHours, 0.5) * kHour;
}

void draw_failure(Board& b, const Mode& mode, double t) {
  const double days = mean_days(b, mode);
  if (days == 0) return;
  const double at = t + b.random.exponential(days * kDay);
  if (at > t + kHorizon) return;
  if (mode.failure != mode.sign && b.random.uniform() < mode.precursor) {
    const double lead = b.random.lognormal(mode.lead_hours, mode.lead_sigma) * kHour;
    plan(b, {.kind = Event::Kind::strike, .at = std::max(t, at - lead), .fault = mode.sign, .code = 0});
  }
  plan(b, {.kind = Event::Kind::strike, .at = at, .fault = mode.failure, .code = 0});
  plan(b, {.kind = Event::Kind::repair, .at = at + out_of_service(b, mode), .fault = {}, .code = 0});
}

void draw_app_faults(Board& b, const Scenario& scenario, double t) {
  if (scenario.app_faults_per_gpu_day <= 0) return;
  for (double at = t; (at += b.random.exponential(kDay / scenario.app_faults_per_gpu_day)) < t + kHorizon;)
    plan(b, {.kind = Event::Kind::strike, .at = at, .fault = Fault::app_xid31, .code = 0});
}

}  // namespace

void draw_failures(Board& b, const Scenario& scenario, double t) {
  for (const auto& mode : scenario.modes) draw_failure(b, mode, t);
  draw_app_faults(b, scenario, t);
}

}  // namespace ghm::simulation
