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
  later.ledger.restore({kept.boards, kept.hosts, {}, {}});
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
  later.restore(
      {{*s.ledger.find("S1"), *s.ledger.find("S2"), *s.ledger.find("S3")}, {s.ledger.hosts().at("a"), s.ledger.hosts().at("b")}, {}, {}});
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

// ---- lives: intervals, replacements, inventory, maintenance

std::vector<std::string> told(const std::vector<Interval>& intervals) {
  std::vector<std::string> out;
  for (const auto& i : intervals) out.push_back(i.kind + " " + i.value);
  return out;
}

TEST(Ledger, ABoardsNamesAndPlacesAreIntervals) {
  Story s;
  auto g = gpu("S1", "U1", "00000000:01:00.0");
  g.driver_version = "550.1";
  const auto id = s.page("a", {g})[0];
  auto changes = s.ledger.take_changes();
  EXPECT_TRUE(changes.intervals.ended.empty());
  EXPECT_THAT(told(changes.intervals.open[id]), ElementsAre("slot a 00000000:01:00.0", "serial S1", "uuid U1", "driver 550.1"));

  s.pass(10s);
  s.page("a", {g});
  EXPECT_TRUE(s.ledger.take_changes().intervals.open.empty()) << "nothing new, nothing written";

  s.pass(10s);
  g.driver_version = "570.2";
  g.pci_bus_id = "00000000:02:00.0";
  s.page("a", {g});
  changes = s.ledger.take_changes();
  EXPECT_THAT(told(changes.intervals.ended), ElementsAre("slot a 00000000:01:00.0", "driver 550.1"));
  EXPECT_EQ(changes.intervals.ended[1].to, kStart + 20s);
  EXPECT_THAT(told(changes.intervals.open[id]), ElementsAre("serial S1", "uuid U1", "slot a 00000000:02:00.0", "driver 570.2"));
}

TEST(Ledger, JobsAreIntervals) {
  Story s;
  const auto ids = s.page("a", {gpu("S1", "U1")});
  s.ledger.take_changes();
  s.ledger.note_work(ids, {{{"ml/train-0/main"}, {"4711"}}}, s.now);
  s.ledger.note_work(ids, {{{"ml/train-0/main"}, {"4711"}}}, s.now + 10s);
  s.ledger.note_work(ids, {{{}, {"4712"}}}, s.now + 20s);
  const auto changes = s.ledger.take_changes().intervals;
  EXPECT_THAT(told(changes.ended), ElementsAre("pod ml/train-0/main", "job 4711"));
  EXPECT_EQ(changes.ended[0].from, s.now);
  EXPECT_EQ(changes.ended[0].to, s.now + 20s);
}

TEST(Ledger, AReplacedBoardIsOutOfServiceUntilItShowsUpAgain) {
  Story s;
  s.clock_jumps(0s);
  const auto old = s.page("a", {gpu("S1", "U1", "00000000:01:00.0")})[0];
  s.events();
  s.pass(10min);
  s.events();
  s.page("a", {gpu("S2", "U2", "00000000:01:00.0")});
  EXPECT_THAT(s.events(), ElementsAre("source_returned", "gpu_appeared", "gpu_replaced"));
  EXPECT_FALSE(s.ledger.find(old)->in_service);
  s.pass(10s);
  s.page("a", {gpu("S2", "U2", "00000000:01:00.0")});
  s.page("b", {gpu("S1", "U1", "00000000:07:00.0")});
  EXPECT_TRUE(s.ledger.find(old)->in_service) << "it came back from repair";
  EXPECT_THAT(s.events(), ElementsAre("gpu_moved", "gpu_returned"));
}

TEST(Ledger, ASwapReplacesNobody) {
  Story s;
  s.page("a", {gpu("S1", "U1", "00000000:01:00.0"), gpu("S2", "U2", "00000000:02:00.0")});
  s.events();
  s.page("a", {gpu("S2", "U2", "00000000:01:00.0"), gpu("S1", "U1", "00000000:02:00.0")});
  EXPECT_THAT(s.events(), ElementsAre("gpu_moved", "gpu_moved"));
}

TEST(Ledger, OneSerialTwiceOnAPageIsShown) {
  Story s;
  const auto ids = s.page("a", {gpu("S1", "U1"), gpu("S1", "U2")});
  EXPECT_NE(ids[0], BoardId::none);
  EXPECT_EQ(ids[1], BoardId::none);
  ASSERT_EQ(s.ledger.conflicts().size(), 1u);
  EXPECT_EQ(s.ledger.conflicts()[0].kind, "serial_twice");
  s.pass(60s);
  EXPECT_TRUE(s.ledger.conflicts().empty()) << "a claim that is not repeated has ended";
}

Asset asset(const std::string& serial, const std::string& host) {
  Asset a;
  a.serial = serial;
  a.uuid = "U-" + serial;
  a.model = "NVIDIA H200";
  a.host = host;
  a.pci_bus_id = "00000000:01:00.0";
  a.place = {"eu", "fra1", "R1"};
  a.deployed_at = kStart - std::chrono::days(400);
  a.attributes = {{"cage", "2"}};
  return a;
}

TEST(Ledger, TheInventoryMakesBoardsThatNobodyHasSeen) {
  Story s;
  const auto id = s.ledger.take_asset(asset("S1", "a"), false, s.now).value();
  EXPECT_EQ(s.ledger.take_asset(asset("S1", "a"), false, s.now).value(), id) << "the same again changes nothing";
  EXPECT_EQ(s.ledger.find("S1")->place.rack, "R1");
  EXPECT_EQ(s.ledger.find("S1")->first_seen, kStart - std::chrono::days(400));
  EXPECT_THAT(s.events(), ElementsAre());

  s.page("a", {gpu("S9", "U9")});
  s.pass(10s);
  s.page("a", {gpu("S9", "U9")});
  s.pass(15s);
  s.page("a", {gpu("S9", "U9")});
  s.pass(10s);
  EXPECT_THAT(s.events(), ElementsAre("gpu_appeared", "gpu_missing")) << "its host answers without it";
  EXPECT_EQ(s.page("a", {gpu("S1", "U1")})[0], id);
}

TEST(Ledger, ThePageIsBelievedAndTheInventorysClaimShown) {
  Story s;
  const auto id = s.page("a", {gpu("S1", "U1")})[0];
  ASSERT_EQ(s.ledger.take_asset(asset("S1", "b"), false, s.now).value(), id);
  EXPECT_EQ(s.ledger.find(id)->host, "a");
  ASSERT_EQ(s.ledger.conflicts().size(), 1u);
  EXPECT_EQ(s.ledger.conflicts()[0].kind, kInventoryPlace);
  s.pass(60s);
  EXPECT_EQ(s.ledger.conflicts().size(), 1u) << "it stands until one of them changes";
  ASSERT_TRUE(s.ledger.take_asset(
      [] {
        auto a = asset("S1", "a");
        a.batch = "B7";
        return a;
      }(),
      false, s.now));
  s.pass(1s);
  EXPECT_TRUE(s.ledger.conflicts().empty());
  EXPECT_EQ(s.ledger.find(id)->asset->batch, "B7");
}

TEST(Ledger, StaysInAnyOrderMakeOneLife) {
  auto first = asset("S1", "a");
  first.retired_at = kStart - std::chrono::days(100);
  auto second = asset("S1", "b");
  second.deployed_at = kStart - std::chrono::days(90);
  for (const bool turned : {false, true}) {
    Story s;
    for (const auto& stay : turned ? std::vector{second, first} : std::vector{first, second})
      ASSERT_TRUE(s.ledger.take_asset(stay, true, s.now));
    const auto& b = *s.ledger.find("S1");
    EXPECT_TRUE(b.in_service);
    EXPECT_TRUE(b.simulated);
    EXPECT_EQ(b.host, "b");
    const auto changes = s.ledger.take_changes().intervals;
    ASSERT_EQ(changes.ended.size(), 1u);
    EXPECT_EQ(changes.ended[0].facts.at("host"), "a");
    EXPECT_EQ(changes.ended[0].to, first.retired_at);
    ASSERT_EQ(changes.open.at(b.id).size(), 1u);
    EXPECT_EQ(changes.open.at(b.id)[0].facts.at("host"), "b");
    EXPECT_EQ(changes.open.at(b.id)[0].from, *second.deployed_at) << turned;
  }
}

TEST(Ledger, ARetiredBoardIsOutOfServiceButNotForEver) {
  Story s;
  const auto id = s.page("a", {gpu("S1", "U1")})[0];
  s.events();
  auto a = asset("S1", "a");
  a.retired_at = s.now;
  ASSERT_TRUE(s.ledger.take_asset(a, false, s.now));
  EXPECT_FALSE(s.ledger.find(id)->in_service);
  EXPECT_THAT(s.events(), ElementsAre("gpu_retired"));
  s.pass(10s);
  s.page("a", {gpu("S1", "U1")});
  EXPECT_FALSE(s.ledger.find(id)->in_service) << "pulled out a little later than written";
  s.pass(25h);
  s.page("a", {gpu("S1", "U1")});
  EXPECT_TRUE(s.ledger.find(id)->in_service);
}

TEST(Ledger, AnAssetWithoutANameIsRefused) {
  Ledger ledger;
  EXPECT_EQ(ledger.take_asset({}, false, kStart).error().code, Errc::invalid_input);
  auto a = asset("S1", "a");
  a.retired_at = *a.deployed_at - 1h;
  EXPECT_EQ(ledger.take_asset(a, false, kStart).error().code, Errc::invalid_input);
}

TEST(Ledger, SilenceUnderMaintenanceIsToldOnlyIfItStays) {
  Story s;
  s.page("a", {gpu("S1", "U1")});
  s.events();
  ASSERT_TRUE(s.ledger.start_maintenance("a", std::nullopt, "new fans", "ops", s.now));
  EXPECT_EQ(s.ledger.start_maintenance("a", std::nullopt, "", "", s.now).error().code, Errc::conflict);
  EXPECT_THAT(s.events(), ElementsAre("maintenance"));
  s.pass(60s);
  s.pass(60s);
  EXPECT_THAT(s.events(), ElementsAre()) << "everybody knows";
  ASSERT_TRUE(s.ledger.end_maintenance("a", s.now));
  s.pass(1s);
  EXPECT_THAT(s.events(), ElementsAre("maintenance", "source_silent")) << "but it did not come back";
  EXPECT_EQ(s.ledger.end_maintenance("a", s.now).error().code, Errc::not_found);
}

TEST(Ledger, MaintenanceIsOfABoardAHostOrARack) {
  Story s;
  s.page("a", {gpu("1234567890", "U1")});
  EXPECT_EQ(s.ledger.start_maintenance("7890", s.now + 1h, "", "", s.now)->scope, Maintenance::Scope::gpu);
  EXPECT_EQ(s.ledger.start_maintenance("R1", s.now + 1h, "", "", s.now)->scope, Maintenance::Scope::rack);
  EXPECT_EQ(s.ledger.start_maintenance("nowhere", std::nullopt, "", "", s.now).error().code, Errc::not_found);
  EXPECT_EQ(s.ledger.start_maintenance("a", s.now, "", "", s.now).error().code, Errc::invalid_input);
  const auto& b = *s.ledger.find("U1");
  EXPECT_NE(s.ledger.maintenance().covering(b, s.now), nullptr);
  EXPECT_EQ(s.ledger.maintenance().covering(b, s.now + 1h), nullptr);
  EXPECT_EQ(s.ledger.maintenance().windows(b, {s.now - 1h, s.now + 30min}).size(), 2u);
}

TEST(Ledger, WhatWasToldIsNotToldAgainAfterARestart) {
  Story s;
  s.ledger.notice_silence(s.now);
  s.page("a", {gpu("S1", "U1")});
  s.pass(60s);
  const auto kept = s.ledger.take_changes();
  Story later;
  later.now = s.now + 1min;
  later.ledger.restore({kept.boards, kept.hosts, {}, {}});
  later.ledger.notice_silence(later.now);
  later.pass(60s);
  EXPECT_THAT(later.events(), ElementsAre());
  later.page("a", {gpu("S1", "U1")});
  const auto changes = later.ledger.take_changes();
  ASSERT_EQ(changes.intervals.ended.size(), 1u);
  EXPECT_EQ(changes.intervals.ended[0].kind, "silence");
  EXPECT_EQ(changes.intervals.ended[0].from, kStart) << "since its last answer";
}

}  // namespace
}  // namespace ghm::fleet
