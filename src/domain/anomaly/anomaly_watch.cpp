// Peers are compared by residuals that leave out what a board cannot help. Air is the same for all boards of a host, so a
// difference of temperatures is free of it; what is left of the difference after both boards' watts times the group's °C per
// watt is the cooler's own resistance. Divided by the rise that the watts explain it is a pure number of the board: it does not change
// with load, job or season, and is what detectors look at. Cost: three sorts of a host's boards a minute.
#include "domain/anomaly/anomaly_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace ghm::anomaly {
namespace {

constexpr std::chrono::milliseconds kMinute{57'500};  // a page that is a little early ends its minute too
constexpr std::chrono::minutes kShortestGap{3};
constexpr double kLeastRise = 20;    // °C explained by the watts: below, whole degrees are too much of a residual
constexpr double kMostDoubt = 2;     // °C: beyond, a warm board may be a wrong line
constexpr double kReference = 0.8;   // of the power limit
constexpr double kAlike = 10;        // percent of utilisation
constexpr double kUsualLimit = 700;  // W
constexpr std::size_t kLeastOfHost = 3, kLeastPeers = 3;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

constexpr std::size_t at(Input i) {
  return static_cast<std::size_t>(i);
}

constexpr double least_sigma_of_peers(Input input) {
  for (const auto& c : kChecks)
    if (c.detector == Detector::peer_residual && c.input == input) return c.least_sigma;
  return 1;
}

}  // namespace

std::size_t AnomalyWatch::group_of(const std::string& model) {
  for (std::size_t g = 0; g < groups_.size(); ++g)
    if (groups_[g].model == model) return g;
  groups_.push_back({.model = model});
  if (exchange_ != nullptr && !rack_.empty()) groups_.back().rack = exchange_->group("rack\n" + rack_ + "\n" + model);
  return groups_.size() - 1;
}

void AnomalyWatch::seat(std::vector<Seat> seats) {
  std::vector<Board> boards(seats.size());
  std::vector<Sums> sums(seats.size());
  std::vector<bool> stays(seats_.size());
  jobs_.clear();
  for (std::size_t s = 0; s < seats.size(); ++s) {
    const auto before = std::ranges::find(seats_, seats[s].board, &Seat::board);
    if (seats[s].board != BoardId::none && before != seats_.end()) {
      const auto old = static_cast<std::size_t>(before - seats_.begin());
      boards[s] = std::move(boards_[old]);
      sums[s] = sums_[old];
      stays[old] = true;
    }
    boards[s].group = group_of(seats[s].model);
    boards[s].job = job_of(seats[s].job, boards[s].group);
  }
  for (std::size_t old = 0; old < seats_.size(); ++old)
    for (std::size_t c = 0; c < kChecks.size() && !stays[old]; ++c) on_closed(old, c, left_);
  seats_ = std::move(seats);
  boards_ = std::move(boards);
  sums_ = std::move(sums);
  for (std::size_t g = 0; g < groups_.size(); ++g)
    if (std::ranges::none_of(boards_, [&](const Board& b) { return b.group == g; })) leave(groups_[g]);
}

// The last board of a model went: what the host had as one of them is over.
void AnomalyWatch::leave(Group& group) {
  for (std::size_t i = 0; i < kHostChecks.size(); ++i)
    if (std::exchange(group.states[i], {}).is_open()) close(BoardId::none, kChecks.size() + i, left_);
  group.scores.fill(std::nullopt);
}

void AnomalyWatch::rearm(Timestamp now) {
  for (auto& b : boards_) b.watch.rearm(now);
  for (auto& s : sums_) s = {};
}

bool AnomalyWatch::page(Timestamp now, std::span<const double> values, std::chrono::milliseconds interval) {
  const auto since = now - last_page_;
  if (last_page_ == Timestamp{}) {
    last_minute_ = now;
  } else if (since > std::max<std::chrono::milliseconds>(3 * interval, kShortestGap) || since < 0ms) {
    ++counts_.gaps;
    rearm(now);
    last_minute_ = now;
  }
  last_page_ = now;
  for (std::size_t s = 0; s < seats_.size(); ++s)
    for (std::size_t g = 0; g < kGauges; ++g) {
      const auto column = seats_[s].columns.column[g];
      if (column < 0) continue;
      const double v = values[static_cast<std::size_t>(column)];
      if (!(v == v)) continue;
      sums_[s].sum[g] += v;
      ++sums_[s].count[g];
    }
  return now - last_minute_ >= kMinute;
}

void AnomalyWatch::gather(std::size_t seat, std::span<const double> values) {
  const auto& columns = seats_[seat].columns;
  auto& out = minutes_[seat].slots;
  auto& sums = sums_[seat];
  for (std::size_t g = 0; g < kGauges; ++g) out[g] = sums.count[g] == 0 ? kNone : sums.sum[g] / sums.count[g];
  sums = {};
  for (std::size_t i = kGauges; i < kSlots; ++i)
    out[i] = columns.column[i] < 0 ? kNone : values[static_cast<std::size_t>(columns.column[i])] / watched_metrics()[i].divide;
  const auto sum = [&](const std::vector<std::uint32_t>& of) {
    double n = 0;
    for (const auto column : of)
      if (const double v = values[column]; v == v) n += v;
    return n;
  };
  if (!columns.links_up.empty()) out[index_of(Slot::links_up)] = sum(columns.links_up);
  if (!columns.link_replays.empty()) out[index_of(Slot::nvlink_replays)] = sum(columns.link_replays);
}

std::vector<AnomalyChange> AnomalyWatch::minute(Timestamp now, std::span<const double> values, const std::vector<bool>& away) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(now - last_minute_).count();
  last_minute_ = now;
  auto out = std::exchange(left_, {});
  minutes_.resize(seats_.size());
  for (std::size_t s = 0; s < seats_.size(); ++s) {
    auto& b = boards_[s];
    gather(s, values);
    minutes_[s].inputs.fill(kNone);
    b.here = !away[s] && seats_[s].board != BoardId::none;
    if (away[s]) b.watch.rearm(now);
    if (b.here) b.watch.smooth(minutes_[s], minutes, now);
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) compare_peers(g, minutes, now);
  for (std::size_t s = 0; s < seats_.size(); ++s)
    if (boards_[s].here) judge(s, now, out);
  for (auto& g : groups_) judge_host(g, now, out);
  std::vector<BoardMinute>().swap(minutes_);  // ten thousand boards need not keep theirs
  return out;
}

void AnomalyWatch::compare_peers(std::size_t group, double minutes, Timestamp now) {
  members_.clear();
  for (std::size_t s = 0; s < boards_.size(); ++s) {
    const auto& w = boards_[s].watch;
    const double sum = w.smoothed(Slot::gpu_temp) + w.smoothed(Slot::power);
    if (boards_[s].here && boards_[s].group == group && !std::isnan(sum)) members_.push_back(s);
  }
  groups_[group].scores.fill(std::nullopt);
  if (members_.empty()) return;
  compare_warmth(groups_[group].warmth, minutes);
  compare_errors(group, now);
  if (exchange_ != nullptr) {
    note_room(group, now);
    if (members_.size() <= kLeastPeers) compare_far(group, now);
    else compare_host(group, now);
    tell_peers(group, now);
  }
  if (members_.size() <= kLeastPeers) return;
  compare_memory();
  compare_alike(Input::relative_power, Slot::power, now);
  compare_alike(Input::relative_clock, Slot::sm_clock, now);
  for (const auto input : {Input::relative_warmth, Input::relative_power, Input::relative_clock}) score(input);
}

PeerMedians& AnomalyWatch::medians_of(Slot slot) {
  scratch_.clear();
  for (const auto s : members_) scratch_.push_back(boards_[s].watch.smoothed(slot));
  medians_.take(scratch_);
  return medians_;
}

void AnomalyWatch::compare_warmth(WarmthPerWatt& warmth, double minutes) {
  const double limit = minutes_[members_.front()].slots[index_of(Slot::power_limit)], usual = limit > 0 ? limit : kUsualLimit;
  auto& m = medians_of(Slot::power);
  const double watts = m.median();
  others_.clear();
  for (const double w : scratch_) others_.push_back(m.of_others(w));
  medians_of(Slot::gpu_temp);
  warmth.take(watts, m.median(), minutes, usual);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto& b = boards_[members_[i]];
    const double w = b.watch.smoothed(Slot::power), c = scratch_[i], rise = warmth.slope() * w;
    if (b.warmth.doubt(w) <= kMostDoubt) minutes_[members_[i]].inputs[at(Input::warmth)] = c - b.warmth.slope() * (w - kReference * usual);
    b.warmth.take(w, c, minutes, usual);
    if (members_.size() > kLeastPeers && rise >= kLeastRise)
      minutes_[members_[i]].inputs[at(Input::relative_warmth)] = 100 * (c - m.of_others(c) - warmth.slope() * (w - others_[i])) / rise;
  }
}

void AnomalyWatch::compare_memory() {
  scratch_.clear();
  for (const auto s : members_) {
    const double above = boards_[s].watch.smoothed(Slot::memory_temp) - boards_[s].watch.smoothed(Slot::gpu_temp);
    if (std::isnan(above)) return;
    scratch_.push_back(above);
  }
  medians_.take(scratch_);
  for (std::size_t i = 0; i < members_.size(); ++i)
    minutes_[members_[i]].inputs[at(Input::relative_memory)] = scratch_[i] - medians_.of_others(scratch_[i]);
  for (const auto s : members_) minutes_[s].against[at(Input::relative_memory)] = Peers::host;
}

// Only boards that are as busy as the middle one, and do work.
void AnomalyWatch::compare_alike(Input input, Slot slot, Timestamp now) {
  const double util = medians_of(Slot::gpu_util).median();
  alike_.clear();
  scratch_.clear();
  for (const auto s : members_) {
    const auto& w = boards_[s].watch;
    if (!is_working(s, now) || !(std::fabs(w.smoothed(Slot::gpu_util) - util) <= kAlike) || !(w.smoothed(slot) > 0)) continue;
    alike_.push_back(s);
    scratch_.push_back(w.smoothed(slot));
  }
  if (alike_.size() <= kLeastPeers) return;
  medians_.take(scratch_);
  for (std::size_t i = 0; i < alike_.size(); ++i)
    minutes_[alike_[i]].inputs[at(input)] = 100 * (scratch_[i] / medians_.of_others(scratch_[i]) - 1);
}

void AnomalyWatch::score(Input input) {
  scratch_.clear();
  for (const auto s : members_)
    if (const double x = minutes_[s].inputs[at(input)]; !std::isnan(x)) scratch_.push_back(x);
  medians_.take(scratch_);
  for (const auto s : members_) {
    auto& minute = minutes_[s];
    const double x = minute.inputs[at(input)];
    minute.against[at(input)] = Peers::host;
    if (!std::isnan(x)) minute.peers[at(input)] = peer_residual(medians_, x, least_sigma_of_peers(input));
  }
}

// ---- what becomes of it

void AnomalyWatch::judge(std::size_t seat, Timestamp now, std::vector<AnomalyChange>& out) {
  auto& b = boards_[seat];
  ++counts_.minutes;
  for (std::size_t c = 0; c < kChecks.size(); ++c) {
    Score score;
    switch (b.watch.judge(c, minutes_[seat], now, score)) {
      case Hysteresis::Change::opened: on_opened(seat, c, score, now, out); break;
      case Hysteresis::Change::closed: on_closed(seat, c, out); break;
      case Hysteresis::Change::none: update(seat, c, score, now); break;
    }
  }
}

// Boards that come a minute later count already: they are up, if not open.
std::size_t AnomalyWatch::boards_up(std::size_t check) const {
  return static_cast<std::size_t>(std::ranges::count_if(boards_, [&](const Board& b) { return b.watch.state(check).is_up(); }));
}

void AnomalyWatch::on_opened(std::size_t seat, std::size_t check, const Score& score, Timestamp now, std::vector<AnomalyChange>& out) {
  const Check& c = kChecks[check];
  const auto up = boards_up(check);
  const bool of_host = 2 * up > boards_.size() && (up >= kLeastOfHost || (up == boards_.size() && up > 1));
  auto& b = boards_[seat];
  (of_host ? b.of_host : b.told).set(check);
  const auto board = of_host ? BoardId::none : seats_[seat].board;
  if (find_open(board, check) != open_.end() || (of_host && host_is_told(watched(c.slot).fields[0]))) return;
  const auto since = b.watch.state(check).since();
  const auto peers = minutes_[seat].against[at(c.input)];
  auto sentence = sentence_of(c, score, peers, since, now);
  if (of_host)
    sentence = fmt::format("{} of {} boards at once, so air, power or the host rather than a board; one of them: {}", up, boards_.size(),
                           sentence);
  Anomaly a{board, watched(c.slot).fields[0], c.detector, c.severity, since, score.value, score.expected, score.sigma, score.z, c.unit,
            peers, std::move(sentence)};
  out.push_back({true, a});
  open_.push_back({board, check, std::move(a)});
}

void AnomalyWatch::on_closed(std::size_t seat, std::size_t check, std::vector<AnomalyChange>& out) {
  auto& b = boards_[seat];
  if (b.told[check]) close(seats_[seat].board, check, out);
  b.told.reset(check);
  if (!b.of_host[check]) return;
  b.of_host.reset(check);
  if (std::ranges::none_of(boards_, [&](const Board& other) { return other.of_host[check]; })) close(BoardId::none, check, out);
}

void AnomalyWatch::update(std::size_t seat, std::size_t check, const Score& score, Timestamp now) {
  if (!boards_[seat].told[check] || score.sigma == 0) return;
  const auto it = find_open(seats_[seat].board, check);
  if (it == open_.end()) return;
  auto& a = it->anomaly;
  a.value = score.value, a.expected = score.expected, a.sigma = score.sigma, a.z = score.z;
  a.sentence = sentence_of(kChecks[check], score, a.peers, a.since, now);
}

std::vector<AnomalyWatch::Open>::iterator AnomalyWatch::find_open(BoardId board, std::size_t check) {
  return std::ranges::find_if(open_, [&](const Open& o) { return o.board == board && o.check == check; });
}

void AnomalyWatch::close(BoardId board, std::size_t check, std::vector<AnomalyChange>& out) {
  const auto it = find_open(board, check);
  if (it == open_.end()) return;
  out.push_back({false, std::move(it->anomaly)});
  open_.erase(it);
}

std::vector<Anomaly> AnomalyWatch::open() const {
  std::vector<Anomaly> out;
  for (const auto& o : open_) out.push_back(o.anomaly);
  return out;
}

// ---- after a restart

namespace {

template <std::size_t N>
std::optional<std::size_t> check_of(const std::array<Check, N>& checks, const Anomaly& a) {
  const auto is_it = [&](const Check& c) { return c.detector == a.detector && watched(c.slot).fields[0] == a.metric; };
  const auto found = std::ranges::find_if(checks, is_it);
  return found == checks.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - checks.begin()));
}

}  // namespace

void AnomalyWatch::reopen(const std::vector<Anomaly>& anomalies) {
  for (const auto& a : anomalies) {
    if (a.board == BoardId::none && reopen_host(a)) continue;
    if (const auto check = check_of(kChecks, a); check && find_open(a.board, *check) == open_.end()) reopen_boards(a, *check);
  }
}

// The host as one was compared with others beyond it.
bool AnomalyWatch::reopen_host(const Anomaly& a) {
  const auto check = check_of(kHostChecks, a);
  if (!check || groups_.empty() || (a.peers != Peers::rack && a.peers != Peers::job)) return false;
  groups_.front().states[*check].reopen(a.since);
  open_.push_back({BoardId::none, kChecks.size() + *check, a});
  open_.back().anomaly.unit = kHostChecks[*check].unit;
  return true;
}

// Which of the host's boards had what most of them had is not known any more: those that have it not will say so soon.
void AnomalyWatch::reopen_boards(const Anomaly& a, std::size_t check) {
  const bool of_host = a.board == BoardId::none;
  bool seated = false;
  for (std::size_t s = 0; s < seats_.size(); ++s) {
    if (!of_host && seats_[s].board != a.board) continue;
    seated = true;
    boards_[s].watch.reopen(check, a.since, {a.value, a.expected, a.sigma, a.z});
    (of_host ? boards_[s].of_host : boards_[s].told).set(check);
  }
  if (!seated) return;
  open_.push_back({a.board, check, a});
  open_.back().anomaly.unit = kChecks[check].unit;
}

}  // namespace ghm::anomaly
