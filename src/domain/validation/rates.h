#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "domain/telemetry/page.h"
#include "domain/validation/limits.h"

/// How fast may a value change? Physics and link speeds say; what changes faster is `impossible_rate`.
namespace ghm::validation {

/// Of one column. The table of rules stands in rates.cpp, docs/validation.md explains each figure.
struct RateRule {
  enum class Kind : std::uint8_t {
    level,             // may rise and fall, both by no more than the rate
    counter,           // falls only when the driver starts anew
    counter_for_life,  // InfoROM: never falls
  };
  std::uint32_t column = 0;
  Kind kind{};
  bool energy = false;           // field 156: it restarts at the moment at which the driver does, so it is the witness of restarts
  double per_second = kNoLimit;  // canonical unit
  double allowance = 0;          // a step that is always possible
  friend bool operator==(const RateRule&, const RateRule&) = default;
};

/// nullopt: nothing is impossible. `limits`: of the GPU that the series belongs to. `own`: the site's override, or nullptr.
std::optional<RateRule> rate_rule(const telemetry::MetricSpec& spec, const DeviceLimits& limits, const Override* own = nullptr);

/// Could a series go from `from` to `to` in `seconds`? A counter's fall could not: whether it was a restart is the caller's question.
bool possible(const RateRule& rule, double from, double to, double seconds);

/// What a page showed beside refusals, by column or GPU of its layout.
struct RateFindings {
  std::vector<std::uint16_t> restarted;  // GPUs whose driver counters started anew together
  std::vector<std::uint32_t> fell;       // counters for life that are below what they were: refused, until they stay there
  std::vector<std::uint32_t> settled;    // columns whose new level is believed now, after kConfirmations refusals
};

/// The memory that rates need, of one source. Only changed values count. An exporter repeats what it has cached, so the
/// time between two readings is not the time between two scrapes: it is at most the time since the older value was not
/// yet there, and at most the time since it was last there plus the source's learnt refresh period. The larger bound is
/// never used, so that nothing true is refused.
///
/// A refused value does not become the measure of the next. If kConfirmations refused ones in a row agree with each
/// other, a refresh period apart at least, the next of them is believed: then the value before was the liar.
/// One owner. ~1 ns for an unchanged column that has a rule, ~10 ns for a changed one.
class RateMemory {
 public:
  static constexpr int kConfirmations = 3;

  /// A new layout (or other boards behind it): what was known of a series is kept. `keys`: one per column of the layout,
  /// board `none` where nobody owns it. O(rules).
  void adopt(const std::vector<RateRule>& rules, std::span<const telemetry::SeriesKey> keys);

  /// After believe(). Sets what cannot be to absent and appends its refusal; the result is valid until the next call.
  const RateFindings& check(telemetry::PageReading& reading, Timestamp now);

  /// How often the source has something new; 0 until that is known.
  std::chrono::milliseconds refresh_period() const { return std::chrono::milliseconds(static_cast<std::int64_t>(period_)); }

 private:
  struct Past {               // times in ms
    std::int64_t before = 0;  // the last value was not there yet
    std::int64_t gone = 0;    // it was there last, and another (refused or absent) is there now; 0: it still is
    double candidate = 0;     // the last refused value
    std::int64_t candidate_at = 0, counted_at = 0;
    int agreeing = 0;          // refused values in a row that agree with each other
    bool told = false;         // its fall is a finding already
    double fell_from = 0;      // what it was before its last change, a fall that was believed...
    std::int64_t fell_at = 0;  // ...and when it was last so; 0: the last change was no fall
  };
  struct Fall {
    std::uint32_t rule;
    double value;
  };

  void start_anew(const telemetry::PageReading& reading, std::int64_t now);
  bool look(telemetry::PageReading& reading, std::uint32_t k, double value, std::int64_t now);
  double seconds_since(const Past& past, std::int64_t now) const;
  void believe_it(std::uint32_t k, double value);
  void believe_fall(const Fall& fall);
  bool takes_up_again(std::uint32_t k, double value, std::int64_t now) const;
  void doubt(telemetry::PageReading& reading, std::uint32_t k, double value, std::int64_t now);
  bool agrees(const RateRule& rule, const Past& past, double value, std::int64_t now) const;
  void judge_falls(telemetry::PageReading& reading, std::int64_t now);
  void judge_falls_of(int gpu, telemetry::PageReading& reading, std::int64_t now);
  bool stands(const telemetry::PageReading& reading, int gpu) const;
  void forgive(const telemetry::PageReading& reading);
  void learn(std::int64_t now);

  std::vector<std::uint32_t> columns_;  // of each rule: these two are all that an unchanged page touches
  std::vector<double> last_;            // newest believed value; absent(): none yet
  std::vector<RateRule> rules_;
  std::vector<telemetry::SeriesKey> keys_;
  std::vector<Past> past_;
  std::vector<std::uint32_t> doubted_;  // rules with agreeing > 0
  std::vector<Fall> falls_;             // of this page
  RateFindings found_;
  std::int64_t page_at_ = 0, changed_at_ = 0;
  double period_ = 0;  // ms
};

}  // namespace ghm::validation
