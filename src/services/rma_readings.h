#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "domain/store/telemetry_store.h"
#include "domain/views/rma_page.h"

/// What a board's sensors and counters said, for an evidence bundle.
namespace ghm::services {

/// A series with its name as the API has it, "DCGM_FI_DEV_GPU_TEMP" or "NAME@nvlink4".
struct RmaSeries {
  store::SeriesKey key;
  std::string name, unit;
  bool counter = false;
};

/// Everything measured that bears on a board's condition; `all`: else there were more than a bundle holds (256).
struct RmaSeriesList {
  std::vector<RmaSeries> series;
  bool all = true;
  std::vector<std::string> never;  // what such a board should report and never did
};
RmaSeriesList rma_series(const store::TelemetryStore& telemetry, telemetry::BoardId board);

struct RmaTelemetry {
  std::string csv;       // time,metric,unit,min,mean,max,last,readings,increase
  std::string readings;  // time,metric,unit,value: as they came, close to the fault
  bool any_readings = false, all_readings = true;
  std::chrono::milliseconds interval{};
  double coverage = 0;          // share of the window's intervals in which anything was read
  std::vector<TimeRange> gaps;  // the longest first, at most 20
  std::vector<views::RmaChart> charts;
};
/// `until`: what lies behind it has not happened yet.
Result<RmaTelemetry> rma_telemetry(const store::TelemetryStore& telemetry, const std::vector<RmaSeries>& series, TimeRange window,
                                   Timestamp fault, Timestamp until);

struct RmaCounters {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();  // those that rose first
  std::string daily;                                               // day,metric,increase,last: those that ever counted
};
/// Increases over 7, 30 and 90 UTC days up to the day of `end`, and the trend in a word.
Result<RmaCounters> rma_counters(const store::TelemetryStore& telemetry, const std::vector<RmaSeries>& series, Timestamp end);

/// "none" without an increase in 90 days, "new" when all of it came in the last 7 and there were 14 days before to compare with,
/// "rising" and "falling" from twice or below half of the rate before, else "steady"; "too short" without 14 days before.
std::string rma_trend(double last_week, double before, int days_before);

}  // namespace ghm::services
