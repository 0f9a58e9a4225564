// Peers beyond the host (peer_group.h). A rack shares air, so its hosts may be compared in temperature, at the same watts, but not in
// clocks and power: another job is another clock, as busy as it may look. Hosts of one job share work wherever they stand, so they may be
// compared in clocks and power, but not in temperature: their rooms differ. A board looks
// there when its host alone has too few of its model, and a whole host is compared as one: what its boards share they cannot see in each
// other. What all hosts around have too is nobody's fault. Cost: some sorts of eight numbers a host and minute.
#include <fmt/format.h>

#include <algorithm>

#include "domain/anomaly/anomaly_watch.h"

namespace ghm::anomaly {
namespace {

constexpr double kAlike = 10;           // percent of utilisation
constexpr double kAlikeWatts = 0.25;    // of the power limit: beyond, the slope's own error is too much of a residual
constexpr double kLeastRise = 20;       // °C explained by the watts
constexpr double kWorking = 0.35;       // of the power limit
constexpr double kUsualLimit = 700;     // W
constexpr std::size_t kLeastPeers = 3;  // boards: two cannot outvote one
constexpr std::size_t kLeastHosts = 2;
constexpr double kRateMemory = 6;  // hours
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr std::size_t at(Input i) {
  return static_cast<std::size_t>(i);
}

constexpr const Check& peer_check(Input input) {
  for (const auto& c : kChecks)
    if (c.detector == Detector::peer_residual && c.input == input) return c;
  return kChecks[0];
}

constexpr double least_sigma_of(Input input) {
  return input == Input::relative_memory ? 1 : peer_check(input).least_sigma;
}

}  // namespace

void AnomalyWatch::stand(std::shared_ptr<PeerExchange> exchange, const std::string& rack) {
  if (exchange == exchange_ && rack == rack_) return;
  if (exchange != exchange_) host_ = exchange == nullptr ? 0 : exchange->new_host();
  exchange_ = std::move(exchange);
  rack_ = rack;
  for (auto& g : groups_) g.rack = exchange_ != nullptr && !rack_.empty() ? exchange_->group("rack\n" + rack_ + "\n" + g.model) : nullptr;
}

std::size_t AnomalyWatch::job_of(const std::string& job, std::size_t group) {
  if (job.empty() || exchange_ == nullptr) return kNoJob;
  for (std::size_t j = 0; j < jobs_.size(); ++j)
    if (jobs_[j].name == job && jobs_[j].group == group) return j;
  jobs_.push_back({job, group, exchange_->group("job\n" + job + "\n" + groups_[group].model)});
  return jobs_.size() - 1;
}

double AnomalyWatch::limit_of(std::size_t seat) const {
  const double limit = minutes_[seat].slots[index_of(Slot::power_limit)];
  return limit > 0 ? limit : kUsualLimit;
}

// A clock or a power of another load says nothing about the board, and near idle power is what a board draws at rest, which differs by a
// quarter.
bool AnomalyWatch::is_working(std::size_t seat, Timestamp now) const {
  const auto& w = boards_[seat].watch;
  return w.is_busy(now) && w.smoothed(Slot::power) >= kWorking * limit_of(seat);
}

// ---- what is told

template <class Number>
float AnomalyWatch::median_of(Number number) {
  scratch_.clear();
  for (const auto s : alike_)
    if (const double x = number(s); !std::isnan(x)) scratch_.push_back(x);
  medians_.take(scratch_);
  return scratch_.empty() ? PeerFigures::kNone : static_cast<float>(medians_.median());
}

template <class Belongs>
PeerFigures AnomalyWatch::figures(Timestamp now, Belongs belongs) {
  PeerFigures f;
  f.at = now;
  alike_.clear();
  for (const auto s : members_)
    if (belongs(s)) alike_.push_back(s);
  f.boards = static_cast<std::uint32_t>(alike_.size());
  for (std::size_t r = 0; r < kErrorRates; ++r) f.rates[r] = median_of([&](std::size_t s) { return boards_[s].watch.errors_per_hour(r); });
  f.excess = median_of([&](std::size_t s) { return boards_[s].watch.excess(); });
  std::erase_if(alike_, [&](std::size_t s) { return !is_working(s, now); });
  f.working = static_cast<std::uint32_t>(alike_.size());
  const auto smoothed = [&](Slot slot) { return median_of([&](std::size_t s) { return boards_[s].watch.smoothed(slot); }); };
  f.watts = smoothed(Slot::power);
  f.celsius = smoothed(Slot::gpu_temp);
  f.util = smoothed(Slot::gpu_util);
  f.clock = smoothed(Slot::sm_clock);
  f.memory_above =
      median_of([&](std::size_t s) { return boards_[s].watch.smoothed(Slot::memory_temp) - boards_[s].watch.smoothed(Slot::gpu_temp); });
  return f;
}

void AnomalyWatch::tell_peers(std::size_t group, Timestamp now) {
  if (const auto& rack = groups_[group].rack; rack != nullptr) rack->tell(host_, figures(now, [](std::size_t) { return true; }));
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (jobs_[j].group != group) continue;
    const auto mine = figures(now, [&](std::size_t s) { return boards_[s].job == j; });
    if (mine.boards > 0) jobs_[j].peers->tell(host_, mine);
  }
}

// ---- what is heard

void AnomalyWatch::hear(const std::shared_ptr<PeerGroup>& peers, Timestamp now) {
  heard_.clear();
  if (peers != nullptr) peers->others(host_, now, heard_);
}

// number: of one host; NaN leaves it out.
template <class Number>
std::optional<AnomalyWatch::Around> AnomalyWatch::around(Number number) {
  scratch_.clear();
  std::size_t boards = 0;
  for (const auto& f : heard_)
    if (const double x = number(f); !std::isnan(x)) {
      scratch_.push_back(x);
      boards += f.working > 0 ? f.working : f.boards;
    }
  if (scratch_.size() < kLeastHosts || boards < kLeastPeers) return std::nullopt;
  medians_.take(scratch_);
  return Around{medians_.median(), medians_.spread()};
}

void AnomalyWatch::set_input(std::size_t seat, Input input, double x, double sigma, Peers with) {
  auto& minute = minutes_[seat];
  sigma = std::max(sigma, least_sigma_of(input));
  minute.inputs[at(input)] = x;
  minute.peers[at(input)] = Score{x, 0, sigma, x / sigma};
  minute.against[at(input)] = with;
}

void AnomalyWatch::note_room(std::size_t group, Timestamp now) {
  hear(groups_[group].rack, now);
  const auto excess = around([](const PeerFigures& f) { return static_cast<double>(f.excess); });
  for (const auto s : members_) minutes_[s].room = excess ? std::max(0.0, excess->middle) : 0;
}

// ---- boards

void AnomalyWatch::compare_far_warmth(std::size_t group, Timestamp now) {
  hear(groups_[group].rack, now);
  const double slope = groups_[group].warmth.slope();
  for (const auto s : members_) {
    const auto& w = boards_[s].watch;
    const double watts = w.smoothed(Slot::power), rise = slope * watts;
    if (!is_working(s, now) || rise < kLeastRise) continue;
    const auto is_alike = [&](const PeerFigures& f) {
      return std::fabs(static_cast<double>(f.watts) - watts) <= kAlikeWatts * limit_of(s);
    };
    // What the rack's boards would have at these watts.
    const auto warm = around([&](const PeerFigures& f) { return is_alike(f) ? f.celsius + slope * (watts - f.watts) : kNone; });
    if (warm)
      set_input(s, Input::relative_warmth, 100 * (w.smoothed(Slot::gpu_temp) - warm->middle) / rise, 100 * warm->spread / rise,
                Peers::rack);
    const auto memory = around([&](const PeerFigures& f) { return is_alike(f) ? f.memory_above : kNone; });
    const double above = w.smoothed(Slot::memory_temp) - w.smoothed(Slot::gpu_temp);
    if (memory && !std::isnan(above)) set_input(s, Input::relative_memory, above - memory->middle, memory->spread, Peers::rack);
  }
}

void AnomalyWatch::compare_far_alike(std::size_t seat, Input input, Slot slot) {
  const auto& w = boards_[seat].watch;
  const double util = w.smoothed(Slot::gpu_util), own = w.smoothed(slot);
  const auto others = around([&](const PeerFigures& f) {
    return std::fabs(static_cast<double>(f.util) - util) <= kAlike ? (slot == Slot::power ? f.watts : f.clock) : kNone;
  });
  if (others && others->middle > 0 && own > 0)
    set_input(seat, input, 100 * (own / others->middle - 1), 100 * others->spread / others->middle, Peers::job);
}

void AnomalyWatch::compare_far(std::size_t group, Timestamp now) {
  compare_far_warmth(group, now);
  for (const auto s : members_) {
    if (boards_[s].job == kNoJob || !is_working(s, now)) continue;
    hear(jobs_[boards_[s].job].peers, now);
    compare_far_alike(s, Input::relative_power, Slot::power);
    compare_far_alike(s, Input::relative_clock, Slot::sm_clock);
  }
}

// A rate that is known from six hours has an error of its own.
void AnomalyWatch::compare_errors(std::size_t group, Timestamp now) {
  hear(groups_[group].rack, now);
  for (std::size_t r = 0; r < kErrorRates; ++r) {
    const auto input = static_cast<Input>(at(Input::corrected_rate) + r);
    const auto of = [&](std::size_t s) { return boards_[s].watch.errors_per_hour(r); };
    const auto put = [&](std::size_t s, double expected, double spread, Peers with) {
      const double sigma = std::max({spread, least_sigma_of(input), std::sqrt(std::max(expected, 0.0) / (2 * kRateMemory))});
      minutes_[s].inputs[at(input)] = of(s);
      minutes_[s].peers[at(input)] = Score{of(s), expected, sigma, (of(s) - expected) / sigma};
      minutes_[s].against[at(input)] = with;
    };
    if (const auto rack = around([&](const PeerFigures& f) { return static_cast<double>(f.rates[r]); }); rack)
      for (const auto s : members_) put(s, rack->middle, rack->spread, Peers::rack);
    scratch_.clear();
    for (const auto s : members_)
      if (!std::isnan(of(s))) scratch_.push_back(of(s));
    if (scratch_.size() <= kLeastPeers) continue;
    medians_.take(scratch_);
    for (const auto s : members_)
      if (!std::isnan(of(s))) put(s, medians_.of_others(of(s)), medians_.spread(), Peers::host);
  }
}

// ---- the host as one

void AnomalyWatch::compare_host_alike(Group& group, std::size_t check, float PeerFigures::*number, const PeerFigures& own) {
  const auto others =
      around([&](const PeerFigures& f) { return std::fabs(static_cast<double>(f.util - own.util)) <= kAlike ? f.*number : kNone; });
  if (!others || !(others->middle > 0) || own.working < kLeastPeers) return;
  const double value = 100 * (static_cast<double>(own.*number) / others->middle - 1);
  const double sigma = std::max(100 * others->spread / others->middle, kHostChecks[check].least_sigma);
  group.scores[check] = Score{value, 0, sigma, value / sigma};
  group.against[check] = Peers::job;
}

void AnomalyWatch::compare_host(std::size_t g, Timestamp now) {
  auto& group = groups_[g];
  group.scores.fill(std::nullopt);
  if (exchange_ == nullptr || members_.size() <= kLeastPeers) return;
  const auto own = figures(now, [](std::size_t) { return true; });
  if (own.working < kLeastPeers) return;
  hear(group.rack, now);
  const double slope = group.warmth.slope(), watts = own.watts, limit = limit_of(members_.front());
  const auto warm = around([&](const PeerFigures& f) {
    return std::fabs(f.watts - watts) <= kAlikeWatts * limit ? f.celsius + slope * (watts - f.watts) : kNone;
  });
  if (warm && slope * watts >= kLeastRise) {
    const double sigma = std::max(warm->spread, kHostChecks[0].least_sigma);
    group.scores[0] = Score{own.celsius, warm->middle, sigma, (own.celsius - warm->middle) / sigma};
    group.against[0] = Peers::rack;
  }
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (jobs_[j].group != g) continue;
    const auto of_job = figures(now, [&](std::size_t s) { return boards_[s].job == j; });
    hear(jobs_[j].peers, now);
    compare_host_alike(group, 1, &PeerFigures::clock, of_job);
    compare_host_alike(group, 2, &PeerFigures::watts, of_job);
  }
}

bool AnomalyWatch::host_is_told(telemetry::MetricId metric) const {
  return std::ranges::any_of(open_, [&](const Open& o) { return o.board == BoardId::none && o.anomaly.metric == metric; });
}

void AnomalyWatch::judge_host(Group& group, Timestamp now, std::vector<AnomalyChange>& out) {
  for (std::size_t i = 0; i < kHostChecks.size(); ++i) {
    const Check& c = kHostChecks[i];
    auto& state = group.states[i];
    const auto& score = group.scores[i];
    if (!score) {
      state.rearm();
      continue;
    }
    const bool over = is_beyond(c, *score, c.open, c.least_effect);
    const bool under = !over && !is_beyond(c, *score, c.close, c.least_effect / 2);
    const auto place = kChecks.size() + i;
    const auto change = state.take(over, under, now, c.persist, c.calm);
    if (change == Hysteresis::Change::closed) close(BoardId::none, place, out);
    if (change != Hysteresis::Change::opened || host_is_told(watched(c.slot).fields[0])) continue;
    Anomaly a{BoardId::none,    watched(c.slot).fields[0],
              c.detector,       c.severity,
              state.since(),    score->value,
              score->expected,  score->sigma,
              score->z,         c.unit,
              group.against[i], {}};
    a.sentence = "the whole host: " + sentence_of(c, *score, a.peers, a.since, now);
    out.push_back({true, a});
    open_.push_back({BoardId::none, place, std::move(a)});
  }
}

}  // namespace ghm::anomaly
