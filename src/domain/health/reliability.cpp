// Reliability dimension of the profile `baseline`: was the board there, did its jobs end well, did it fall over, did its own
// hardware complain. Faults of applications and drivers cost nothing.
#include <algorithm>
#include <array>
#include <map>

#include "domain/health/rules.h"

namespace ghm::health {
namespace {

constexpr double kSameIncident = kHour;  // what follows within it belongs to what was counted
constexpr int kOffTheBus = 79;
constexpr std::array kResetXids = {kOffTheBus, 119, 120};  // off the bus, GSP silent, GSP failed: they end in a reset

bool is_reset_xid(int code) {
  return std::ranges::find(kResetXids, code) != kResetXids.end();
}

// Events of the last 30 days, oldest first.
std::vector<const Event*> last_month(const Evidence& e) {
  std::vector<const Event*> out;
  for (const auto& event : *e.input().events)
    if (Interval{e.t() - kMonth, e.t()}.covers(event.time)) out.push_back(&event);
  std::ranges::stable_sort(out, {}, &Event::time);
  return out;
}

bool is_last_day(const Evidence& e, const Event& event) {
  return event.time > e.t() - kDay;
}

std::optional<Verdict> missing_minutes(const Evidence& e) {
  constexpr double kMost = 50, kReference = 99.9, kPointsPerPercent = 100;
  const auto& u = e.measures().uptime;
  if (u.counted == 0) return std::nullopt;
  const double percent = 100.0 * u.reported / u.counted;
  if (percent >= kReference) return std::nullopt;
  return Verdict{std::min(kMost, kPointsPerPercent * (kReference - percent)), percent, kReference, u.last_missing_at};
}

std::optional<Verdict> jobs(const Evidence& e) {
  constexpr double kMost = 20, kReference = 99, kPointsPerPercent = 2, kLeastJobs = 20;
  double ended = 0, good = 0, last_failed_at = 0;
  for (const auto& job : *e.input().jobs) {
    if (!Interval{e.t() - kMonth, e.t()}.covers(job.time)) continue;
    ++ended;
    if (job.ok) ++good;
    else last_failed_at = std::max(last_failed_at, job.time);
  }
  if (ended < kLeastJobs || 100 * good / ended >= kReference) return std::nullopt;
  const double percent = 100 * good / ended;
  return Verdict{std::min(kMost, kPointsPerPercent * (kReference - percent)), percent, kReference, last_failed_at};
}

bool is_fall(const Evidence& e, const Event& event) {
  if (event.kind == "gpu_missing") return true;
  if (event.kind == "xid") return is_reset_xid(event.code);
  return event.kind == "gpu_reset" && std::ranges::none_of(e.input().maintenance, [&](const Interval& i) { return i.covers(event.time); });
}

std::optional<Verdict> reset(const Evidence& e) {
  constexpr double kPointsEach = 15;
  double count = 0, last_at = 0;
  bool critical = false;
  for (const auto* event : last_month(e)) {
    if (!is_fall(e, *event)) continue;
    critical |= event->kind == "xid" && event->code == kOffTheBus && is_last_day(e, *event);
    if (count > 0 && event->time - last_at <= kSameIncident) continue;
    ++count;
    last_at = event->time;
  }
  if (count == 0) return std::nullopt;
  return Verdict{kPointsEach * count, count, 0, last_at, critical};
}

double points_of(faults::Severity severity) {
  switch (severity) {
    case faults::Severity::critical: return 20;
    case faults::Severity::error: return 10;
    case faults::Severity::warning: return 3;
    case faults::Severity::info: return 0;
  }
  return 0;
}

std::optional<Verdict> xid(const Evidence& e) {
  Verdict v;
  std::map<int, double> counted;  // code -> when it was counted last
  for (const auto* event : last_month(e)) {
    if (event->kind != "xid" || is_reset_xid(event->code)) continue;
    const auto* known = meaning_of_xid(e.input(), event->code);
    if (known == nullptr || known->origin != faults::Origin::hardware) continue;
    v.critical |= known->severity == faults::Severity::critical && is_last_day(e, *event);
    const auto [last, is_first] = counted.try_emplace(event->code, event->time);
    if (!is_first && event->time - last->second <= kSameIncident) continue;
    last->second = event->time;
    if (points_of(known->severity) == 0) continue;
    v.points += points_of(known->severity);
    ++v.value;
    v.at = event->time;
  }
  return v.value > 0 ? std::optional(v) : std::nullopt;
}

}  // namespace

std::span<const Rule> reliability_rules() {
  static const Rule kRules[] = {
      {"reliability.uptime", Effect::deduct, {Of::reporting}, missing_minutes},
      {"reliability.jobs", Effect::deduct, {Of::jobs}, jobs},
      {"reliability.reset", Effect::deduct, {Of::events}, reset},
      {"reliability.xid", Effect::deduct, {Of::events}, xid},
  };
  return kRules;
}

}  // namespace ghm::health
