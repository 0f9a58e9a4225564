#include "services/rma_readings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/csv.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::days;
using std::chrono::milliseconds;
using telemetry::MetricKind, telemetry::MetricSpec;

constexpr std::size_t kMostSeries = 256, kMostReadings = 300'000, kMostGaps = 20;
constexpr auto kCloseToFault = 15min;
constexpr std::int64_t kGoodPoints = 1000;
constexpr milliseconds kSteps[] = {1min, 5min, 15min, 1h, 24h};
constexpr int kCounterDays = 90, kEnoughDays = 14;

constexpr std::array kChartFields = {telemetry::field::gpu_temp, telemetry::field::memory_temp, telemetry::field::power_usage,
                                     telemetry::field::sm_clock, telemetry::field::gpu_util};
constexpr std::array kExpected = {telemetry::field::gpu_temp,
                                  telemetry::field::memory_temp,
                                  telemetry::field::power_usage,
                                  telemetry::field::sm_clock,
                                  telemetry::field::clock_reasons,
                                  telemetry::field::ecc_sbe_aggregate,
                                  telemetry::field::ecc_dbe_aggregate,
                                  telemetry::field::remapped_uncorrectable,
                                  telemetry::field::remapped_correctable,
                                  telemetry::field::row_remap_pending,
                                  telemetry::field::row_remap_failure,
                                  telemetry::field::pcie_replay,
                                  telemetry::field::pcie_gen,
                                  telemetry::field::pcie_width,
                                  telemetry::field::xid};

bool bears_on_condition(const MetricSpec& m) {
  static const std::set<std::string_view> kUses = {"memory", "thermal", "performance", "power", "reliability", "nvlink", "pcie"};
  if (m.id == telemetry::field::gpu_util) return true;
  return (m.kind == MetricKind::gauge || m.kind == MetricKind::counter) && kUses.contains(m.used_for);
}

/// Counts of trouble, not of work done.
bool counts_trouble(const RmaSeries& s) {
  static const std::set<std::string_view> kWork = {"mJ", "J", "bytes", "codewords", "cycles", "ticks", "unstated"};
  return s.counter && !kWork.contains(s.unit);
}

RmaSeries named(const store::SeriesKey& key, const MetricSpec& m) {
  RmaSeries s{key, m.name, m.unit, m.kind == MetricKind::counter};
  if (key.entity != telemetry::Entity{} && m.link < 0) s.name += "@" + to_string(key.entity);
  return s;
}

std::vector<store::SeriesKey> keys_of(const std::vector<RmaSeries>& series) {
  std::vector<store::SeriesKey> keys;
  for (const auto& s : series) keys.push_back(s.key);
  return keys;
}

milliseconds step_for(TimeRange window) {
  const auto fits = std::ranges::find_if(kSteps, [&](milliseconds s) { return (window.to - window.from) / s <= kGoodPoints; });
  return fits == std::end(kSteps) ? kSteps[std::size(kSteps) - 1] : *fits;
}

void add_rows(std::string& csv, const RmaSeries& s, const std::vector<store::Bucket>& buckets) {
  for (const auto& b : buckets)
    csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", format_rfc3339(b.from), csv_cell(s.name), s.unit, b.min,
                       b.sum / static_cast<double>(b.count), b.max, b.last, b.count,
                       b.increase ? fmt::format("{}", *b.increase) : std::string());
}

/// Spans of whole intervals in which nothing was read.
void find_gaps(const std::set<Timestamp>& seen, TimeRange window, RmaTelemetry& out) {
  std::int64_t all = 0, with = 0;
  std::optional<Timestamp> since;
  const auto first = windows::bucket_start(window.from, out.interval);
  for (auto t = first; t < window.to; t += out.interval) {
    const bool there = seen.contains(t);
    ++all, with += there;
    if (!there && !since) since = t;
    if (there && since) out.gaps.push_back({*std::exchange(since, std::nullopt), t});
  }
  if (since) out.gaps.push_back({*since, window.to});
  out.coverage = all == 0 ? 0 : static_cast<double>(with) / static_cast<double>(all);
  std::ranges::stable_sort(out.gaps, std::greater{}, [](const TimeRange& g) { return g.to - g.from; });
  if (out.gaps.size() > kMostGaps) out.gaps.resize(kMostGaps);
}

Result<void> add_readings(const store::TelemetryStore& telemetry, const std::vector<RmaSeries>& series, Timestamp fault,
                          RmaTelemetry& out) {
  const auto read = telemetry.read_many(keys_of(series), {fault - kCloseToFault, fault + kCloseToFault});
  if (!read) return read.error();
  out.readings = "time,metric,unit,value\n";
  std::size_t rows = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    for (const auto& p : (*read)[i]) {
      if (rows++ == kMostReadings) {
        out.all_readings = false;
        return {};
      }
      out.readings += fmt::format("{},{},{},{}\n", format_rfc3339(p.at), csv_cell(series[i].name), series[i].unit, p.value);
    }
  out.any_readings = rows > 0;
  return {};
}

struct Counted {
  double last = 0, week = 0, month = 0, all = 0;
  int days_before = 0;  // with readings, before the last 7
};

Counted count(const std::vector<store::Bucket>& buckets, Timestamp day_of_end) {
  Counted c;
  for (const auto& b : buckets) {
    const auto age = (day_of_end - b.from) / days(1);
    const double n = b.increase.value_or(0);
    c.last = b.last;
    c.all += n;
    if (age < 30) c.month += n;
    if (age < 7) c.week += n;
    else ++c.days_before;
  }
  return c;
}

}  // namespace

RmaSeriesList rma_series(const store::TelemetryStore& telemetry, telemetry::BoardId board) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  RmaSeriesList out;
  std::set<telemetry::MetricId> reported;
  for (const auto& latest : telemetry.latest(board)) {
    reported.insert(latest.series.metric);
    const auto* m = catalogue.find(latest.series.metric);
    if (m == nullptr || !bears_on_condition(*m)) continue;
    if (out.series.size() < kMostSeries) out.series.push_back(named(latest.series, *m));
    else out.all = false;
  }
  for (const auto id : kExpected)
    if (const auto* m = catalogue.find(id); m != nullptr && !reported.contains(id)) out.never.push_back(m->name);
  return out;
}

Result<RmaTelemetry> rma_telemetry(const store::TelemetryStore& telemetry, const std::vector<RmaSeries>& series, TimeRange window,
                                   Timestamp fault, Timestamp until) {
  RmaTelemetry out;
  out.interval = step_for(window);
  const auto buckets = telemetry.aggregate_many(keys_of(series), window, out.interval);
  if (!buckets) return buckets.error();
  out.csv = "time,metric,unit,min,mean,max,last,readings,increase\n";
  std::set<Timestamp> seen;
  for (std::size_t i = 0; i < series.size(); ++i) {
    add_rows(out.csv, series[i], (*buckets)[i]);
    for (const auto& b : (*buckets)[i]) seen.insert(windows::bucket_start(b.from, out.interval));
  }
  find_gaps(seen, {window.from, std::min(window.to, until)}, out);
  for (const auto id : kChartFields)
    for (std::size_t i = 0; i < series.size(); ++i)
      if (series[i].key.metric == id && series[i].key.entity == telemetry::Entity{} && !(*buckets)[i].empty())
        out.charts.push_back({series[i].name, series[i].unit, (*buckets)[i]});
  if (auto done = add_readings(telemetry, series, fault, out); !done) return done.error();
  return out;
}

std::string rma_trend(double last_week, double before, int days_before) {
  if (last_week + before <= 0) return "none";
  if (days_before < kEnoughDays) return "too short";
  if (before <= 0) return "new";
  const double rate = last_week / 7, rate_before = before / days_before;
  return rate > 2 * rate_before ? "rising" : rate < rate_before / 2 ? "falling" : "steady";
}

Result<RmaCounters> rma_counters(const store::TelemetryStore& telemetry, const std::vector<RmaSeries>& series, Timestamp end) {
  std::vector<RmaSeries> counters;
  std::ranges::copy_if(series, std::back_inserter(counters), counts_trouble);
  const auto today = windows::bucket_start(end, days(1));
  const auto buckets = telemetry.aggregate_many(keys_of(counters), {today - days(kCounterDays - 1), today + days(1)}, days(1));
  if (!buckets) return buckets.error();
  RmaCounters out;
  out.daily = "day,metric,increase,last\n";
  std::vector<std::pair<double, Json>> rows;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if ((*buckets)[i].empty()) continue;
    const auto c = count((*buckets)[i], today);
    rows.emplace_back(c.all > 0    ? 2
                      : c.last > 0 ? 1
                                   : 0,
                      Json{{"metric", counters[i].name},
                           {"unit", counters[i].unit},
                           {"last", c.last},
                           {"increase_7d", c.week},
                           {"increase_30d", c.month},
                           {"increase_90d", c.all},
                           {"trend", rma_trend(c.week, c.all - c.week, c.days_before)}});
    if (c.all <= 0 && c.last <= 0) continue;
    for (const auto& b : (*buckets)[i])
      out.daily +=
          fmt::format("{},{},{},{}\n", format_rfc3339(b.from).substr(0, 10), csv_cell(counters[i].name), b.increase.value_or(0), b.last);
  }
  std::ranges::stable_sort(rows, std::greater{}, [](const auto& r) { return r.first; });
  for (auto& [_, row] : rows) out.items.push_back(std::move(row));
  return out;
}

}  // namespace ghm::services
