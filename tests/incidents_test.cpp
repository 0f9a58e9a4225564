#include "services/incidents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "pipeline/ledger_records.h"
#include "services/incident_records.h"

namespace ghm::services {
namespace {

using faults::State;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

/// A ledger of one host, a store, and the incidents between them.
struct Site {
  fleet::Ledger ledger;
  memory::MemoryStore store;
  std::unique_ptr<Incidents> incidents;
  std::vector<fleet::BoardId> boards;
  std::uint64_t sequence = 0;
  faults::FaultCatalogue codes = faults::FaultCatalogue::built_in();

  Site() {
    fleet::Sighting s;
    s.source = "h1:9400";
    s.host = "h1";
    s.place = {"eu", "dc1", "r1"};
    s.at = kNow;
    std::vector<telemetry::GpuIdentity> gpus(8);
    for (std::size_t g = 0; g < gpus.size(); ++g) {
      gpus[g].serial = "165000000000" + std::to_string(g);
      gpus[g].model = "NVIDIA H100 80GB HBM3";
      gpus[g].driver_version = "570.86.15";
    }
    boards = ledger.sight(s, gpus);
    start();
  }
  void start() {
    incidents = std::make_unique<Incidents>(ledger, std::make_shared<faults::FaultCatalogue>(codes), Log::off());
    const auto done = incidents->restore(store, kNow);
    EXPECT_TRUE(done) << done.error().what;
  }
  store::Record event(Timestamp at, std::string kind, std::size_t gpu, int code = 0) {
    const auto* board = ledger.find(boards[gpu]);
    fleet::FleetEvent e{at, std::move(kind), board->id, board->host, "something happened"};
    e.code = code;
    return pipeline::to_record(e, board, ++sequence);
  }
  /// What the ingest does: records pass by and are kept, all in one.
  void keep(std::vector<store::Record> records, Timestamp now) {
    incidents->take(records, now);
    ASSERT_TRUE(store.put(records));
  }
  faults::Incident kept(std::uint64_t id) {
    const auto record = store.get("incident", fmt::format("{:010}", id));
    EXPECT_TRUE(record && *record);
    auto incident = parse_incident(**record);
    EXPECT_TRUE(incident) << incident.error().what;
    return incident ? *incident : faults::Incident();
  }
  std::string cause(std::uint64_t id) {
    const auto* i = incidents->book().find(id);
    const auto r = incidents->book().ranking(*i);
    return r.cannot_tell ? "cannot_tell" : incidents->book().causes().causes()[r.causes[0].cause].name;
  }
};

TEST(Incidents, AnEventAndItsIncidentAreOneTransaction) {
  Site site;
  std::vector<store::Record> records{site.event(kNow, "xid", 2, 79)};
  site.incidents->take(records, kNow);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].kind, "event");
  EXPECT_EQ(records[1].kind, "incident");
  EXPECT_EQ(site.cause(1), "off_bus");
}

TEST(Incidents, ABetterWitnessOfAnEventSaysMoreAndCountsNothing) {
  Site site;
  auto gauge = site.event(kNow, "xid", 2, 79);
  site.keep({gauge}, kNow);
  auto line = gauge;
  line.at -= 20s;
  line.body.insert(1, R"("fields":{"process":"python3","pid":"4711"},)");
  site.keep({line}, kNow + 1s);
  const auto* i = site.incidents->book().find(1);
  ASSERT_EQ(i->lines.size(), 1u);
  EXPECT_EQ(i->lines[0].process, "python3");
  EXPECT_EQ(i->opened, kNow - 20s);
  EXPECT_EQ(i->counts.begin()->second, 1);
  EXPECT_EQ(site.kept(1).lines[0].process, "python3");
}

TEST(Incidents, TheNumberingOfTheBoardsDriverDecidesAlsoWhereTheNewestSaysNothing) {
  Site site;
  const auto own = site.codes.with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "79,renamed,other,driver,info,none,,,,1d,,600-,,\n",
      "site.csv");
  ASSERT_TRUE(own) << own.error().what;
  site.codes = *own;
  site.start();
  site.keep({site.event(kNow, "xid", 2, 79)}, kNow);
  ASSERT_NE(site.incidents->book().find(1), nullptr) << "driver 570 is of the older numbering";
  EXPECT_EQ(site.cause(1), "off_bus");
}

TEST(Incidents, WhatComesAgainChangesNothing) {
  Site site;
  std::vector<store::Record> records{site.event(kNow, "xid", 2, 79)};
  site.incidents->take(records, kNow);
  site.incidents->take(records, kNow + 1s);  // the disk was full: the same records come once more
  EXPECT_EQ(site.incidents->book().find(1)->counts.begin()->second, 1);
  EXPECT_EQ(records.size(), 2u);
}

TEST(Incidents, ARestartGoesOnWhereItWas) {
  Site site;
  site.keep({site.event(kNow, "xid", 2, 48), site.event(kNow + 1s, "xid", 2, 63)}, kNow);
  site.keep({site.event(kNow + 2s, "xid", 4, 31)}, kNow + 2s);
  const auto before = to_record(*site.incidents->book().find(1), site.incidents->book().ranking(*site.incidents->book().find(1)),
                                site.incidents->book().causes());
  site.start();
  ASSERT_NE(site.incidents->book().find(1), nullptr);
  const auto after = to_record(*site.incidents->book().find(1), site.incidents->book().ranking(*site.incidents->book().find(1)),
                               site.incidents->book().causes());
  EXPECT_EQ(before, after);
  EXPECT_EQ(site.incidents->book().counts().open, 2u);
  site.keep({site.event(kNow + 5min, "gpu_reset", 2)}, kNow + 5min);
  EXPECT_EQ(site.kept(1).state, State::cleared);
  site.start();
  site.keep({site.event(kNow + 24h, "xid", 2, 48)}, kNow + 24h);
  EXPECT_EQ(site.kept(1).state, State::open);
  EXPECT_EQ(site.kept(1).reopened, 1);
  site.keep({site.event(kNow + 25h, "xid", 6, 119)}, kNow + 25h);
  EXPECT_EQ(site.cause(3), "gsp_firmware") << "numbers go on";
}

TEST(Incidents, AKillAtAnyMomentLosesAndDoublesNothing) {
  const std::vector<std::tuple<const char*, std::size_t, int>> story = {
      {"xid", 2, 79}, {"gpu_missing", 2, 0}, {"xid", 5, 48}, {"xid", 5, 63}, {"gpu_reset", 5, 0}, {"xid", 5, 48}, {"xid", 1, 31}};
  Site whole;
  for (std::size_t n = 0; n < story.size(); ++n) {
    const auto& [kind, gpu, code] = story[n];
    whole.keep({whole.event(kNow + n * 1min, kind, gpu, code)}, kNow);
  }
  for (std::size_t killed = 0; killed < story.size(); ++killed) {
    Site site;
    for (std::size_t n = 0; n < story.size(); ++n) {
      const auto& [kind, gpu, code] = story[n];
      auto record = site.event(kNow + n * 1min, kind, gpu, code);
      if (n == killed) {  // it died before the transaction was durable: the source tells the event once more
        std::vector<store::Record> lost{record};
        site.incidents->take(lost, kNow);
        site.start();
      }
      site.keep({record}, kNow);
      if (n == killed) site.start();  // and again right behind it
    }
    for (std::uint64_t id = 1; id <= 3; ++id) {
      const auto a = site.kept(id), b = whole.kept(id);
      EXPECT_EQ(a.counts, b.counts) << killed << " " << id;
      EXPECT_EQ(a.state, b.state) << killed << " " << id;
      EXPECT_EQ(a.reopened, b.reopened) << killed << " " << id;
    }
  }
}

TEST(Incidents, WorkIsEvidenceThatAProgramsFaultIsOver) {
  Site site;
  site.keep({site.event(kNow, "xid", 3, 31)}, kNow);
  views::FleetSnapshot fleet;
  for (const auto id : site.boards) {
    views::BoardView v;
    v.board = *site.ledger.find(id);
    v.utilisation = 95;
    fleet.boards.push_back(v);
  }
  EXPECT_TRUE(site.incidents->tick(fleet, kNow + 1min).empty());
  EXPECT_TRUE(site.incidents->tick(fleet, kNow + 9min).empty());
  const auto changed = site.incidents->tick(fleet, kNow + 12min);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(site.incidents->book().find(1)->state, State::cleared);
  site.keep({site.event(kNow + 1h, "xid", 4, 79)}, kNow + 1h);
  site.incidents->tick(fleet, kNow + 61min);
  site.incidents->tick(fleet, kNow + 120min);
  EXPECT_TRUE(site.incidents->book().find(2)->is_open()) << "work ends no hardware's fault";
}

TEST(Incidents, AnIdleBoardProvesNothing) {
  Site site;
  site.keep({site.event(kNow, "xid", 3, 31)}, kNow);
  views::FleetSnapshot fleet;
  views::BoardView v;
  v.board = *site.ledger.find(site.boards[3]);
  v.utilisation = 0;
  fleet.boards.push_back(v);
  for (int m = 0; m < 600; m += 10) site.incidents->tick(fleet, kNow + std::chrono::minutes(m));
  EXPECT_TRUE(site.incidents->book().find(1)->is_open());
}

TEST(Incidents, OperatorsAreHeardAndRemembered) {
  Site site;
  site.keep({site.event(kNow, "xid", 3, 79)}, kNow);
  const auto said = site.incidents->feedback(1, "board_power", true, "ana", "cable was loose", kNow + 1h);
  ASSERT_TRUE(said) << said.error().what;
  ASSERT_TRUE(site.store.put(*said));
  EXPECT_EQ(site.kept(1).confirmed_cause, "board_power");
  const auto before = site.incidents->book().ranking(*site.incidents->book().find(1));
  site.start();
  const auto after = site.incidents->book().ranking(*site.incidents->book().find(1));
  EXPECT_EQ(before.causes[0].probability, after.causes[0].probability) << "feedback survives a restart";
  EXPECT_FALSE(site.incidents->feedback(1, "gremlins", true, "ana", "", kNow));
  EXPECT_FALSE(site.incidents->feedback(99, "off_bus", true, "ana", "", kNow));
  const auto cleared = site.incidents->clear(1, "ana", "seated again", kNow + 2h);
  ASSERT_TRUE(cleared);
  ASSERT_TRUE(site.store.put(*cleared));
  EXPECT_EQ(site.kept(1).history.back().by, "ana");
  EXPECT_EQ(site.incidents->clear(1, "ana", "again", kNow).error().code, Errc::conflict);
}

TEST(Incidents, ADamagedRecordCostsItself) {
  Site site;
  site.keep({site.event(kNow, "xid", 3, 79)}, kNow);
  ASSERT_TRUE(
      site.store.put(std::vector<store::Record>{{"incident", "0000000007", kNow, "{\"id\":"}, {"incident", "0000000008", kNow, "{}"}}));
  site.start();
  EXPECT_EQ(site.incidents->stats().unreadable, 2u);
  EXPECT_NE(site.incidents->book().find(1), nullptr);
}

TEST(Incidents, ADriverChangeAndAJobAreKnown) {
  Site site;
  fleet::Interval job{site.boards[3], "job", "train-7", {}, kNow, {}};
  site.keep({site.event(kNow - 24h, "driver_change", 0), pipeline::to_record(site.boards[3], {job}, kNow)}, kNow);
  site.keep({site.event(kNow, "xid", 3, 109)}, kNow);
  const auto& i = *site.incidents->book().find(1);
  EXPECT_EQ(i.parts[0].job, "train-7");
  EXPECT_TRUE(i.flags[faults::evidence("new_driver")]);
  EXPECT_EQ(i.parts[0].boards_on_host, 8);
  EXPECT_EQ(i.parts[0].rack, "r1");
}

TEST(Incidents, AJobThatEndedWithAFaultIsPartOfItsStory) {
  Site site;
  const auto runs = [&](std::size_t gpu, std::vector<std::string> jobs, Timestamp at) {
    std::vector<fleet::Interval> open{{site.boards[gpu], "slot", "h1 0", {}, kNow, {}}};
    for (auto& j : jobs) open.push_back({site.boards[gpu], "job", j, {}, kNow, {}});
    return pipeline::to_record(site.boards[gpu], open, at);
  };
  for (std::size_t g = 0; g < 4; ++g) site.keep({runs(g, {"4711"}, kNow - 1h)}, kNow - 1h);
  site.keep({runs(5, {"innocent"}, kNow - 1h)}, kNow - 1h);
  site.keep({site.event(kNow, "xid", 2, 79)}, kNow);
  std::vector<store::Record> ends{runs(0, {}, kNow + 20s), runs(1, {}, kNow + 20s), runs(3, {}, kNow + 21s), runs(5, {}, kNow + 21s)};
  site.start();  // a restart in between: what ran is known from the store
  site.keep({site.event(kNow + 1s, "xid", 2, 79)}, kNow + 1s);
  site.keep(ends, kNow + 21s);
  std::vector<std::string> kinds;
  const auto told = site.store.about("event", fmt::format("b{}", static_cast<int>(site.boards[2])), {kNow, kNow + 1h}, 10).value();
  for (const auto& r : told) kinds.push_back(heard(r)->kind + heard(r)->job);
  EXPECT_EQ(kinds, (std::vector<std::string>{"job_ended_with_fault4711", "xid", "xid"}));
  EXPECT_EQ(site.incidents->book().counts().open, 1u);
  const auto incident = site.kept(1);
  EXPECT_TRUE(incident.counts.contains(faults::evidence("job_failed")));
  EXPECT_EQ(site.cause(1), "off_bus") << "the job's end is no other story";
}

}  // namespace
// A start after years reads what still matters; no number is given twice.
TEST(Incidents, WhatIsLongOverIsLeftInTheStore) {
  Site site;
  site.keep({site.event(kNow, "xid", 2, 79), site.event(kNow + 1s, "xid", 5, 48)}, kNow);
  ASSERT_TRUE(site.store.put(site.incidents->clear(2, "ana", "replaced", kNow + 1h).value()));
  site.incidents = std::make_unique<Incidents>(site.ledger, std::make_shared<faults::FaultCatalogue>(site.codes), Log::off());
  const auto later = kNow + 24h * 60;
  ASSERT_TRUE(site.incidents->restore(site.store, later));
  EXPECT_NE(site.incidents->book().find(1), nullptr) << "it is open still";
  EXPECT_EQ(site.incidents->book().find(2), nullptr);
  site.keep({site.event(later, "xid", 6, 79)}, later);
  EXPECT_NE(site.incidents->book().find(3), nullptr) << "2 stays the other one's number";
}

// A detector needs minutes; by then the job may have been started again.
TEST(Incidents, WhatADetectorTellsLateEndsNoJob) {
  Site site;
  const auto runs = [&](std::vector<fleet::Interval> jobs, Timestamp at) {
    jobs.push_back({site.boards[0], "slot", "h1 0", {}, kNow, {}});
    site.keep({pipeline::to_record(site.boards[0], jobs, at)}, at);
  };
  runs({{site.boards[0], "job", "4711", {}, kNow, {}}}, kNow - 1h);
  auto anomaly = site.event(kNow, "anomaly", 0);
  const std::string said = "\"detail\":\"";
  anomaly.body.insert(anomaly.body.find(said) + said.size(),
                      "board 1: uncorrectable memory errors: 1 in the last hour at most, where its own rate explains 0 ");
  site.keep({anomaly}, kNow);
  ASSERT_EQ(site.incidents->book().counts().open, 1u);
  runs({}, kNow + 20s);
  EXPECT_FALSE(site.kept(1).counts.contains(faults::evidence("job_failed")));
}

}  // namespace ghm::services
