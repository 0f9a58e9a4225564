#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <type_traits>

#include "domain/health/inputs.h"
#include "domain/health/stable_hour.h"

/// A board's readings of one quarter of an hour, as the numbers that rules need: rounds lie a quarter apart, so that every window
/// of a round is whole quarters, and every day of one a window of a round before. Plain data: it lies in a file.
namespace ghm::health {

inline constexpr double kQuarter = 900;  // s
inline constexpr std::size_t kQuartersOfDay = 96;

/// Episodes of which readings lie in the quarter.
struct QuarterEpisodes {
  std::uint16_t starts = 0;
  bool any = false, continues = false;  // continues: the first reading is not its episode's first
  double first_at = 0, last_at = 0;     // of such a reading; of the last that began an episode, or (throttling) the last at all
};

/// Counters of which a day's or a month's growth is asked for, and no more.
inline constexpr std::array kGrowing{Of::remapped_corrected, Of::remapped_uncorrected, Of::pcie_replays, Of::nvlink_crc,
                                     Of::nvlink_replays};
inline constexpr std::size_t kGrowingForAMonth = 2;  // the first of them

struct Quarter {
  std::array<std::uint16_t, kMetricInputs + 1> readings{};  // per input; of the links, times at which any was read
  QuarterEpisodes throttling;
  /// Of a power limit beyond design: below the default limit, slower than the peers, either.
  std::array<QuarterEpisodes, 3> limited;
  double temperature_sum = 0, loaded_temperature_sum = 0, fan_lowest = 0;
  double joules = 0, work = 0, busy_clock_sum = 0;
  std::array<double, kGrowing.size()> growth{}, grew_at{};
  double corrected = 0, uncorrected = 0;        // growth
  double corrected_at = 0, uncorrected_at = 0;  // when it grew last; 0: it did not
  double spiked_at = 0, slow_clock_at = 0, slow_generation_at = 0;
  double score_sum = 0;  // of earlier rounds, as the history of scores has them
  std::uint16_t scores = 0;
  std::uint16_t loaded_temperatures = 0, busy_clocks = 0, spikes = 0;
  std::uint16_t clocks = 0, slow_clocks = 0, generations = 0, slow_generations = 0;  // under load
  std::uint8_t hours = 0;  // kErrors, kBrake: in the UTC hour in which the quarter begins; shifted by one: in the next
  static constexpr std::uint8_t kErrors = 1, kBrake = 4;
  std::uint16_t minutes = 0;  // bit n: minute n of the quarter was reported
};

/// What a day came to, of what more than one day is asked for.
struct DaySums {
  PowerDay power_day;  // the 24 UTC hours before the hour in which the day ends
  std::array<double, kGrowingForAMonth> growth{};
  std::array<std::uint32_t, kGrowingForAMonth> growth_ms{};
  double loaded_temperature_sum = 0, joules = 0, work = 0, busy_clock_sum = 0;
  double corrected = 0, uncorrected = 0, score_sum = 0;
  std::uint32_t corrected_ms = 0, uncorrected_ms = 0;  // when it grew last, after the day's start; 0: it did not
  std::uint32_t loaded_temperatures = 0, busy_clocks = 0;
  std::uint32_t corrected_readings = 0, uncorrected_readings = 0;
  std::uint32_t scores = 0, unused = 0;
};

/// A quarter's sums and counts go into the day; when something grew last is left to the caller.
void add_sums(DaySums& day, const Quarter& quarter);

/// One instant of a board: what was read then.
struct Moment {
  double at = 0;
  std::array<double, kMetricInputs> values;  // by Of; absent() where there is none
  bool has_links = false;
  double links_up = 0;
  double peers_clock;  // median SM clock of the peers on the host; absent() where none is known

  bool has(Of of) const { return values[static_cast<std::size_t>(of)] == values[static_cast<std::size_t>(of)]; }
  double operator[](Of of) const { return values[static_cast<std::size_t>(of)]; }
};

/// A chain of readings with a condition.
struct Chain {
  double last_at = -1e300;
  bool is_latest = false;  // no other reading of the metric came after it
  std::array<bool, 3> counted{};
};
struct PowerHourOf {
  double hour = -1;
  PowerHour sums;
};
struct HourSoFar {
  double hour = -1, lowest = 0, highest = 0;
  bool all_loaded = true;
};
/// What goes over from one quarter to the next.
struct Carry {
  double t = 0;  // the end of the last quarter
  std::array<double, kMetricInputs> last_at{}, last_value{};
  double links_at = 0, links_up = 0;
  Last width, most_width;
  double first_corrected_at = 0;
  double last_any_at = -1e300;
  double power_at = -1e300, power = 0, power_activity = 0, power_clock = 0;
  double energy_at = -1e300, energy = 0, energy_activity = 0;
  Chain throttling, limited;
  HourSoFar hour;
  std::array<PowerHourOf, 32> power_hours{};  // by hour, modulo: the last 24 whole ones and that of t are there
  double brake_at = 0;
  std::array<double, kSwingHours> swing_hour{}, swing{};  // by hour, modulo
  double scored_quarter = 0, score_sum = 0, scores = 0;   // rounds of the newest quarter of the clock
};

/// What HourUnderLoad::swing() says of the UTC hour that begins at `hour`.
using SwingOf = std::function<double(double hour)>;

/// Of the 24 whole UTC hours before the hour of carry.t.
PowerDay power_day(const Carry& carry);

/// Reads a quarter, moment by moment.
class QuarterReader {
 public:
  /// The quarter after the last one of `carry`, which goes on with it.
  QuarterReader(Carry& carry, double interval_s);
  /// Times rise, (carry.t, carry.t + 15 min].
  void add(const Moment& now);
  /// `swing_of` is asked only for hours under load whose extremes lie that far apart.
  Quarter finish(const SwingOf& swing_of);

 private:
  void count(const Moment& now);
  void count_throttling(const Moment& now);
  void count_limited(const Moment& now);
  void count_temperature(const Moment& now);
  void count_errors(const Moment& now);
  void note_hour(double at, std::uint8_t what);
  void count_power(const Moment& now);
  void count_clocks(const Moment& now);
  void report_minutes_before(double at);
  void end_hour();

  Carry& carry_;
  double interval_, start_;
  int minute_ = 0;  // the next that is not decided
  Quarter quarter_;
  std::vector<HourSoFar> ended_;
};

static_assert(std::is_trivially_copyable_v<Quarter> && std::is_trivially_copyable_v<DaySums> && std::is_trivially_copyable_v<Carry>);

}  // namespace ghm::health
