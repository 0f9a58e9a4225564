#include "pipeline/ledger_records.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ghm::pipeline {
namespace {

fleet::Board board() {
  fleet::Board b;
  b.id = static_cast<fleet::BoardId>(42);
  b.serial = "1650123000042";
  b.uuid = "GPU-11111111-2222-3333-4444-555555555555";
  b.pci_bus_id = "00000000:65:00.0";
  b.model = "NVIDIA H100 80GB HBM3";
  b.driver_version = "550.54.15";
  b.vbios_version = "96.00.74.00.1A";
  b.host = "h1 \"quoted\"";
  b.slot = 3;
  b.place = {"eu", "fra1", "R07"};
  b.simulated = true;
  b.in_service = false;
  b.first_seen = from_unix_ms(1'700'000'000'123);
  b.last_seen = from_unix_ms(1'700'000'100'456);
  return b;
}

TEST(LedgerRecords, ABoardComesBackWhole) {
  const auto back = parse_board(to_record(board()));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(to_record(*back), to_record(board()));
  EXPECT_EQ(back->place, board().place);
  EXPECT_EQ(back->first_seen, board().first_seen);
  EXPECT_TRUE(back->simulated);
  EXPECT_FALSE(back->in_service);
}

TEST(LedgerRecords, AHostComesBackWholeWhateverItsExporterSaid) {
  fleet::Host h;
  h.id = static_cast<fleet::BoardId>(7);
  h.name = "gpu-host-1";
  h.interval = std::chrono::milliseconds(15'000);
  h.last_error = "answered 500: \xff\xfe";  // not UTF-8: an error page may hold anything
  const auto back = parse_host(to_record(h));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->id, h.id);
  EXPECT_EQ(back->interval, h.interval);
}

TEST(LedgerRecords, KeysSortAsNumbersDo) {
  auto a = board(), b = board();
  a.id = static_cast<fleet::BoardId>(9);
  b.id = static_cast<fleet::BoardId>(10);
  EXPECT_LT(to_record(a).key, to_record(b).key);
}

TEST(LedgerRecords, AnEventNamesItsBoardBySerialElseUuid) {
  const fleet::FleetEvent event{from_unix_ms(5'000), "gpu_moved", board().id, "h1", "moved"};
  auto b = board();
  EXPECT_EQ(nlohmann::json::parse(to_record(event, &b, 1).body)["gpu"], b.serial);
  b.serial.clear();
  EXPECT_EQ(nlohmann::json::parse(to_record(event, &b, 1).body)["gpu"], b.uuid);
  EXPECT_LT(to_record(event, nullptr, 1).key, to_record(event, nullptr, 2).key);
}

TEST(LedgerRecords, ADamagedRecordStopsTheStart) {
  auto r = to_record(board());
  for (const auto* body : {"", "{}", "[1]", "{\"id\":\"x\"}"}) {
    r.body = body;
    const auto back = parse_board(r);
    ASSERT_FALSE(back) << body;
    EXPECT_EQ(back.error().code, Errc::corrupt);
    EXPECT_NE(back.error().what.find(r.key), std::string::npos);
  }
}

}  // namespace
}  // namespace ghm::pipeline
