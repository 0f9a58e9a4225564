// Any text in any place of a request gets an answer that is JSON and no fault of ours, and never reads a file.
#include "core/hostile_strings_for_test.h"

#include <gtest/gtest.h>

#include "api/world_for_test.h"
#include "core/utf8.h"

namespace ghm::api::test {
namespace {

void expect_sane(const http::Response& r, const std::string& where) {
  EXPECT_LT(r.status, 500) << where;
  EXPECT_TRUE(is_utf8(r.bytes())) << where;
  EXPECT_FALSE(json_of(r).is_discarded()) << where << ": " << std::string(r.bytes()).substr(0, 200);
  EXPECT_EQ(std::string(r.bytes()).find("root:"), std::string::npos) << where << ": that was /etc/passwd";
  for (const auto& [name, value] : r.headers) EXPECT_EQ(value.find_first_of("\r\n"), value.npos) << where << ": a header was split";
}

TEST(HostileStrings, AreAnsweredInPaths) {
  Site site;
  for (const auto& text : hostile_strings())
    for (const auto* end : {"", "/health", "/metrics", "/ledger"}) {
      auto q = request("/api/v1/gpus/x");
      q.path = "/api/v1/gpus/" + text + end;
      expect_sane(site.ask(q), "gpus/{id}" + std::string(end) + " " + text.substr(0, 80));
    }
}

TEST(HostileStrings, AreAnsweredInParameters) {
  Site site;
  struct Place {
    const char *path, *name;
  };
  constexpr Place places[] = {
      {"/api/v1/gpus", "q"},
      {"/api/v1/gpus", "sort"},
      {"/api/v1/gpus", "limit"},
      {"/api/v1/gpus", "after"},
      {"/api/v1/gpus", "host"},
      {"/api/v1/gpus", "model"},
      {"/api/v1/events", "kind"},
      {"/api/v1/events", "limit"},
      {"/api/v1/gpus/1650001/metrics", "metrics"},
      {"/api/v1/gpus/1650001/metrics", "start"},
      {"/api/v1/gpus/1650001/metrics", "interval"},
      {"/api/v1/fleet/summary", "x"},
  };
  for (const auto& text : hostile_strings())
    for (const auto& place : places) {
      auto q = request(place.path);
      q.query.emplace(place.name, text);
      expect_sane(site.ask(q), std::string(place.path) + "?" + place.name + "=" + text.substr(0, 80));
    }
}

TEST(HostileStrings, AreAnsweredInNamesOfParametersAndHeaders) {
  Site site;
  for (const auto& text : hostile_strings()) {
    auto q = request("/api/v1/gpus");
    q.query.emplace(text, "1");
    expect_sane(site.ask(q), "?" + text.substr(0, 80));
    auto bearer = request("/api/v1/gpus");
    bearer.headers["authorization"] = "Bearer " + text;
    expect_sane(site.ask(bearer), "authorization " + text.substr(0, 80));
  }
}

TEST(HostileStrings, InTheLedgerComeOutAsJson) {
  for (const auto& text : hostile_strings()) {
    Site site;
    auto fleet = small_fleet();
    auto& board = fleet.boards[0].board;
    board.serial = board.model = board.host = board.driver_version = text;
    fleet.hosts[0].host.name = fleet.hosts[0].host.last_error = text;
    fleet.by_name = std::make_shared<views::NameIndex>(views::NameIndex{{text, 0}});
    site.fleet = std::make_shared<views::FleetSnapshot>(fleet);
    site.records.kept[{"event", text}] = {"event", text, kNow - 1min, text};
    for (const auto* path : {"/api/v1/gpus", "/api/v1/fleet/summary", "/api/v1/fleet/layout", "/api/v1/events"})
      expect_sane(site.ask(request(path)), std::string(path) + " with " + text.substr(0, 80));
  }
}

}  // namespace
}  // namespace ghm::api::test
