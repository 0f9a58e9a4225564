#pragma once
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "api/api.h"
#include "api/keys.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::api::test {

using Json = nlohmann::json;
inline const Timestamp kNow = from_unix_ms(1'800'000'000'000);

/// Records in a map; fails on demand.
class Records final : public store::RecordStore {
 public:
  Result<void> put(std::span<const store::Record> records) override {
    if (broken) return Error{Errc::unavailable, "disk full"};
    for (const auto& r : records) kept[{r.kind, r.key}] = r;
    return {};
  }
  Result<std::optional<store::Record>> get(std::string_view kind, std::string_view key) const override {
    if (broken) return Error{Errc::unavailable, "disk full"};
    const auto found = kept.find({std::string(kind), std::string(key)});
    return found == kept.end() ? std::optional<store::Record>() : found->second;
  }
  Result<std::vector<store::Record>> scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                          std::size_t limit) const override {
    std::vector<store::Record> out;
    for (const auto& [name, r] : kept)
      if (r.kind == kind && r.key.starts_with(prefix) && r.key > after && out.size() < limit) out.push_back(r);
    return out;
  }
  Result<std::vector<store::Record>> recent(std::string_view kind, TimeRange range, std::size_t limit) const override {
    if (broken) return Error{Errc::unavailable, "disk full"};
    std::vector<store::Record> out;
    for (const auto& [name, r] : kept)
      if (r.kind == kind && range.contains(r.at)) out.push_back(r);
    std::ranges::sort(out, std::greater<>(), &store::Record::at);
    if (out.size() > limit) out.resize(limit);
    return out;
  }
  Result<bool> erase(std::string_view kind, std::string_view key) override { return kept.erase({std::string(kind), std::string(key)}) > 0; }

  std::map<std::pair<std::string, std::string>, store::Record> kept;
  bool broken = false;
};

/// Answers each aggregate with one bucket, and remembers what was asked for.
class Telemetry final : public store::TelemetryStore {
 public:
  struct Asked {
    store::SeriesKey series;
    TimeRange range;
    std::chrono::milliseconds width;
  };
  Result<void> append(std::span<const store::RowBatch>) override { return {}; }
  Result<std::vector<store::Point>> read(const store::SeriesKey&, TimeRange) const override { return std::vector<store::Point>(); }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey> series, TimeRange) const override {
    return std::vector<std::vector<store::Point>>(series.size());
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey& series, TimeRange range,
                                               std::chrono::milliseconds width) const override {
    asked.push_back({series, range, width});
    if (broken) return Error{Errc::unavailable, "disk gone"};
    const auto first = from_unix_ms(to_unix_ms(range.from) / width.count() * width.count());
    return std::vector{store::Bucket{first, 60, 64, 124, 64, 2}};
  }
  std::vector<store::Latest> latest(telemetry::BoardId board) const override {
    return {{{board, {}, telemetry::field::gpu_temp}, {kNow, 61}}, {{board, {}, telemetry::field::pcie_replay}, {kNow, 3}}};
  }
  std::vector<store::Latest> latest(telemetry::MetricId) const override { return {}; }
  Result<bool> maintain(Timestamp) override { return false; }
  store::StoreStats stats() const override { return {}; }

  mutable std::vector<Asked> asked;
  bool broken = false;
};

inline views::BoardView board(std::uint32_t id, std::string serial, std::string uuid, int slot) {
  views::BoardView v;
  v.board.id = static_cast<fleet::BoardId>(id);
  v.board.serial = std::move(serial);
  v.board.uuid = std::move(uuid);
  v.board.host = "gpu-host-1";
  v.board.slot = slot;
  v.board.model = "NVIDIA H100 80GB HBM3";
  v.board.place = {"eu", "dc1", "r1"};
  v.board.first_seen = kNow - 24h;
  v.board.last_seen = kNow;
  v.temperature = 61;
  return v;
}

inline constexpr const char* kUuid = "GPU-0123abcd-0000-0000-0000-00000000000a";

/// One host with two boards: one with serial and UUID, one with neither.
inline views::FleetSnapshot small_fleet(std::uint64_t generation = 1) {
  views::FleetSnapshot fleet;
  fleet.as_of = kNow;
  fleet.generation = generation;
  fleet.boards = {board(11, "1650001", kUuid, 0), board(12, "", "", 1)};
  views::HostView host;
  host.host.id = static_cast<fleet::BoardId>(10);
  host.host.name = "gpu-host-1";
  host.host.place = {"eu", "dc1", "r1"};
  host.boards = {0, 1};
  fleet.hosts = {host};
  fleet.by_name = std::make_shared<views::NameIndex>(views::NameIndex{{"1650001", 0}, {kUuid, 0}});
  return fleet;
}

/// A handler with all around it that a test can turn.
struct Site {
  Telemetry telemetry;
  Records records;
  FakeClock clock{kNow};
  std::shared_ptr<const views::FleetSnapshot> fleet = std::make_shared<views::FleetSnapshot>(small_fleet());
  AccessSettings access;
  std::string not_ready, not_writable;
  fleet::Ledger ledger;
  Result<void> disk;  // what becomes of what commands change
  int snapshots_made = 0;
  std::vector<std::pair<int, std::string>> counted;
  std::vector<std::string> log;
  std::function<void(remote_write::WriteRequest, bool, std::function<void(const Result<void>&)>)> remote_write;
  std::function<void(transport::PackedBatch, bool, std::function<void(const Result<void>&)>)> take_batch;
  ChangeCases change_cases;
  std::function<std::shared_ptr<const services::CasesNow>()> cases;
  http::Handler handler;

  void publish(std::uint64_t generation) { fleet = std::make_shared<views::FleetSnapshot>(small_fleet(generation)); }

  http::Response ask(const http::Request& request) {
    if (!handler)
      handler = make_handler({telemetry,
                              records,
                              [this] { return fleet; },
                              clock,
                              access,
                              [] { return std::string("ghm_up 1\n"); },
                              [this] { return not_ready; },
                              [this](int status, std::string_view route, double) { counted.emplace_back(status, route); },
                              [this](const auto& change, const auto& kept) {
                                change(ledger);
                                kept(disk);
                              },
                              [this] { return not_writable; },
                              {},
                              {},
                              remote_write,
                              take_batch,
                              {},
                              change_cases,
                              cases},
                             Log::to_memory(log));
    std::promise<http::Response> answered;
    handler(request, [&](http::Response r) { answered.set_value(std::move(r)); });
    return answered.get_future().get();
  }
};

/// "/path?a=b&c=d", from a loopback peer that calls the server localhost.
inline http::Request request(std::string_view target, std::map<std::string, std::string> headers = {}, std::string method = "GET") {
  http::Request q;
  q.method = std::move(method);
  q.path = target.substr(0, target.find('?'));
  for (auto rest = q.path.size() == target.size() ? std::string_view() : target.substr(q.path.size() + 1); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    const auto equals = std::min(pair.find('='), pair.size());
    q.query.emplace(pair.substr(0, equals), equals < pair.size() ? pair.substr(equals + 1) : "");
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  q.headers = std::move(headers);
  q.headers.emplace("host", "localhost:9480");
  q.peer = {"127.0.0.1", true, false, 9480};
  return q;
}

inline Json json_of(const http::Response& r) {
  return Json::parse(r.bytes(), nullptr, false);
}

inline std::string header_of(const http::Response& r, std::string_view name) {
  for (const auto& [key, value] : r.headers)
    if (key == name) return value;
  return {};
}

}  // namespace ghm::api::test
