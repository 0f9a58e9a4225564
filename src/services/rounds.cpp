#include "services/rounds.h"

#include <algorithm>

#include "domain/health/board_moments.h"
#include "domain/health/stable_hour.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

using health::Of;
using telemetry::MetricId;

constexpr auto kQuarter = 15min;
constexpr int kMostQuarters = 8;  // at once; a board that missed more begins anew

MetricId id_of(std::string_view metric) {
  const auto* spec = metric.empty() ? nullptr : telemetry::MetricCatalogue::built_in().by_name(metric);
  return spec == nullptr ? MetricId::none : spec->id;
}

// From a score's (from, to] to the store's from <= at < to.
TimeRange readings_of(Timestamp from, Timestamp to) {
  return {from + 1ms, to + 1ms};
}

/// A quarter's readings of a board.
struct Readings {
  std::array<health::Series, health::kMetricInputs> metrics, others;  // others: of the metric that does not speak
  std::vector<health::Series> links;
};

/// What is read of the boards of a host, at once.
class HostReadings {
 public:
  HostReadings(std::span<const fleet::Board* const> boards, const RoundWants& wants) : boards_(boards), wants_(wants) {
    for (const auto* board : boards) {
      for (const auto& want : wants)
        for (const auto metric : {want.metric, want.stand_in})
          if (metric != MetricId::none) keys_.push_back({board->id, {}, metric});
      for (int n = 0; n < links_of(*board); ++n)
        keys_.push_back({board->id, {telemetry::Entity::Kind::nvlink, static_cast<std::uint16_t>(n)}, telemetry::field::nvlink_state});
    }
  }
  Result<std::map<fleet::BoardId, Readings>> read(const store::TelemetryStore& telemetry, TimeRange range) const {
    const auto points = telemetry.read_many(keys_, range);
    if (!points) return points.error();
    std::map<fleet::BoardId, Readings> out;
    auto next = points->begin();
    for (const auto* board : boards_) {
      auto& r = out[board->id];
      for (std::size_t i = 0; i < wants_.size(); ++i) {
        if (wants_[i].metric != MetricId::none) r.metrics[i] = to_series(*next++);
        if (wants_[i].stand_in != MetricId::none) r.others[i] = to_series(*next++);
      }
      for (int n = 0; n < links_of(*board); ++n) r.links.push_back(to_series(*next++));
    }
    return out;
  }

 private:
  std::span<const fleet::Board* const> boards_;
  const RoundWants& wants_;
  std::vector<store::SeriesKey> keys_;
};

// Sets apart who speaks; false when somebody else must speak from now on: the one that speaks has a stand-in and is silent, for its
// whole window, or because nobody ever spoke.
bool choose(const health::Recent& recent, const RoundWants& wants, Readings& r) {
  for (std::size_t i = 0; i < r.metrics.size(); ++i) {
    if (wants[i].stand_in == MetricId::none) continue;
    if (recent.by_stand_in[i] != 0) {
      if (!r.metrics[i].empty()) return false;
      std::swap(r.metrics[i], r.others[i]);
    } else if (!r.others[i].empty() && recent.carry.last_at[i] < recent.carry.t - wants[i].silence_s) {
      return false;
    }
  }
  return true;
}

health::BoardMoments moments_of(const health::Recent& recent, const Readings& r) {
  constexpr double kPercent = 100;
  health::BoardMoments m;
  for (std::size_t i = 0; i < r.metrics.size(); ++i) {
    m.metrics[i].readings = r.metrics[i];
    if (static_cast<Of>(i) == Of::activity && recent.by_stand_in[i] != 0) m.metrics[i].divide = kPercent;
  }
  for (const auto& link : r.links) m.links.emplace_back(link);
  return m;
}

}  // namespace

RoundWants wants_of(const health::Profile& profile) {
  const auto needs = health::needs(profile);
  RoundWants wants;
  for (std::size_t i = 0; i < wants.size(); ++i) {
    const auto& spoken = health::spoken(static_cast<Of>(i));
    const auto need = std::ranges::find(needs, spoken.metric, &health::Need::metric);
    if (need != needs.end()) wants[i] = {id_of(spoken.metric), id_of(spoken.otherwise), Seconds(need->window).count()};
  }
  return wants;
}

Timestamp Rounds::time_of(const std::string& host, Timestamp now) {
  std::uint32_t hash = 2166136261u;  // FNV-1a: rounds of a fleet are spread over the quarter, a host's are together
  for (const unsigned char c : host) hash = (hash ^ c) * 16777619u;
  const auto offset = std::chrono::seconds(hash % 900);
  const auto since = (now - offset).time_since_epoch() % std::chrono::milliseconds(kQuarter);
  return now - since;
}

bool Rounds::can_go_on(const fleet::Board& board, Timestamp t) {
  const auto state = states_.find(board.id);
  const bool late = late_.take(board.id);
  if (state == states_.end()) return false;
  const auto gap = t - state->second.t;
  if (!late && state->second.model == board.model && gap > 0ms && gap <= kMostQuarters * kQuarter && gap % kQuarter == 0ms) return true;
  states_.erase(state);
  return false;
}

void Rounds::will_read(std::span<const fleet::Board* const> boards, Timestamp t) {
  for (const auto* board : boards) {
    if (has(*board)) continue;
    late_.take(board->id);
    late_.reading(board->id, t);
  }
}

void Rounds::keep(const fleet::Board& board, SumsFile::Place& place, Timestamp t) {
  if (place.intact()) states_[board.id] = {t, board.model};
  else states_.erase(board.id);
}

void Rounds::begin(const fleet::Board& board, const health::Evidence& evidence, Timestamp t, const Visit& visit) {
  auto place = file_->place(board.id);
  auto sums = health::RunningSums::from(evidence, place);
  visit(board, sums);
  place.write_recent(sums.recent());
  keep(board, place, t);
}

void Rounds::note_score(const fleet::Board& board, Timestamp at, double overall) {
  const auto state = states_.find(board.id);
  if (state == states_.end()) return;
  auto place = file_->place(board.id);
  auto recent = place.read_recent();
  if (!recent) {
    states_.erase(state);
    return;
  }
  health::RunningSums sums(std::move(recent), place);
  sums.note_score(to_unix_seconds(at), overall);
  place.write_newest(sums.recent());
  if (!place.intact()) states_.erase(state);
}

double Rounds::swing_of(const fleet::Board& board, const health::RunningSums& sums, double hour) const {
  const auto from = from_unix_ms(static_cast<std::int64_t>(hour * 1000));
  const std::array keys{store::SeriesKey{board.id, {}, id_of(sums.speaker(Of::temperature))},
                        store::SeriesKey{board.id, {}, id_of(sums.speaker(Of::activity))}};
  const auto points = telemetry_.read_many(keys, {from, from + 1h});
  if (!points) return 0;
  const auto temperature = to_series((*points)[0]), activity = to_series((*points)[1]);
  const health::Metric t{{}, true, temperature},
      a{{}, true, activity, sums.recent().by_stand_in[static_cast<std::size_t>(Of::activity)] != 0 ? 100.0 : 1.0};
  health::HourUnderLoad readings;
  health::for_each_joined(std::array{&t, &a}, hour - 1, hour + health::kHour, [&](double, const auto& v) { readings.add(v[0], v[1]); });
  return readings.swing(Seconds(how_.interval).count());
}

Result<std::vector<const fleet::Board*>> Rounds::go_on(std::span<const fleet::Board* const> boards,
                                                       std::span<const fleet::Board* const> host, Timestamp t, const Visit& visit) {
  auto from = t;
  for (const auto* board : boards) {
    late_.reading(board->id, t);
    from = std::min(from, states_[board->id].t);
  }
  auto readings = HostReadings(host, wants_).read(telemetry_, readings_of(from, t));
  if (!readings) return readings.error();
  std::vector<const fleet::Board*> anew;
  for (const auto* board : boards) {
    auto place = file_->place(board->id);
    auto recent = place.read_recent();
    auto& mine = (*readings)[board->id];
    if (!recent || !choose(*recent, wants_, mine)) {
      states_.erase(board->id);
      anew.push_back(board);
      continue;
    }
    auto moments = moments_of(*recent, mine);
    for (const auto* other : host)
      if (other != board && other->model == board->model)
        moments.peers_clocks.emplace_back((*readings)[other->id].metrics[static_cast<std::size_t>(Of::sm_clock)]);
    moments.skip_until(recent->carry.t);
    health::RunningSums sums(std::move(recent), place);
    const double end = to_unix_seconds(t);
    while (sums.t() < end)
      sums.advance(
          Seconds(how_.interval).count(),
          [&, until = sums.t() + health::kQuarter](health::QuarterReader& reader) {
            moments.until(until, [&](const health::Moment& m) { reader.add(m); });
          },
          [&](double hour) { return swing_of(*board, sums, hour); });
    visit(*board, sums);
    if (t - states_[board->id].t == kQuarter) place.write_newest(sums.recent());
    else place.write_recent(sums.recent());
    keep(*board, place, t);
  }
  return anew;
}

}  // namespace ghm::services
