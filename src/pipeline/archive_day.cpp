#include "pipeline/archive_day.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adapters/archive/telemetry_reader.h"
#include "adapters/archive/text_cell.h"
#include "domain/telemetry/page.h"

namespace ghm::pipeline {
namespace {

// A window's values stand in memory: this many columns of all boards together fit for an hour of a reading a minute.
constexpr std::size_t kColumnsForAnHour = 100'000;
constexpr std::size_t kMostStepsKept = 10'000;

std::chrono::milliseconds window_for(std::size_t columns) {
  for (const int minutes : {60, 30, 20, 15, 10, 5, 2})
    if (columns * static_cast<std::size_t>(minutes) <= kColumnsForAnHour * 60) return std::chrono::minutes(minutes);
  return std::chrono::minutes(1);
}

// The shortest text that is read back as the same double.
void put_number(std::string& out, double v) {
  constexpr double kWhole = 1e15;
  if (v == std::trunc(v) && std::abs(v) < kWhole && !(v == 0 && std::signbit(v))) {
    const fmt::format_int text(static_cast<std::int64_t>(v));
    out.append(text.data(), text.size());
  } else {
    fmt::format_to(std::back_inserter(out), "{}", v);
  }
}

}  // namespace

ArchiveDay::ArchiveDay(const store::TelemetryStore& store, std::vector<Board> boards)
    : store_(store), boards_(std::move(boards)), before_(boards_.size()) {
  for (const auto& b : boards_)
    for (const auto& s : b.series) columns_.emplace_back(s.entity, s.metric);
  std::ranges::sort(columns_);
  columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
  for (const auto& b : boards_) {
    auto& places = places_.emplace_back();
    for (const auto& s : b.series)
      places.push_back(static_cast<std::size_t>(std::ranges::lower_bound(columns_, Column{s.entity, s.metric}) - columns_.begin()));
  }
}

void ArchiveDay::begin() {
  first_ = last_ = std::nullopt;
  before_.assign(boards_.size(), std::nullopt);
  steps_.clear();
}

std::string ArchiveDay::header() const {
  std::string out = "time,gpu_uuid";
  for (const auto& [entity, metric] : columns_)
    out.append(",").append(archive::column_name(*telemetry::MetricCatalogue::built_in().find(metric), entity));
  return out + '\n';
}

Result<void> ArchiveDay::write(TimeRange range, archive::ByteSink& sink) {
  std::size_t columns = 0;
  for (const auto& b : boards_) columns += b.series.size();
  const auto width = window_for(columns);
  std::string text;
  for (auto from = range.from; from < range.to; from += width) {
    rows_of_window_.clear();
    values_.clear();
    for (std::size_t b = 0; b < boards_.size(); ++b)
      if (auto done = gather(b, {from, std::min(from + width, range.to)}); !done) return done;
    std::ranges::sort(rows_of_window_, {}, [](const Row& r) { return std::pair(r.at, r.board); });
    for (const auto& row : rows_of_window_) {
      text.clear();
      print(row, text);
      if (auto done = sink.write(text); !done) return done;
    }
  }
  return {};
}

Result<void> ArchiveDay::gather(std::size_t board, TimeRange range) {
  const auto found = store_.read_many(boards_[board].series, range);
  if (!found) return found.error();
  std::vector<Timestamp> times;
  for (const auto& points : *found) {
    if (std::ranges::equal(times, points, {}, {}, &store::Point::at)) continue;  // series of one page have the same times
    for (const auto& p : points) times.push_back(p.at);
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
  }
  const auto first = values_.size();
  values_.resize(first + times.size() * columns_.size(), telemetry::absent());
  for (std::size_t s = 0; s < found->size(); ++s) {
    auto at = first + places_[board][s];
    std::size_t row = 0;
    for (const auto& p : (*found)[s]) {
      for (; times[row] != p.at; ++row) at += columns_.size();
      values_[at] = p.value;
    }
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    rows_of_window_.push_back({times[i], board, first + i * columns_.size()});
    if (auto& before = before_[board]; before && steps_.size() < kMostStepsKept) ++steps_[times[i] - *before];
    before_[board] = times[i];
  }
  return {};
}

void ArchiveDay::print(const Row& row, std::string& out) {
  if (time_text_.empty() || time_of_text_ != row.at) {
    time_of_text_ = row.at;
    time_text_ = format_rfc3339(row.at);
  }
  out += time_text_;
  out += ',';
  archive::put_text(out, boards_[row.board].uuid);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    out += ',';
    const double v = values_[row.values + c];
    if (telemetry::is_absent(v)) continue;
    put_number(out, v);
    ++cells_;
  }
  out += '\n';
  ++rows_;
  first_ = std::min(first_.value_or(row.at), row.at);
  last_ = std::max(last_.value_or(row.at), row.at);
}

std::chrono::milliseconds ArchiveDay::usual_step() const {
  const auto most = std::ranges::max_element(steps_, {}, [](const auto& s) { return s.second; });
  return most == steps_.end() ? std::chrono::milliseconds(0) : most->first;
}

}  // namespace ghm::pipeline
