#include "pipeline/simulated_telemetry.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <future>
#include <thread>

#include "adapters/archive/byte_sink.h"
#include "core/time.h"

namespace ghm::pipeline {
namespace {

using simulation::ArchiveColumn;
using simulation::HostTelemetry;
using simulation::kArchiveColumns;

constexpr std::size_t kRowsOfWindow = 200'000;  // about 50 MB of text
constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kScale[] = {1, 10, 100, 1000, 10000};

std::string header() {
  std::string out = "time,gpu_uuid";
  for (const auto& c : simulation::archive_columns()) out.append(",").append(c.name);
  return out + '\n';
}

void put_digits(std::string& out, std::uint64_t n) {
  char text[20];
  char* p = text + sizeof text;
  do *--p = static_cast<char>('0' + n % 10);
  while ((n /= 10) != 0);
  out.append(p, static_cast<std::size_t>(text + sizeof text - p));
}

/// A decimal of at most four places, without zeros at its end: the shortest text that reads back as this double.
void put_number(std::string& out, double v, int decimals) {
  const auto scale = kScale[decimals];
  const auto scaled = std::llround(std::abs(v) * static_cast<double>(scale));
  if (v < 0 && scaled != 0) out += '-';
  put_digits(out, static_cast<std::uint64_t>(scaled / scale));
  auto rest = scaled % scale;
  if (rest == 0) return;
  out += '.';
  for (auto place = scale / 10; rest != 0; place /= 10) {
    out += static_cast<char>('0' + rest / place);
    rest %= place;
  }
}

/// The text of one host over a window of time, and where each moment of it begins.
struct HostText {
  std::string text;
  std::vector<std::size_t> begins;  // one more than moments
  std::uint64_t rows = 0;
};

struct Window {
  std::int64_t from = 0, until = 0;  // moments from <= t < until, of one day
  std::vector<HostText> hosts;
};

class Writer {
 public:
  Writer(const TelemetryPlan& plan, std::vector<HostTelemetry>& hosts, const std::function<void(std::size_t, std::size_t)>& progress)
      : plan_(plan), hosts_(hosts), progress_(progress) {
    const auto per_moment = std::max<std::size_t>(1, hosts_.size() * simulation::kGpusPerHost);
    moments_ = static_cast<std::int64_t>(std::clamp<std::size_t>(kRowsOfWindow / per_moment, 1, 1440));
  }

  Result<TelemetryReport> run() {
    auto now = make(next_window(plan_.start));
    while (now.from < now.until) {
      const auto following = next_window(now.until);
      auto later = std::async(std::launch::async, [this, following] { return make(following); });
      const auto done = write(now);
      auto made = later.get();  // before a failure is told: nobody works on after it
      if (!done) return done.error();
      now = std::move(made);
    }
    if (auto done = close_day(); !done) return done.error();
    for (const auto& h : hosts_) report_.expected += h.expected(), report_.missing += h.missing();
    return report_;
  }

 private:
  // At most a window's rows, and not beyond the day.
  Window next_window(std::int64_t from) const {
    Window w;
    w.from = w.until = from;
    if (from >= plan_.end) return w;
    const auto day_ends = (from / kDay + 1) * kDay;
    w.until = std::min(
        {from + moments_ * plan_.interval, plan_.end, from + (day_ends - from + plan_.interval - 1) / plan_.interval * plan_.interval});
    return w;
  }

  Window make(Window w) {
    w.hosts.resize(hosts_.size());
    if (w.from >= w.until) return w;
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t h; (h = next++) < hosts_.size();) print(hosts_[h], w, w.hosts[h]);
    };
    std::vector<std::jthread> others;
    for (unsigned n = 1; n < plan_.threads; ++n) others.emplace_back(work);
    work();
    return others.clear(), w;
  }

  void print(HostTelemetry& host, const Window& w, HostText& out) const {
    std::vector<HostTelemetry::Row> rows;
    for (auto t = w.from; t < w.until; t += plan_.interval) {
      rows.clear();
      host.step(t, static_cast<double>(plan_.interval), rows);
      out.begins.push_back(out.text.size());
      const auto time = format_rfc3339(from_unix_ms(t * 1000));
      for (const auto& row : rows) print(row, host.life(), time, out.text);
      out.rows += rows.size();
    }
    out.begins.push_back(out.text.size());
  }

  static void print(const HostTelemetry::Row& row, const simulation::HostLife& life, const std::string& time, std::string& out) {
    const auto columns = simulation::archive_columns();
    out.append(time).append(",").append(life.stays[static_cast<std::size_t>(row.stay)].id.uuid);
    for (std::size_t c = 0; c < kArchiveColumns; ++c) {
      out += ',';
      if (!std::isnan(row.values[c])) put_number(out, row.values[c], columns[c].decimals);
    }
    out += '\n';
  }

  Result<void> write(const Window& w) {
    if (auto done = open_day(w.from / kDay); !done) return done;
    std::size_t moment = 0;
    for (auto t = w.from; t < w.until; t += plan_.interval, ++moment)
      for (const auto& h : w.hosts) {
        const auto begin = h.begins[moment], end = h.begins[moment + 1];
        if (auto done = sink_->write(std::string_view(h.text).substr(begin, end - begin)); !done) return done;
      }
    for (const auto& h : w.hosts) report_.rows += h.rows;
    progress_(static_cast<std::size_t>(w.until - plan_.start), static_cast<std::size_t>(plan_.end - plan_.start));
    return {};
  }

  Result<void> open_day(std::int64_t day) {
    if (sink_ && day == day_) return {};
    if (auto done = close_day(); !done) return done;
    const auto name = format_rfc3339(from_unix_ms(day * kDay * 1000)).substr(0, 10) + (plan_.zstd ? ".csv.zst" : ".csv");
    auto sink = archive::ByteSink::create(plan_.folder / name);
    if (!sink) return sink.error();
    sink_ = std::move(*sink);
    day_ = day;
    return sink_->write(header());
  }

  Result<void> close_day() {
    if (!sink_) return {};
    const auto done = sink_->finish();
    sink_.reset();
    return done;
  }

  const TelemetryPlan& plan_;
  std::vector<HostTelemetry>& hosts_;
  const std::function<void(std::size_t, std::size_t)>& progress_;
  std::int64_t moments_ = 1, day_ = -1;
  std::unique_ptr<archive::ByteSink> sink_;
  TelemetryReport report_;
};

}  // namespace

Result<TelemetryReport> write_telemetry(const TelemetryPlan& plan, std::vector<HostTelemetry>& hosts,
                                        const std::function<void(std::size_t, std::size_t)>& progress) {
  return Writer(plan, hosts, progress).run();
}

}  // namespace ghm::pipeline
