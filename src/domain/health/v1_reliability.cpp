// Reliability dimension of the profile `v1`. In every field study the best forecast of a failure is an earlier one, and it fades:
// each incident costs by its age. Origin does not matter beyond the application: a driver that hangs a board hangs it again.
#include <algorithm>

#include "domain/health/v1_rules.h"

namespace ghm::health {
namespace {

constexpr double kSameIncident = kHour;
constexpr int kOffTheBus = 79;

struct Weight {
  double points = 0;  // when it has just happened
  bool critical = false;
};

double points_of(faults::Severity severity) {
  switch (severity) {
    case faults::Severity::critical: return 60;
    case faults::Severity::error: return 30;
    case faults::Severity::warning: return 10;
    case faults::Severity::info: return 0;
  }
  return 0;
}

Weight weight_of_xid(const Input& input, int code) {
  const auto* known = meaning_of_xid(input, code);
  if (known == nullptr || known->origin == faults::Origin::application) return {};
  const bool is_critical = known->severity == faults::Severity::critical;
  // What may be somebody else's fault counts only where it stops the board.
  if (known->origin != faults::Origin::hardware) return {is_critical ? points_of(known->severity) : 0, false};
  return {points_of(known->severity), is_critical || code == kOffTheBus};
}

Weight weight_of(const Evidence& e, const Event& event) {
  constexpr double kFall = 60;
  if (event.kind == "xid") return weight_of_xid(e.input(), event.code);
  if (event.kind == "gpu_missing") return {kFall, false};
  const bool planned = std::ranges::any_of(e.input().maintenance, [&](const Interval& i) { return i.covers(event.time); });
  return event.kind == "gpu_reset" && !planned ? Weight{kFall, false} : Weight{};
}

struct Happening {
  double at;
  Weight weight;
};

// What counts of the last 30 days, oldest first.
std::vector<Happening> happenings(const Evidence& e) {
  std::vector<Happening> out;
  for (const auto& event : *e.input().events) {
    if (!Interval{e.t() - kMonth, e.t()}.covers(event.time)) continue;
    if (const auto w = weight_of(e, event); w.points > 0) out.push_back({event.time, w});
  }
  std::ranges::sort(out, {}, [](const Happening& h) { return std::pair(h.at, h.weight.points); });
  return out;
}

// What follows within an hour of an incident's begin belongs to it; the gravest of it tells its cost.
std::optional<Verdict> incidents(const Evidence& e) {
  Verdict v;
  double begin = 0, gravest = 0;
  const auto close = [&] { v.points += gravest * (1 - (e.t() - begin) / kMonth); };
  for (const auto& h : happenings(e)) {
    v.critical |= h.weight.critical && h.at > e.t() - kDay;
    if (v.value > 0 && h.at - begin <= kSameIncident) {
      gravest = std::max(gravest, h.weight.points);
      continue;
    }
    if (v.value > 0) close();
    ++v.value;
    v.at = begin = h.at;
    gravest = h.weight.points;
  }
  if (v.value == 0) return std::nullopt;
  close();
  return v;
}

// Readings are lost on their way, and in tables a minute apart each costs its minute; a board that goes silent loses far more.
std::optional<Verdict> missing_minutes(const Evidence& e) {
  constexpr double kReference = 90, kPointsPerPercent = 3, kMost = 60;
  const auto& u = e.measures().uptime;
  if (u.counted == 0) return std::nullopt;
  const double percent = 100.0 * u.reported / u.counted;
  if (percent >= kReference) return std::nullopt;
  return Verdict{std::min(kMost, kPointsPerPercent * (kReference - percent)), percent, kReference, u.last_missing_at};
}

}  // namespace

std::span<const Rule> v1_reliability_rules() {
  static const Rule kRules[] = {
      {"reliability.uptime", Effect::deduct, {Of::reporting}, missing_minutes},
      rule_named(reliability_rules(), "reliability.jobs"),
      {"reliability.incidents", Effect::deduct, {Of::events}, incidents},
  };
  return kRules;
}

}  // namespace ghm::health
