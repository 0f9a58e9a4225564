// Stories of hosts that share a rack or a job: who is told, and who is not to blame.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/anomaly/anomaly_watch.h"

namespace ghm::anomaly {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

/// Hosts that rest for an hour and work for three, and so on, all at once. Boards are 101, 102, ... of host 1, 201 of host 2.
struct RackTest : ::testing::Test {
  struct Board {
    double warmer = 1, watts = 1, clock = 1, crc_a_minute = 0, crc = 0, joules = 1e6;
  };
  struct Host {
    AnomalyWatch watch;
    double air = 24;  // of its own: what its fans make of the room
    std::vector<Board> on;
  };

  void build(std::size_t count, std::size_t boards, const std::string& rack, const std::string& job = {},
             const std::vector<std::string>& models = {}) {
    hosts.resize(count);
    for (std::size_t h = 0; h < count; ++h) {
      auto& host = hosts[h];
      host.on.resize(boards);
      std::vector<Seat> seats(boards);
      for (std::size_t b = 0; b < boards; ++b) {
        seats[b].board = BoardId{static_cast<std::uint32_t>(100 * (h + 1) + b + 1)};
        seats[b].job = job;
        if (!models.empty()) seats[b].model = models[h % models.size()];
        for (std::size_t s = 0; s < kSlots; ++s) seats[b].columns.column[s] = static_cast<std::int32_t>(b * kSlots + s);
      }
      host.watch.stand(exchange, rack.empty() ? "" : rack == "own" ? "rack " + std::to_string(h) : rack);
      host.watch.seat(std::move(seats));
    }
  }

  void minute() {
    now += 1min;
    ++minutes;
    for (std::size_t h = 0; h < hosts.size(); ++h) live(h);
  }
  void live(std::size_t h) {
    auto& host = hosts[h];
    const bool works = minutes % 240 >= 60;
    std::vector<double> values(host.on.size() * kSlots);
    for (std::size_t b = 0; b < host.on.size(); ++b) {
      auto& board = host.on[b];
      const double ripple = 5 * static_cast<double>((minutes * 7 + b * 3 + h) % 5);  // W
      const double watts = (works ? 600 * board.watts : 90) + ripple;
      board.joules += 60 * watts;
      board.crc += board.crc_a_minute;
      const auto put = [&](Slot s, double v) { values[b * kSlots + index_of(s)] = v; };
      put(Slot::gpu_temp, std::round(room + host.air + 0.06 * watts * (0.95 + 0.01 * static_cast<double>((b + h) % 8)) * board.warmer));
      put(Slot::memory_temp, std::round(room + host.air + 0.065 * watts));
      put(Slot::power, watts);
      put(Slot::gpu_util, works ? 99 * std::min(1.0, board.watts) : 0);
      put(Slot::sm_clock, works ? 1900 * board.clock : 345);
      put(Slot::mem_clock, 2619);
      put(Slot::pcie_gen, 5);
      put(Slot::pcie_width, 16);
      put(Slot::power_limit, 700);
      put(Slot::links_up, 18);
      put(Slot::nvlink_crc, board.crc);
      put(Slot::energy, 1000 * board.joules);
    }
    if (!host.watch.page(now, values, 60s)) return;
    for (const auto& c : host.watch.minute(now, values, std::vector<bool>(host.on.size())))
      said.push_back(std::to_string(h + 1) + "/" + std::to_string(static_cast<int>(c.anomaly.board)) +
                     (c.opened ? " opened " : " cleared ") + std::string(to_string(c.anomaly.detector)) + " by " +
                     std::string(to_string(c.anomaly.peers)) + ": " + c.anomaly.sentence);
  }
  void pass(std::chrono::minutes span) {
    for (auto end = now + span; now < end;) minute();
  }

  std::shared_ptr<PeerExchange> exchange = std::make_shared<PeerExchange>();
  std::vector<Host> hosts;
  Timestamp now = kStart;
  std::size_t minutes = 0;
  double room = 0;
  std::vector<std::string> said;
};

TEST_F(RackTest, AHealthyWeekIsSilent) {
  build(4, 2, "r1");
  for (std::size_t h = 0; h < 4; ++h) hosts[h].air += static_cast<double>(h);
  pass(7 * 24h);
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(RackTest, PasteThatDriesOnAHostOfTwoIsFoundByTheRack) {
  build(4, 2, "r1");
  pass(72h);
  for (int minute = 0; minute < 9 * 1440; ++minute) {
    hosts[1].on[0].warmer += 0.012 / 1440;
    pass(1min);
  }
  EXPECT_THAT(said, Contains(StartsWith("2/201 opened cusum_drift by rack: GPU temperature rise")));
  EXPECT_THAT(said, Each(StartsWith("2/201 ")));
}

TEST_F(RackTest, ACoolerThatFailsOnAHostOfTwoIsFoundByTheRack) {
  build(4, 2, "r1");
  pass(24h);
  hosts[2].on[1].warmer = 1.5;
  pass(6h);
  EXPECT_THAT(said, Contains(AllOf(StartsWith("3/302 opened peer_residual by rack"), HasSubstr("peers in the rack 0 %"))));
  EXPECT_THAT(said, Each(StartsWith("3/302 ")));
}

TEST_F(RackTest, ABusyBoardAmongIdleOnesIsNotPunished) {
  build(4, 2, "r1");
  for (auto& host : hosts)
    for (auto& board : host.on) board.watts = 0.2;
  hosts[0].on[0].watts = 1;
  pass(48h);
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(RackTest, HostsOfAnotherModelAreNoPeers) {
  build(4, 2, "r1", {}, {"H100", "B200"});
  pass(24h);
  hosts[2].on[1].warmer = 1.5;
  pass(6h);
  EXPECT_THAT(said, Contains(StartsWith("3/302 opened robust_z by none"))) << "its own past knows";
  EXPECT_THAT(said, Not(Contains(HasSubstr("by rack")))) << "one other host of its model outvotes nobody";
}

TEST_F(RackTest, AHotRoomIsNobodysFault) {
  for (const std::size_t boards : {2u, 8u}) {
    build(4, boards, "r1");
    pass(30h);
    room += 14;
    pass(24h);
    EXPECT_THAT(said, IsEmpty()) << boards << " boards a host";
    room = 0;
    hosts.clear();
  }
}

TEST_F(RackTest, AHotHostInACoolRackIsToldOnceAsTheHost) {
  build(4, 8, "r1");
  pass(30h);
  hosts[3].air += 14;
  pass(12h);
  ASSERT_EQ(said.size(), 1u) << ::testing::PrintToString(said);
  EXPECT_THAT(said[0], StartsWith("4/0 opened"));
}

TEST_F(RackTest, AHostThatWasAlwaysHotIsToldByItsRack) {
  build(4, 8, "r1");
  hosts[3].air += 16;
  pass(12h);
  ASSERT_EQ(said.size(), 1u) << ::testing::PrintToString(said);
  EXPECT_THAT(said[0],
              AllOf(StartsWith("4/0 opened peer_residual by rack: the whole host: GPU temperature"), HasSubstr("peers in the rack")));
  hosts[3].air = 24;
  pass(12h);
  EXPECT_THAT(said.back(), StartsWith("4/0 cleared peer_residual"));
}

TEST_F(RackTest, AHotHostOfTwoIsToldAsTheHost) {
  build(4, 2, "r1");
  pass(30h);
  hosts[3].air += 16;
  pass(12h);
  ASSERT_THAT(said, Not(IsEmpty()));
  EXPECT_THAT(said, Each(StartsWith("4/0 ")));
}

TEST_F(RackTest, ASlowBoardInAJobOfThreeHostsIsFoundByTheJob) {
  build(3, 2, "own", "train-7");
  pass(24h);
  hosts[1].on[1].clock = 0.8;
  pass(6h);
  EXPECT_THAT(said, Contains(AllOf(StartsWith("2/202 opened peer_residual by job: SM clock"), HasSubstr("peers in the job"))));
  EXPECT_THAT(said, Each(StartsWith("2/202 ")));
}

TEST_F(RackTest, ASlowHostOfEightInAJobIsToldAsTheHost) {
  build(3, 8, "own", "train-7");
  for (auto& board : hosts[0].on) board.clock = 0.8;
  pass(12h);
  ASSERT_EQ(said.size(), 1u) << ::testing::PrintToString(said);
  EXPECT_THAT(said[0], StartsWith("1/0 opened peer_residual by job: the whole host: SM clock"));
}

TEST_F(RackTest, HostsOfAJobInRoomsOfTheirOwnAreNotComparedInTemperature) {
  build(4, 2, "own", "train-7");
  hosts[0].air += 16;
  pass(24h);
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(RackTest, AnErrorRateThatABoardAlwaysHadIsSeenAgainstItsPeers) {
  build(4, 2, "r1");
  for (auto& host : hosts)
    for (auto& board : host.on) board.crc_a_minute = 0.1;
  hosts[0].on[1].crc_a_minute = 2;
  pass(24h);
  EXPECT_THAT(said, Contains(StartsWith("1/102 opened")));
  EXPECT_THAT(said, Each(StartsWith("1/102 ")));
}

TEST_F(RackTest, WithoutARackOrAJobABoardOfTwoHasNoPeers) {
  build(4, 2, "");
  hosts[2].on[1].warmer = 1.5;
  hosts[0].on[0].clock = 0.8;
  pass(24h);
  EXPECT_THAT(said, IsEmpty()) << "nobody knows better";
}

TEST_F(RackTest, ARackThatFallsSilentLeavesNoOneJudgedByOldNumbers) {
  build(3, 2, "r1");
  pass(24h);
  for (std::size_t h = 1; h < 3; ++h) hosts[h].on.clear(), hosts[h].watch.seat({});
  hosts[0].on[0].warmer = 1.5;
  hosts[0].on[1].warmer = 1.5;
  pass(1h);
  EXPECT_THAT(said, Not(Contains(HasSubstr("by rack"))));
}

}  // namespace
}  // namespace ghm::anomaly
