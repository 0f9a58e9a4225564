#include "domain/faults/links.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::faults {
namespace {

// A cascade on one board is over within this time: what follows in it is part of the same story, whatever its family.
constexpr auto kCascade = 15min;
// One link's fault shows on several boards within seconds; fleet tools use gaps of silence of up to three minutes.
constexpr auto kAcross = 3min;
// A board that heat holds back takes less power than its peers for as long as it is hot.
constexpr auto kHeldBack = std::chrono::hours(24);
// Early signs of one family before another's failure on the same board.
constexpr auto kEarlySign = std::chrono::hours(72), kHoles = std::chrono::hours(12);

std::chrono::milliseconds gap(const Sign& s, const Incident& i) {
  if (s.at < i.opened) return i.opened - s.at;
  return s.at > i.last ? s.at - i.last : 0ms;
}

Family family_of(const Sign& s) {
  return EvidenceTable::built_in()[s.what].family;
}

bool has(const Incident& i, Family f) {
  return i.families()[static_cast<std::size_t>(f)];
}

bool has_any(const Incident& i, std::initializer_list<Family> families) {
  return std::ranges::any_of(families, [&](Family f) { return has(i, f); });
}

/// Trouble of a board that takes programs and peers down with it.
bool brings_others_down(const Incident& i) {
  using enum Family;
  return has_any(i, {memory, pcie, nvlink, firmware, power, silence, software});
}

bool may_be_early_sign(Family early, Family late) {
  using enum Family;
  if (early == monitoring) return late == pcie || late == firmware || late == silence || late == power;
  return (early == power && late == pcie) || (early == pcie && late == power) || (early == pcie && late == silence);
}

bool same_board(const Sign& s, const Incident& i) {
  const auto f = family_of(s);
  const auto apart = gap(s, i);
  if (apart <= kCascade) return true;
  if (is_follower(f)) return has(i, f) && !brings_others_down(i) && apart <= std::chrono::hours(24);
  if (has(i, f)) return true;
  if (s.what == evidence("power_odd") && has(i, Family::thermal)) return apart <= kHeldBack;
  for (std::size_t n = 0; n < kFamilies; ++n)
    if (i.families()[n] && may_be_early_sign(static_cast<Family>(n), f))
      return apart <= (static_cast<Family>(n) == Family::monitoring ? std::chrono::milliseconds(kHoles) : kEarlySign);
  return false;
}

bool same_host(const Sign& s, const Incident& i) {
  using enum Family;
  const auto f = family_of(s);
  const auto apart = gap(s, i);
  if (is_follower(f) && apart <= kAcross && has_any(i, {nvlink, power, silence})) return true;
  switch (f) {
    case thermal: return has(i, thermal) && apart <= 30min;
    case power: return has(i, power) && apart <= 30min;
    case nvlink: return has(i, nvlink) && apart <= kAcross;
    case memory: return has(i, nvlink) && apart <= kAcross;  // a link's fault is contained on its peers as Xid 94
    case pcie: return has_any(i, {pcie, silence}) && apart <= 2min;
    case firmware:
    case software: return has_any(i, {firmware, software}) && apart <= 2min;
    case silence:
    case monitoring:
      return has_any(i, {silence, monitoring}) && apart <= 10min && (s.board == BoardId::none || i.find(BoardId::none, s.host));
    case application: return has(i, application) && !brings_others_down(i) && s.job.empty() && apart <= 1min;
    default: return false;
  }
}

bool shares(const Incident& i, const std::string& place, std::string Part::*member) {
  return !place.empty() && std::ranges::any_of(i.parts, [&](const Part& p) { return p.*member == place; });
}

}  // namespace

Relation relation(const Sign& s, const Incident& i) {
  using enum Family;
  const auto f = family_of(s);
  const auto apart = gap(s, i);
  if (i.find(s.board, s.host) && same_board(s, i)) return Relation::board;
  const bool here = shares(i, s.host, &Part::host);
  if (f == nvlink && here && has(i, nvlink) &&
      ((s.nvswitch >= 0 && s.nvswitch == i.nvswitch) || (s.link >= 0 && s.link == i.link && apart <= kAcross)))
    return Relation::link;
  const bool of_job = f == application || f == job || f == nvlink || (f == memory && has(i, nvlink));
  if (of_job && shares(i, s.job, &Part::job) && apart <= kAcross && (has_any(i, {application, job, nvlink}) || brings_others_down(i)))
    return Relation::job;
  if (here && same_host(s, i)) return Relation::host;
  if (shares(i, s.fabric, &Part::fabric) && apart <= kAcross && has(i, nvlink) && (f == nvlink || f == memory || is_follower(f)))
    return Relation::fabric;
  // A feed or rack that is known to fail as a whole takes in the rest of it.
  const bool goes_dark = f == silence || f == power || f == job;
  const bool dark = has_any(i, {silence, power}) && i.hosts().size() > 1;
  if (goes_dark && dark && apart <= 5min && shares(i, s.feed, &Part::feed)) return Relation::feed;
  if (goes_dark && dark && apart <= 5min && shares(i, s.rack, &Part::rack)) return Relation::rack;
  if (f == thermal && has(i, thermal) && i.hosts().size() > 1 && apart <= 60min && shares(i, s.rack, &Part::rack)) return Relation::rack;
  return Relation::none;
}

bool repeats(const Sign& s, const Incident& i) {
  using enum Family;
  const auto f = family_of(s);
  if (!has(i, f) || !i.find(s.board, s.host) || f == job) return false;
  const auto window = [&]() -> std::chrono::milliseconds {
    switch (f) {
      case memory:
      case pcie:
      case test: return std::chrono::days(30);
      case application:
      case software:
      case monitoring:
      case silence: return std::chrono::days(1);
      default: return std::chrono::days(7);
    }
  }();
  return s.at >= i.opened && s.at - i.changed <= window;
}

std::vector<Shared> shared_by(const Sign& s) {
  using enum Family;
  const auto f = family_of(s);
  std::vector<Shared> out;
  const auto add = [&](std::string key, std::size_t hosts, std::chrono::milliseconds within, std::string why) {
    out.push_back({std::move(key), hosts, within, std::move(why)});
  };
  if (f == thermal && !s.rack.empty()) add("heat@" + s.rack, 3, 60min, fmt::format("hosts of rack {} got hot within an hour", s.rack));
  if (f == silence || f == power) {
    if (!s.feed.empty()) add("dark@feed " + s.feed, 2, 5min, fmt::format("hosts on power feed {} failed within five minutes", s.feed));
    if (!s.rack.empty()) add("dark@rack " + s.rack, 2, 5min, fmt::format("hosts of rack {} failed within five minutes", s.rack));
  }
  if (s.code != 0 && (f == firmware || f == software || f == application))
    add(fmt::format("code {} {}", to_string(s.kind), s.code), 4, kAcross,
        fmt::format("{} {} on four hosts or more within three minutes", s.kind == CodeKind::xid ? "Xid" : "code", s.code));
  return out;
}

}  // namespace ghm::faults
