#include "services/peer_bands.h"

#include <algorithm>
#include <array>
#include <set>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::services {
namespace {

using std::chrono::milliseconds;
namespace field = telemetry::field;

constexpr std::size_t kMostPeers = 64, kFewestPeers = 8, kMostBuckets = 1'500'000;
constexpr std::size_t kFewestValues = 3;  // a band of two is no band
constexpr double kBusyShare = 0.5, kBusyPercent = 50;

// Hosts spread over the fleet, but the same ones in every answer: FNV-1a of the name.
std::uint32_t place_in_line(std::string_view host) {
  std::uint32_t hash = 2166136261u;
  for (const char c : host) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::size_t stored_buckets(TimeRange range, milliseconds width) {
  const milliseconds tier = width % 1h == 0ms     ? milliseconds(1h)
                            : width % 1min == 0ms ? milliseconds(1min)
                                                  : std::min(width, milliseconds(10s));
  return static_cast<std::size_t>((range.to - range.from) / tier) + 1;
}

std::size_t affordable_peers(std::size_t series, TimeRange range, milliseconds width) {
  return std::clamp(kMostBuckets / (series * stored_buckets(range, width)), kFewestPeers, kMostPeers);
}

/// Starts of the buckets in which one peer was busy; nullopt when nobody knows.
using Busy = std::optional<std::set<Timestamp>>;

// What tells that a board is busy, the better first: a share, or a percentage.
constexpr std::array kActivity{std::pair(field::graphics_activity, kBusyShare), std::pair(field::gpu_util, kBusyPercent)};

// `activity`: the buckets of each of kActivity.
Busy busy_buckets(std::span<const std::vector<store::Bucket>> activity) {
  for (std::size_t i = 0; i < kActivity.size(); ++i) {
    if (activity[i].empty()) continue;
    std::set<Timestamp> busy;
    for (const auto& b : activity[i])
      if (b.count > 0 && b.sum / static_cast<double>(b.count) >= kActivity[i].second) busy.insert(busy.end(), b.from);
    return busy;
  }
  return std::nullopt;
}

/// One series' values of all peers, by bucket.
struct Gathered {
  bool counter = false, wanted = true, filtered = false;
  std::map<Timestamp, std::vector<double>> values;

  void add(const std::vector<store::Bucket>& buckets, const Busy& busy) {
    auto at = values.begin();
    for (const auto& b : buckets) {
      if (b.count == 0 || (counter && !b.increase) || (!counter && busy && !busy->contains(b.from))) continue;
      at = values.try_emplace(at, b.from);
      at->second.push_back(counter ? *b.increase : b.sum / static_cast<double>(b.count));
      ++at;
    }
    filtered |= !counter && busy.has_value();
  }
};

// Numbers that have no order have no percentiles.
bool has_order(telemetry::MetricId metric) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(metric);
  return spec != nullptr && spec->unit != "bitmask" && spec->unit != "xid" && spec->kind != telemetry::MetricKind::label;
}

/// What is asked of each peer.
struct Question {
  std::span<const store::SeriesKey> series;
  std::span<Gathered> gathered;  // one each
  TimeRange range;
  milliseconds width;
};

// Boards of one host: their rows lie together, and are cheapest read together.
Result<void> ask_boards(const store::TelemetryStore& telemetry, const views::FleetSnapshot& fleet, std::span<const std::size_t> boards,
                        const Question& q) {
  std::vector<store::SeriesKey> keys;
  for (const auto i : boards) {
    const auto id = fleet.boards[i].board.id;
    for (const auto& [metric, least] : kActivity) keys.push_back({id, {}, metric});
    for (std::size_t s = 0; s < q.series.size(); ++s)
      if (q.gathered[s].wanted) keys.push_back({id, q.series[s].entity, q.series[s].metric});
  }
  const auto buckets = telemetry.aggregate_many(keys, q.range, q.width);
  if (!buckets) return buckets.error();
  auto next = buckets->begin();
  for (std::size_t b = 0; b < boards.size(); ++b) {
    const auto busy = busy_buckets({next, kActivity.size()});
    next += kActivity.size();
    for (auto& g : q.gathered)
      if (g.wanted) g.add(*next++, busy);
  }
  return {};
}

views::PeerBand band_of(Gathered& g, const PeerChoice& peers) {
  views::PeerBand band{peers.host, peers.rack, peers.fleet, g.filtered, g.counter, {}};
  for (auto& [from, values] : g.values) {
    if (values.size() < kFewestValues) continue;
    std::ranges::sort(values);
    const auto at = [&](double p) {
      const double place = p * static_cast<double>(values.size() - 1);
      const auto low = static_cast<std::size_t>(place);
      const auto high = std::min(low + 1, values.size() - 1);
      return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
    };
    band.points.push_back({from, at(0.1), at(0.5), at(0.9)});
  }
  return band;
}

}  // namespace

PeerChoice choose_peers(const views::FleetSnapshot& fleet, std::size_t board, std::size_t most) {
  const auto& own = fleet.boards[board].board;
  std::vector<std::size_t> host, rack, others;
  for (std::size_t i = 0; i < fleet.boards.size(); ++i) {
    const auto& view = fleet.boards[i];
    const auto& b = view.board;
    if (i == board || own.model.empty() || b.model != own.model || !b.in_service || view.silent) continue;
    const bool same_rack = !own.place.rack.empty() && b.place == own.place;
    (b.host == own.host ? host : same_rack ? rack : others).push_back(i);
  }
  std::ranges::stable_sort(others, {}, [&](std::size_t i) { return place_in_line(fleet.boards[i].board.host); });
  PeerChoice out;
  const auto take = [&](const std::vector<std::size_t>& from, std::size_t& count) {
    count = std::min(from.size(), most - out.boards.size());
    out.boards.insert(out.boards.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  };
  take(host, out.host);
  take(rack, out.rack);
  take(others, out.fleet);
  return out;
}

Result<std::vector<std::optional<views::PeerBand>>> peer_bands(const store::TelemetryStore& telemetry, const views::FleetSnapshot& fleet,
                                                               std::size_t board, std::span<const store::SeriesKey> series, TimeRange range,
                                                               milliseconds width) {
  const auto peers = choose_peers(fleet, board, affordable_peers(series.size() + 1, range, width));
  std::vector<Gathered> gathered(series.size());
  for (std::size_t s = 0; s < series.size(); ++s) {
    gathered[s].counter = windows::counting_of(series[s].metric) != windows::Counting::none;
    gathered[s].wanted = has_order(series[s].metric);
  }
  const Question question{series, gathered, range, width};
  for (auto left = std::span(peers.boards); !left.empty();) {
    const auto same_host = [&](std::size_t i) { return fleet.boards[i].board.host == fleet.boards[left[0]].board.host; };
    const auto n = static_cast<std::size_t>(std::ranges::find_if_not(left, same_host) - left.begin());
    if (auto done = ask_boards(telemetry, fleet, left.first(n), question); !done) return done.error();
    left = left.subspan(n);
  }
  std::vector<std::optional<views::PeerBand>> out;
  for (auto& g : gathered) out.push_back(g.wanted ? std::optional(band_of(g, peers)) : std::nullopt);
  return out;
}

}  // namespace ghm::services
