#pragma once
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "domain/anomaly/anomaly_watch.h"
#include "domain/simulation/fleet.h"

namespace ghm::pipeline::test {

/// A simulated host under an anomaly watch, without pages between them: the numbers are the page's, in the shape that a page
/// would have after parsing. Its interval is a minute.
class WatchedHost {
 public:
  /// boards: only the first so many are watched, as if the host had no more.
  WatchedHost(simulation::Fleet fleet, std::size_t host, std::size_t boards = 8) : fleet_(std::move(fleet)), host_(host), boards_(boards) {
    for (const auto& w : anomaly::watched_metrics())
      for (const auto& list : {std::vector(w.fields.begin(), w.fields.end()), std::vector(w.else_sum.begin(), w.else_sum.end())})
        for (const auto field : list)
          if (field != telemetry::MetricId::none) fields_.push_back(static_cast<int>(field));
  }
  /// A copy that goes on by itself.
  WatchedHost(const WatchedHost& other)
      : fleet_(other.fleet_.twin()),
        host_(other.host_),
        boards_(other.boards_),
        fields_(other.fields_),
        values_(other.values_),
        watch_(other.watch_) {}

  simulation::Fleet& fleet() { return fleet_; }
  anomaly::AnomalyWatch& watch() { return watch_; }
  /// Lives on to `now` and, unless the exporter is silent (`asked` false, or a fault of its page), looks at it.
  std::vector<anomaly::AnomalyChange> live(Timestamp now, bool asked = true) {
    fleet_.advance(host_, now);
    if (!asked || fleet_.page_fault(host_) != simulation::PageFault::none) return {};
    fleet_.read(host_, fields_, values_);
    if (watch_.seats().empty()) sit();
    if (!watch_.page(now, values_, 60s)) return {};
    return watch_.minute(now, values_, std::vector<bool>(watch_.seats().size()));
  }

 private:
  // The column of a slot is the first of its fields that this part prints.
  void sit() {
    std::vector<anomaly::Seat> seats(std::min(values_.size() / fields_.size(), boards_));
    for (std::size_t s = 0; s < seats.size(); ++s) {
      seats[s].model = model();
      seats[s].board = telemetry::BoardId{static_cast<std::uint32_t>(100 * host_ + s + 1)};
      const auto column = [&](telemetry::MetricId field) {
        const auto at = std::ranges::find(fields_, static_cast<int>(field)) - fields_.begin();
        return s * fields_.size() + static_cast<std::size_t>(at);
      };
      for (const auto& w : anomaly::watched_metrics())
        for (const auto field : {w.fields[0], w.fields[1], w.fields[2], w.else_sum[0]})
          if (field != telemetry::MetricId::none && !std::isnan(values_[column(field)])) {
            seats[s].columns.column[anomaly::index_of(w.slot)] = static_cast<std::int32_t>(column(field));
            break;
          }
    }
    watch_.seat(std::move(seats));
  }

  // A rack may hold several; a page names it.
  std::string model() const {
    constexpr std::string_view kLabel = "modelName=\"";
    std::string page;
    fleet_.render(host_, page);
    const auto at = page.find(kLabel);
    return at == page.npos ? "" : page.substr(at + kLabel.size(), page.find('"', at + kLabel.size()) - at - kLabel.size());
  }

  simulation::Fleet fleet_;
  std::size_t host_, boards_;
  std::vector<int> fields_;
  std::vector<double> values_;
  anomaly::AnomalyWatch watch_;
};

/// Four simulated hosts of one rack, which hear each other.
class WatchedRack {
 public:
  static constexpr std::size_t kHosts = 4;
  WatchedRack(std::uint64_t seed, const std::string& scenario, Timestamp birth, std::size_t boards) {
    const auto exchange = std::make_shared<anomaly::PeerExchange>();
    for (std::size_t h = 0; h < kHosts; ++h) {
      hosts_.push_back(
          std::make_unique<WatchedHost>(std::move(*simulation::Fleet::create({8 * kHosts, seed, scenario, birth})), h, boards));
      hosts_.back()->watch().stand(exchange, hosts_.back()->fleet().place(h).rack);
    }
  }
  WatchedHost& operator[](std::size_t host) { return *hosts_[host]; }

 private:
  std::vector<std::unique_ptr<WatchedHost>> hosts_;
};

/// When the exporter of `host` does not answer: a gap of 2 minutes to 6 hours about every second day.
inline bool is_gap(std::uint64_t seed, std::size_t host, Timestamp now) {
  constexpr std::uint64_t kPeriod = 48 * 60;
  const auto minute = static_cast<std::uint64_t>(to_unix_ms(now) / 60'000) + host * 977;
  const auto hash = (minute / kPeriod + 1) * 0x9E3779B97F4A7C15ull + seed * 0xBF58476D1CE4E5B9ull + host;
  const auto mixed = (hash ^ hash >> 29) * 0x94D049BB133111EBull;
  const auto from = mixed % (kPeriod - 400), length = 2 + (mixed >> 40) % 358;
  const auto at = minute % kPeriod;
  return at >= from && at < from + length;
}

}  // namespace ghm::pipeline::test
