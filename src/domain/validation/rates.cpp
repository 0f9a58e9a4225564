// The idea: a page says what a board was like at a moment we do not know exactly, because exporters cache. So every rule
// is judged over the longest time that may have passed, and what even then could not be is refused. Falls of counters are
// judged board by board: a driver that starts anew takes all its counters with it, energy first of all.
#include "domain/validation/rates.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "domain/validation/believe.h"

namespace ghm::validation {
namespace {

namespace field = telemetry::field;
using telemetry::MetricId;
using telemetry::MetricKind;
using telemetry::Reason;

// Core and memory temperature. The step: a die follows its power within a second or so by power times the resistance from
// junction to cooler; 700 W x 0.04 K/W = 28 K. The slope: cooler and spreader together; 700 W into 0.8 kg of aluminium
// (700 J/K) is 1 K/s, and smaller boards have smaller coolers in about the same proportion.
constexpr double kTemperatureStep = 30, kTemperatureSlope = 1;
// Time-in-state counters cannot run faster than time. 5 % for clocks that differ, a second for counters that are sampled.
constexpr double kNsPerSecond = 1.05e9, kNsStep = 1e9;
// Of a counter whose rate is known: it may have been read up to a second late.
constexpr double kLate = 1;

struct NsCounters {
  int first, last;
};
constexpr NsCounters kNsCounters[] = {{240, 247}, {1420, 1424}};  // throttle times, fields in ns

constexpr MetricId kCorrectableRemaps = field::remapped_correctable;  // 394 may fall: uncorrectable remaps displace them

// An exporter's first value may have been cached for one collection interval: 30 s by default.
constexpr std::int64_t kFirstAge = 60'000;
constexpr double kLongestPeriod = 300'000;  // ms; a longer gap is an exporter that hung
constexpr double kForget = 0.9;             // of the period, per refresh: it follows an exporter that became faster

bool is_ns(MetricId id) {
  const auto n = static_cast<int>(id);
  return std::ranges::any_of(kNsCounters, [n](const NsCounters& r) { return n >= r.first && n <= r.last; });
}

// Units per second that this board can count at most; nullopt when that is not known.
std::optional<double> fastest(MetricId id, const DeviceLimits& own) {
  if (id == field::total_energy && own.power) return *own.power * 1000;  // W are mJ per ms
  if (id == MetricId{1091} || id == MetricId{1092}) return own.pcie;     // PROF_PCIE_TX/RX_BYTES_TOTAL
  if (id == MetricId{1201} || id == MetricId{1203}) return own.nvlink;   // DEV_NVLINK_COUNT_TX/RX_BYTES
  return std::nullopt;
}

double ms_to_seconds(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

}  // namespace

std::optional<RateRule> rate_rule(const telemetry::MetricSpec& spec, const DeviceLimits& limits, const Override* own) {
  RateRule r;
  if (spec.id == field::gpu_temp || spec.id == field::memory_temp) {
    r.kind = RateRule::Kind::level;
    r.per_second = kTemperatureSlope;
    r.allowance = kTemperatureStep;
  } else if (spec.kind == MetricKind::counter && spec.id != kCorrectableRemaps) {
    r.kind = spec.resets_with_driver ? RateRule::Kind::counter : RateRule::Kind::counter_for_life;
    r.energy = spec.id == field::total_energy;
    if (is_ns(spec.id)) {
      r.per_second = kNsPerSecond;
      r.allowance = kNsStep;
    } else if (const auto most = fastest(spec.id, limits)) {
      r.per_second = *most;
      r.allowance = *most * kLate;
    }
  } else {
    return std::nullopt;
  }
  if (own != nullptr && own->max_per_second) {
    r.per_second = *own->max_per_second;
    if (r.kind != RateRule::Kind::level) r.allowance = r.per_second * kLate;
  }
  return r;
}

bool possible(const RateRule& rule, double from, double to, double seconds) {
  const double change = rule.kind == RateRule::Kind::level ? std::abs(to - from) : to - from;
  if (change < 0) return false;
  return change <= rule.allowance + rule.per_second * seconds;
}

void RateMemory::adopt(const std::vector<RateRule>& rules, std::span<const telemetry::SeriesKey> keys) {
  std::unordered_map<telemetry::SeriesKey, std::size_t> known;
  for (std::size_t k = 0; k < keys_.size(); ++k) known.emplace(keys_[k], k);
  RateMemory next;
  for (const auto& rule : rules) {
    const auto& key = keys[rule.column];
    if (key.board == telemetry::BoardId::none) continue;
    const auto old = known.find(key);
    const bool was = old != known.end();
    if (was && past_[old->second].agreeing > 0) next.doubted_.push_back(static_cast<std::uint32_t>(next.rules_.size()));
    next.columns_.push_back(rule.column);
    next.rules_.push_back(rule);
    next.keys_.push_back(key);
    next.last_.push_back(was ? last_[old->second] : telemetry::absent());
    next.past_.push_back(was ? past_[old->second] : Past{});
  }
  next.page_at_ = page_at_;
  next.changed_at_ = changed_at_;
  next.period_ = period_;
  *this = std::move(next);
}

const RateFindings& RateMemory::check(telemetry::PageReading& reading, Timestamp at) {
  const auto now = to_unix_ms(at);
  found_.restarted.clear();
  found_.fell.clear();
  found_.settled.clear();
  if (now <= page_at_) {  // the clock was set back: no time between two pages means anything
    start_anew(reading, now);
    return found_;
  }
  falls_.clear();
  bool changed = false;
  const double* values = reading.values.data();
  for (std::uint32_t k = 0; k < columns_.size(); ++k) {
    const double value = values[columns_[k]];
    if (value == last_[k]) continue;
    changed |= look(reading, k, value, now);
  }
  if (!falls_.empty()) judge_falls(reading, now);
  if (!doubted_.empty()) forgive(reading);
  if (changed) learn(now);
  page_at_ = now;
  return found_;
}

void RateMemory::start_anew(const telemetry::PageReading& reading, std::int64_t now) {
  for (std::uint32_t k = 0; k < columns_.size(); ++k) {
    last_[k] = reading.values[columns_[k]];
    past_[k] = {.before = now - kFirstAge};
  }
  doubted_.clear();
  page_at_ = changed_at_ = now;
}

// A value that differs from the last believed one. True: the source has something new.
bool RateMemory::look(telemetry::PageReading& reading, std::uint32_t k, double value, std::int64_t now) {
  auto& past = past_[k];
  if (telemetry::is_absent(value)) {
    if (past.gone == 0) past.gone = page_at_;
    return false;
  }
  if (telemetry::is_absent(last_[k])) {
    last_[k] = value;
    past = {.before = now - kFirstAge};
    return true;
  }
  const auto& rule = rules_[k];
  const bool repeated = past.agreeing > 0 && value == past.candidate;
  if (possible(rule, last_[k], value, seconds_since(past, now)) || takes_up_again(k, value, now)) believe_it(k, value);
  else if (rule.kind != RateRule::Kind::level && value < last_[k]) falls_.push_back({k, value});
  else doubt(reading, k, value, now);
  return !repeated;
}

// A counter that goes on where it was before a fall: the fall was the lie.
bool RateMemory::takes_up_again(std::uint32_t k, double value, std::int64_t now) const {
  const auto& past = past_[k];
  return past.fell_at != 0 && possible(rules_[k], past.fell_from, value, ms_to_seconds(now - past.fell_at) + period_ / 1000);
}

// The longest time in which the last value can have become this one.
double RateMemory::seconds_since(const Past& past, std::int64_t now) const {
  const auto since_it_came = now - past.before;
  if (period_ == 0) return ms_to_seconds(since_it_came);
  const auto since_it_was_there = now - (past.gone != 0 ? past.gone : page_at_) + static_cast<std::int64_t>(period_);
  return ms_to_seconds(std::min(since_it_came, since_it_was_there));
}

void RateMemory::believe_it(std::uint32_t k, double value) {
  last_[k] = value;
  auto& past = past_[k];
  past.before = page_at_;
  past.gone = 0;
  past.agreeing = 0;
  past.told = false;
  past.fell_at = 0;
}

void RateMemory::believe_fall(const Fall& fall) {
  const double from = last_[fall.rule];
  believe_it(fall.rule, fall.value);
  past_[fall.rule].fell_from = from;
  past_[fall.rule].fell_at = page_at_;
}

bool RateMemory::agrees(const RateRule& rule, const Past& past, double value, std::int64_t now) const {
  return possible(rule, past.candidate, value, ms_to_seconds(now - past.candidate_at) + period_ / 1000);
}

void RateMemory::doubt(telemetry::PageReading& reading, std::uint32_t k, double value, std::int64_t now) {
  auto& past = past_[k];
  if (past.gone == 0) past.gone = page_at_;
  if (past.agreeing == 0) doubted_.push_back(k);
  const double refresh = std::max(period_, 1.0);
  if (past.agreeing == 0 || !agrees(rules_[k], past, value, now)) {
    past.agreeing = 1;
    past.counted_at = now;
  } else if (value != past.candidate || static_cast<double>(now - past.counted_at) >= refresh) {
    // A cached repeat is not a second witness.
    ++past.agreeing;
    past.counted_at = now;
  }
  past.candidate = value;
  past.candidate_at = now;
  if (past.agreeing > kConfirmations) {
    found_.settled.push_back(columns_[k]);
    const auto& series = reading.layout->table->series[columns_[k]];
    if (rules_[k].energy && value < last_[k] && series.gpu >= 0) found_.restarted.push_back(static_cast<std::uint16_t>(series.gpu));
    return believe_it(k, value);
  }
  refuse(reading, columns_[k], Reason::impossible_rate);
}

void RateMemory::judge_falls(telemetry::PageReading& reading, std::int64_t now) {
  std::vector<int> gpus;
  for (const auto& f : falls_) {
    const int gpu = reading.layout->table->series[columns_[f.rule]].gpu;
    if (std::ranges::find(gpus, gpu) == gpus.end()) gpus.push_back(gpu);
  }
  for (const int gpu : gpus) judge_falls_of(gpu, reading, now);
}

// Does a driver counter of this GPU that has counted something stand where it was, or higher?
bool RateMemory::stands(const telemetry::PageReading& reading, int gpu) const {
  const auto& series = reading.layout->table->series;
  for (std::uint32_t k = 0; k < columns_.size(); ++k) {
    if (series[columns_[k]].gpu != gpu || rules_[k].kind != RateRule::Kind::counter || rules_[k].energy) continue;
    const double value = reading.values[columns_[k]];
    if (!telemetry::is_absent(value) && value > 0 && value >= last_[k]) return true;
  }
  return false;
}

void RateMemory::judge_falls_of(int gpu, telemetry::PageReading& reading, std::int64_t now) {
  const auto& series = reading.layout->table->series;
  const auto of_this = [&](const Fall& f) { return series[columns_[f.rule]].gpu == gpu; };
  int driver_counters = 0;
  std::vector<MetricId> metrics;
  const Fall* energy = nullptr;
  for (const auto& f : falls_) {
    if (!of_this(f) || rules_[f.rule].kind != RateRule::Kind::counter) continue;
    if (rules_[f.rule].energy) energy = &f;
    else ++driver_counters;
    const auto metric = series[columns_[f.rule]].metric;
    if (std::ranges::find(metrics, metric) == metrics.end()) metrics.push_back(metric);
  }
  bool energy_rose = false;
  for (std::uint32_t k = 0; k < columns_.size() && energy == nullptr; ++k)
    energy_rose |= rules_[k].energy && series[columns_[k]].gpu == gpu && !telemetry::is_absent(reading.values[columns_[k]]);

  // After a restart energy counts from nothing, so it cannot be more than was drawn since; alone it is no witness against
  // counters that stand.
  const bool energy_restarted = energy != nullptr &&
                                possible(rules_[energy->rule], 0, energy->value, seconds_since(past_[energy->rule], now)) &&
                                (driver_counters > 0 || !stands(reading, gpu));
  const bool restarted = energy_restarted || (energy == nullptr && !energy_rose && metrics.size() >= 2 && gpu >= 0);
  // Several counters at once while energy goes on: somebody cleared them by hand. One alone, where energy could have
  // spoken and does not agree, is doubted; where it cannot speak a fall is a restart.
  const bool cleared = energy == nullptr && (driver_counters >= 2 || !energy_rose);
  if (restarted && gpu >= 0) found_.restarted.push_back(static_cast<std::uint16_t>(gpu));
  for (const auto& f : falls_) {
    if (!of_this(f)) continue;
    const bool for_life = rules_[f.rule].kind == RateRule::Kind::counter_for_life;
    if (!for_life && (restarted || cleared || (energy != nullptr && &f != energy && driver_counters >= 2))) {
      believe_fall(f);
      continue;
    }
    if (for_life && !past_[f.rule].told) {
      past_[f.rule].told = true;
      found_.fell.push_back(columns_[f.rule]);
    }
    doubt(reading, f.rule, f.value, now);
  }
}

// What came back to the believed level has withdrawn what it said in between.
void RateMemory::forgive(const telemetry::PageReading& reading) {
  std::erase_if(doubted_, [&](std::uint32_t k) {
    if (past_[k].agreeing > 0 && reading.values[columns_[k]] == last_[k]) {
      past_[k].agreeing = 0;
      past_[k].gone = 0;
      past_[k].told = false;
    }
    return past_[k].agreeing == 0;
  });
}

void RateMemory::learn(std::int64_t now) {
  if (changed_at_ != 0) period_ = std::min(kLongestPeriod, std::max(static_cast<double>(now - changed_at_), period_ * kForget));
  changed_at_ = now;
}

}  // namespace ghm::validation
