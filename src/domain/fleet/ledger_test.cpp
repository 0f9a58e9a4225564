#include "domain/fleet/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghm::fleet {
namespace {

using telemetry::GpuIdentity;
using ::testing::ElementsAre;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

GpuIdentity gpu(const std::string& serial, const std::string& uuid, const std::string& pci = "", int index = 0) {
  GpuIdentity g;
  g.serial = serial;
  g.uuid = uuid;
  g.pci_bus_id = pci;
  g.index = index;
  g.model = "NVIDIA H200";
  return g;
}

/// A fleet told in lines: pages arrive, time passes, events are read.
struct Story {
  Ledger ledger;
  Timestamp now = kStart;

  Sighting from(const std::string& host) const { return {host + ":9400", host, {"eu", "fra1", "R1"}, false, 10s, now}; }
  std::vector<BoardId> page(const std::string& host, const std::vector<GpuIdentity>& gpus) { return ledger.sight(from(host), gpus); }
  void pass(std::chrono::seconds d) {
    for (const auto end = now + d; now < end;) {  // looked at regularly, as by a program
      now = std::min<Timestamp>(end, now + 5s);
      ledger.notice_silence(now);
    }
  }
  void clock_jumps(std::chrono::seconds d) {
    now += d;
    ledger.notice_silence(now);
  }
  std::vector<std::string> events() {
    std::vector<std::string> kinds;
    for (const auto& e : ledger.take_changes().events) kinds.push_back(e.kind);
    return kinds;
  }
};

TEST(Ledger, ABoardKeepsItsIdentityWhereverItGoes) {
  Story s;
  const auto first = s.page("a", {gpu("S1", "U1", "00000000:01:00.0"), gpu("S2", "U2", "00000000:02:00.0", 1)});
  EXPECT_NE(first[0], first[1]);
  EXPECT_THAT(s.events(), ElementsAre("gpu_appeared", "gpu_appeared"));
  EXPECT_EQ(s.page("a", {gpu("S1", "U1", "00000000:01:00.0"), gpu("S2", "U2", "00000000:02:00.0", 1)}), first);
  EXPECT_THAT(s.events(), ElementsAre());

  // The driver counts anew: another index is not a move.
  EXPECT_EQ(s.page("a", {gpu("S1", "U1", "00000000:01:00.0", 1), gpu("S2", "U2", "00000000:02:00.0", 0)}), first);
  EXPECT_THAT(s.events(), ElementsAre());
  EXPECT_EQ(s.ledger.find(first[0])->slot, 1);

  // Swapped in the chassis.
  EXPECT_EQ(s.page("a", {gpu("S1", "U1", "00000000:02:00.0"), gpu("S2", "U2", "00000000:01:00.0", 1)}), first);
  EXPECT_THAT(s.events(), ElementsAre("gpu_moved", "gpu_moved"));

  s.pass(60s);
  s.page("a", {gpu("S2", "U2", "00000000:01:00.0", 0)});
  EXPECT_EQ(s.page("b", {gpu("S1", "U1", "00000000:01:00.0")})[0], first[0]);
  EXPECT_EQ(s.ledger.find(first[0])->host, "b");
}

TEST(Ledger, AliasesAreLearnt) {
  Story s;
  const auto by_address = s.page("a", {gpu("", "", "00000000:01:00.0")});
  EXPECT_EQ(s.page("a", {gpu("", "U1", "00000000:01:00.0")}), by_address) << "the UUID appears later";
  EXPECT_EQ(s.page("a", {gpu("S1", "U1", "00000000:01:00.0")}), by_address) << "then the serial";
  EXPECT_EQ(s.page("a", {gpu("", "U1")}), by_address) << "an exporter without label rows";
  EXPECT_EQ(s.ledger.find("S1")->id, by_address[0]);
  EXPECT_EQ(s.ledger.find("U1")->id, by_address[0]);
}

TEST(Ledger, AnotherBoardInTheSameSlotIsAnotherBoard) {
  Story s;
  const auto old = s.page("a", {gpu("S1", "U1", "00000000:01:00.0")});
  s.pass(30s);
  EXPECT_NE(s.page("a", {gpu("S2", "U2", "00000000:01:00.0")}), old);
  EXPECT_NE(s.page("a", {gpu("", "U3", "00000000:01:00.0")}), old);
}

TEST(Ledger, TheSerialIsStrongerThanTheUuid) {
  Story s;
  const auto a = s.page("a", {gpu("S1", "U1")});
  EXPECT_NE(s.page("b", {gpu("S2", "U1")}), a);
}

TEST(Ledger, NobodyIsNobody) {
  Story s;
  EXPECT_THAT(s.page("a", {gpu("", "")}), ElementsAre(BoardId::none));
}

TEST(Ledger, TwoHostsClaimOneBoard) {
  Story s;
  const auto a = s.page("a", {gpu("S1", "U1")});
  s.events();
  for (int i = 0; i < 3; ++i) EXPECT_THAT(s.page("b", {gpu("S1", "U1")}), ElementsAre(BoardId::none));
  EXPECT_THAT(s.events(), ElementsAre("identity_conflict")) << "told once";
  EXPECT_EQ(s.ledger.find("S1")->host, "a");
  s.pass(60s);
  EXPECT_EQ(s.page("b", {gpu("S1", "U1")}), a) << "once the first claim has ended it is a move";
}

TEST(Ledger, SilenceAndReturnOfAHost) {
  Story s;
  s.ledger.notice_silence(s.now);
  s.page("a", {gpu("S1", "U1")});
  s.events();
  s.pass(15s);
  EXPECT_FALSE(s.ledger.is_silent(*s.ledger.find("S1"), s.now));
  EXPECT_THAT(s.events(), ElementsAre());
  s.pass(10s);
  EXPECT_TRUE(s.ledger.is_silent(*s.ledger.find("S1"), s.now));
  s.pass(10s);
  EXPECT_THAT(s.events(), ElementsAre("source_silent")) << "one event for the host, none for its boards";
  s.page("a", {gpu("S1", "U1")});
  EXPECT_THAT(s.events(), ElementsAre("source_returned"));
}

TEST(Ledger, ABoardGoneFromItsPage) {
  Story s;
  s.ledger.notice_silence(s.now);
  s.page("a", {gpu("S1", "U1"), gpu("S2", "U2")});
  s.events();
  for (int i = 0; i < 4; ++i) {
    s.pass(10s);
    s.page("a", {gpu("S1", "U1")});
  }
  EXPECT_THAT(s.events(), ElementsAre("gpu_missing"));
  s.page("a", {gpu("S1", "U1"), gpu("S2", "U2")});
  EXPECT_THAT(s.events(), ElementsAre("gpu_returned"));
}

TEST(Ledger, ARestartForgetsNothingAndRaisesNoStorm) {
  Story s;
  const auto ids = s.page("a", {gpu("S1", "U1"), gpu("S2", "U2")});
  auto kept = s.ledger.take_changes();
  Story later;
  later.now = s.now + 24h;
  later.ledger.restore(kept.boards, kept.hosts);
  later.clock_jumps(0s);
  later.pass(15s);
  EXPECT_THAT(later.events(), ElementsAre()) << "two intervals to answer before it counts as silence";
  EXPECT_EQ(later.page("a", {gpu("S1", "U1"), gpu("S2", "U2")}), ids);
  EXPECT_NE(later.page("b", {gpu("S3", "U3")})[0], ids[1]) << "numbers are not given twice";
  EXPECT_EQ(later.ledger.find("S1")->first_seen, kStart);
}

TEST(Ledger, AClockThatJumpsRaisesNoStormAndHidesNoSilence) {
  for (const auto jump : {std::chrono::seconds(-3600), std::chrono::seconds(86'400), std::chrono::seconds(30)}) {
    Story s;
    s.clock_jumps(0s);
    s.page("a", {gpu("S1", "U1")});
    s.page("b", {gpu("S2", "U2")});
    s.events();
    s.clock_jumps(jump);
    s.pass(10s);
    EXPECT_THAT(s.events(), ElementsAre()) << jump.count() << " s: nobody had the time to answer";
    s.page("a", {gpu("S1", "U1")});
    s.pass(15s);
    EXPECT_THAT(s.events(), ElementsAre("source_silent")) << jump.count() << " s: b has not answered since";
    EXPECT_TRUE(s.ledger.is_silent(*s.ledger.find("S2"), s.now));
    EXPECT_FALSE(s.ledger.is_silent(*s.ledger.find("S1"), s.now));
    s.clock_jumps(-jump);
    s.page("a", {gpu("S1", "U1")});
    s.pass(10s);
    s.page("b", {gpu("S2", "U2")});
    EXPECT_THAT(s.events(), ElementsAre("source_returned")) << jump.count();
  }
}

TEST(Ledger, LastSeenIsWrittenEveryFiveMinutesOnly) {
  Story s;
  s.page("a", {gpu("S1", "U1")});
  EXPECT_EQ(s.ledger.take_changes().boards.size(), 1u);
  std::size_t written = 0;
  for (int i = 0; i < 60; ++i) {
    s.pass(10s);
    s.page("a", {gpu("S1", "U1")});
    written += s.ledger.take_changes().boards.size();
  }
  EXPECT_EQ(written, 2u);
}

TEST(Ledger, SimulatedIsForEver) {
  Story s;
  auto sighting = s.from("a");
  sighting.simulated = true;
  s.ledger.sight(sighting, {gpu("S1", "U1")});
  s.page("a", {gpu("S1", "U1")});
  s.page("a", {gpu("S1", "U1", "00000000:01:00.0")});
  EXPECT_TRUE(s.ledger.find("S1")->simulated);
}

TEST(Ledger, FindsByTheEndOfASerialUnlessAmbiguous) {
  Story s;
  s.page("a", {gpu("1650123000042", "U1"), gpu("1650123000043", "U2"), gpu("1650999000043", "U3")});
  ASSERT_NE(s.ledger.find("0042"), nullptr);
  EXPECT_EQ(s.ledger.find("0042")->uuid, "U1");
  EXPECT_EQ(s.ledger.find("0043"), nullptr);
  EXPECT_EQ(s.ledger.find("042"), nullptr);
}

TEST(Ledger, ADriverChangeIsAnEvent) {
  Story s;
  auto g = gpu("S1", "U1");
  g.driver_version = "550.54.15";
  s.page("a", {g});
  s.events();
  g.driver_version = "570.86.15";
  s.page("a", {g});
  EXPECT_THAT(s.events(), ElementsAre("driver_change"));
}

TEST(Ledger, PresenceSaysOfEveryBoardWhatItsRecordSays) {
  Story s;
  s.page("a", {gpu("S1", "U1"), gpu("S2", "U2", "", 1)});
  s.page("b", {gpu("S3", "U3")});
  Ledger later;
  later.restore({*s.ledger.find("S1"), *s.ledger.find("S2"), *s.ledger.find("S3")}, {s.ledger.hosts().at("a"), s.ledger.hosts().at("b")});
  s.pass(15s);
  s.page("a", {gpu("S2", "U2", "", 1)});
  s.pass(10s);
  for (const auto* ledger : {&s.ledger, &later}) {
    const auto presence = ledger->presence(s.now);
    ASSERT_EQ(presence.size(), 3u);
    for (const auto& p : presence) {
      EXPECT_EQ(p.last_seen, ledger->find(p.id)->last_seen);
      EXPECT_EQ(p.silent, ledger->is_silent(*ledger->find(p.id), s.now));
    }
  }
  EXPECT_FALSE(s.ledger.is_silent(*s.ledger.find("S2"), s.now));
  EXPECT_TRUE(s.ledger.is_silent(*s.ledger.find("S1"), s.now));
}

TEST(Ledger, AHostThatNeverAnsweredIsKnownWithItsReason) {
  Story s;
  s.ledger.no_answer(s.from("dead"), "dead:9400 refused the connection");
  EXPECT_TRUE(s.ledger.is_silent(s.ledger.hosts().at("dead"), s.now));
  EXPECT_EQ(s.ledger.take_changes().hosts.at(0).last_error, "dead:9400 refused the connection");
}

}  // namespace
}  // namespace ghm::fleet
