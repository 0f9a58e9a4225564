#include "pipeline/live_view.h"

#include <gtest/gtest.h>

namespace ghm::pipeline {
namespace {

fleet::BoardId id(unsigned n) {
  return static_cast<fleet::BoardId>(n);
}

fleet::Board board(unsigned n, const std::string& rack, const std::string& host, int slot) {
  fleet::Board b;
  b.id = id(n);
  b.serial = "S" + std::to_string(n);
  b.uuid = "U" + std::to_string(n);
  b.host = host;
  b.slot = slot;
  b.place = {"eu", "fra1", rack};
  return b;
}

fleet::Host host(unsigned n, const std::string& rack, const std::string& name) {
  fleet::Host h;
  h.id = id(n);
  h.name = name;
  h.place = {"eu", "fra1", rack};
  return h;
}

LiveUpdate two_hosts() {
  LiveUpdate u;
  u.as_of = from_unix_ms(1000);
  u.boards = {board(3, "R2", "b", 1), board(2, "R2", "b", 0), board(5, "R1", "a", 0)};
  u.hosts = {host(1, "R2", "b"), host(4, "R1", "a")};
  return u;
}

TEST(LiveView, BoardsStandInLayoutOrderAndAreFoundByName) {
  LiveView view;
  view.apply(two_hosts());
  const auto fleet = view.current();
  ASSERT_EQ(fleet->boards.size(), 3u);
  EXPECT_EQ(fleet->boards[0].board.serial, "S5");
  EXPECT_EQ(fleet->boards[1].board.serial, "S2");
  EXPECT_EQ(fleet->boards[2].board.serial, "S3");
  EXPECT_EQ(fleet->by_name->at("U3"), 2u);
  ASSERT_EQ(fleet->hosts.size(), 2u);
  EXPECT_EQ(fleet->hosts[1].boards, (std::vector<std::size_t>{1, 2}));
}

TEST(LiveView, ABoardThatLearnsItsSerialIsFoundByIt) {
  LiveView view;
  auto first = two_hosts();
  first.boards[0].serial.clear();
  view.apply(std::move(first));
  EXPECT_EQ(view.current()->by_name->count("S3"), 0u);
  const auto before = view.current();
  view.apply({});
  EXPECT_EQ(view.current()->by_name, before->by_name) << "made anew although nobody came, went or was renamed";
  LiveUpdate later;
  later.boards = {board(3, "R2", "b", 1)};
  view.apply(std::move(later));
  EXPECT_EQ(view.current()->by_name->at("S3"), 2u);
}

TEST(LiveView, LiveValuesAreShownAndAbsentOnesAreNot) {
  LiveView view;
  view.apply(two_hosts());
  LiveUpdate u;
  u.live = {{id(2), from_unix_ms(5000), false, {61, telemetry::absent(), 300, 97, 1980}}, {id(3), {}, true, {}}};
  view.apply(std::move(u));
  const auto fleet = view.current();
  EXPECT_EQ(fleet->boards[1].temperature, 61);
  EXPECT_EQ(fleet->boards[1].memory_temperature, std::nullopt);
  EXPECT_EQ(fleet->boards[1].board.last_seen, from_unix_ms(5000));
  EXPECT_TRUE(fleet->boards[2].silent);
}

TEST(LiveView, ASnapshotNeverChangesAfterItWasTaken) {
  LiveView view;
  view.apply(two_hosts());
  const auto before = view.current();
  LiveUpdate u;
  u.boards = {board(9, "R0", "c", 0)};
  view.apply(std::move(u));
  EXPECT_EQ(before->boards.size(), 3u);
  EXPECT_EQ(view.current()->boards.size(), 4u);
  EXPECT_EQ(view.current()->boards[0].board.serial, "S9");
  EXPECT_GT(view.current()->generation, before->generation);
}

TEST(LiveView, ReportsAppearWithTheNextUpdateAndStay) {
  LiveView view;
  view.apply(two_hosts());
  auto report = std::make_shared<health::Report>();
  report->overall = 73;
  view.set_reports({{id(5), report}, {id(777), report}});
  EXPECT_EQ(view.current()->boards[0].health, nullptr);
  view.apply({});
  view.apply({});
  ASSERT_NE(view.current()->boards[0].health, nullptr);
  EXPECT_EQ(view.current()->boards[0].health->overall, 73);
}

}  // namespace
}  // namespace ghm::pipeline
