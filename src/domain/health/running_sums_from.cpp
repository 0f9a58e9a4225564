// Running sums out of a month of readings: what a server does when it starts, when late readings came, or when a board is new.
#include <algorithm>

#include "domain/health/board_moments.h"
#include "domain/health/running_sums.h"

namespace ghm::health {
namespace {

// All days that a round may ask for, and a little more, so that chains of readings have their beginning.
constexpr Number kLookBack = static_cast<Number>(Days::kCount) * kQuartersOfDay + 8;

bool is_chosen(const Evidence& e, const Series& series) {
  for (std::size_t i = 0; i < kMetricInputs; ++i)
    if (e[static_cast<Of>(i)].readings.data() == series.data()) return true;
  return std::ranges::any_of(e.links(), [&](const Metric& link) { return link.readings.data() == series.data(); });
}

BoardMoments moments_of(const Evidence& e) {
  BoardMoments m;
  for (std::size_t i = 0; i < kMetricInputs; ++i) m.metrics[i] = e[static_cast<Of>(i)];
  for (const auto& link : e.links()) m.links.push_back(link.readings);
  for (const auto& [name, series] : e.input().metrics)
    if (series && !is_chosen(e, *series)) m.others.emplace_back(*series);
  for (const auto& peer : e.input().peers)
    if (peer.same_host) m.peers_clocks.push_back(metric(peer.metrics, e.t(), spoken(Of::sm_clock).metric).readings);
  return m;
}

double swing_of_hour(const Evidence& e, double hour) {
  if (hour < hour_of(e.t()) - kDay) return 0;
  HourUnderLoad readings;
  for_each_joined(std::array{&e[Of::temperature], &e[Of::activity]}, hour - 1, hour + kHour, [&](double at, const auto& v) {
    if (hour_of(at) == hour) readings.add(v[0], v[1]);
  });
  return readings.swing(e.input().interval_s);
}

/// Sums from the first quarter on, so that any day is a difference of two. A day that adds nothing differs by exactly nothing.
struct SoFar {
  DaySums sums;
  double corrected_at = 0, uncorrected_at = 0;
  std::array<double, kGrowingForAMonth> grew_at{};

  void add(const Quarter& q) {
    add_sums(sums, q);
    for (std::size_t n = 0; n < kGrowingForAMonth; ++n) grew_at[n] = std::max(grew_at[n], q.grew_at[n]);
    corrected_at = std::max(corrected_at, q.corrected_at);
    uncorrected_at = std::max(uncorrected_at, q.uncorrected_at);
  }
  DaySums since(const SoFar& before, double start) const {
    DaySums d = sums;
    const auto& b = before.sums;
    d.loaded_temperature_sum -= b.loaded_temperature_sum;
    d.joules -= b.joules;
    d.work -= b.work;
    d.busy_clock_sum -= b.busy_clock_sum;
    d.corrected -= b.corrected;
    d.uncorrected -= b.uncorrected;
    d.score_sum -= b.score_sum;
    d.loaded_temperatures -= b.loaded_temperatures;
    d.busy_clocks -= b.busy_clocks;
    d.corrected_readings -= b.corrected_readings;
    d.uncorrected_readings -= b.uncorrected_readings;
    d.scores -= b.scores;
    for (std::size_t n = 0; n < kGrowingForAMonth; ++n) {
      d.growth[n] -= b.growth[n];
      if (grew_at[n] > start) d.growth_ms[n] = static_cast<std::uint32_t>(std::llround((grew_at[n] - start) * 1000));
    }
    if (corrected_at > start) d.corrected_ms = static_cast<std::uint32_t>(std::llround((corrected_at - start) * 1000));
    if (uncorrected_at > start) d.uncorrected_ms = static_cast<std::uint32_t>(std::llround((uncorrected_at - start) * 1000));
    return d;
  }
};

// so_far[n]: up to the n-th of kLookBack quarters; the last one ends at t.
void write_days(const std::vector<SoFar>& so_far, double t, DayBook& book) {
  const auto newest = number_of(t);
  for (Number time = 0; time < Number{kQuartersOfDay}; ++time) {
    DaysOfTime days{};
    const auto latest = newest - (newest - time) % Number{kQuartersOfDay};
    for (auto n = latest; n > latest - static_cast<Number>(days.size() * kQuartersOfDay); n -= kQuartersOfDay) {
      const auto place = kLookBack - (newest - n);
      if (place < Number{kQuartersOfDay}) break;
      const double start = t - static_cast<double>(newest - n) * kQuarter - kDay;
      const auto& before = so_far[static_cast<std::size_t>(place) - kQuartersOfDay];
      days[static_cast<std::size_t>(n / Number{kQuartersOfDay}) % days.size()] =
          so_far[static_cast<std::size_t>(place)].since(before, start);
    }
    book.write(static_cast<std::size_t>(time), days);
  }
}

// Earlier scores by quarter, the newest last.
std::vector<Rounds> rounds_by_quarter(const Input& in) {
  std::vector<Rounds> rounds(kLookBack + 1);
  for (const auto& s : in.previous_scores) {
    const double ago = std::floor((in.t - s.at) / kQuarter);
    if (s.at < in.t && ago < kLookBack) rounds[static_cast<std::size_t>(kLookBack - static_cast<Number>(ago))].add(s.value);
  }
  return rounds;
}

}  // namespace

RunningSums RunningSums::from(const Evidence& e, DayBook& book) {
  auto recent = std::make_unique<Recent>();
  for (std::size_t i = 0; i <= kMetricInputs; ++i) recent->listed[i] = e.listed(static_cast<Of>(i));
  for (std::size_t i = 0; i < kMetricInputs; ++i) {
    const auto& names = spoken(static_cast<Of>(i));
    recent->by_stand_in[i] = !names.otherwise.empty() && e[static_cast<Of>(i)].name == names.otherwise;
  }
  recent->carry.t = e.t() - static_cast<double>(kLookBack) * kQuarter;
  auto moments = moments_of(e);
  moments.skip_until(recent->carry.t);
  const auto rounds = rounds_by_quarter(e.input());
  std::vector<SoFar> so_far(1);
  so_far.reserve(kLookBack + 1);
  for (Number n = 1; n <= kLookBack; ++n) {
    QuarterReader reader(recent->carry, e.input().interval_s);
    const double end = n == kLookBack ? e.t() : recent->carry.t;
    moments.until(end, [&](const Moment& m) { reader.add(m); });
    auto quarter = reader.finish([&](double hour) { return swing_of_hour(e, hour); });
    quarter.score_sum = rounds[static_cast<std::size_t>(n)].sum;
    quarter.scores = static_cast<std::uint16_t>(rounds[static_cast<std::size_t>(n)].count);
    const auto number = number_of(recent->carry.t);
    recent->quarters[static_cast<std::size_t>(number % Number{kQuartersOfDay})] = quarter;
    recent->minutes[static_cast<std::size_t>(number % static_cast<Number>(recent->minutes.size()))] = quarter.minutes;
    recent->hours[static_cast<std::size_t>(number % static_cast<Number>(recent->hours.size()))] = quarter.hours;
    so_far.push_back(so_far.back());
    so_far.back().add(quarter);
    so_far.back().sums.power_day = power_day(recent->carry);
  }
  write_days(so_far, e.t(), book);
  return {std::move(recent), book};
}

}  // namespace ghm::health
