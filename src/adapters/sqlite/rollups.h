#pragma once
#include <functional>

#include "adapters/sqlite/day_files.h"
#include "adapters/sqlite/head.h"
#include "core/log.h"
#include "domain/store/telemetry_store.h"
#include "domain/store/tiers.h"

/// Where rollups lie. Those of a minute: in a file per day, a board's hour in a row, like the readings. Those of an hour and
/// of a day: in ghm.db, a board's day, or 64 days, in a row.
namespace ghm::sqlite {

using telemetry::BoardId;

inline constexpr std::chrono::milliseconds kMinute = 1min, kHour = 1h, kDay = 24h;
inline constexpr std::int64_t kDaysPerSpan = 64;

inline Timestamp start_of_day(std::int64_t day) {
  return start_of_hour(day * kHoursPerDay);
}

/// Puts a board's minutes of an hour into the day's file, beside what it has of them. corrupt: what it has is damaged.
Result<void> put_minutes(Db& day, BoardId board, std::int64_t hour, const store::RollupBlock& minutes);

/// Brings the hour, and the day it lies in, up to a board's minutes of it. Damaged rows are told to `log` and begun anew: that
/// of the hours puts its day on the list of days to roll up again, that of the days is made of the hours.
Result<void> put_hour(Db& main, BoardId board, std::int64_t hour, const store::RollupBlock& minutes, const Log& log);

/// One series' rollups of a minute in the day's file, hour by hour, but for hours that are not wanted: those are not even read.
Result<void> read_minute_rollups(Db& day, const store::SeriesKey& series, TimeRange range,
                                 const std::function<bool(std::int64_t hour)>& wanted,
                                 const std::function<void(std::int64_t hour, std::vector<windows::Rollup>)>& found);
/// One series' rollups of the hours of one day. corrupt: its readings can tell.
Result<std::vector<windows::Rollup>> read_hour_rollups(Db& main, const store::SeriesKey& series, std::int64_t day);
/// The days in the range of which a board has hours.
Result<std::vector<std::int64_t>> days_with_hours(Db& main, BoardId board, TimeRange range);
/// One series' rollups of days. corrupt: its hours can tell.
Result<std::vector<windows::Rollup>> read_day_rollups(Db& main, const store::SeriesKey& series, TimeRange range);

/// Drops some hours before `day`; true when there may be more.
Result<bool> drop_hours_before(Db& main, std::int64_t day);

}  // namespace ghm::sqlite
