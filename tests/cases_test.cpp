#include "services/cases.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "pipeline/ledger_records.h"
#include "services/case_past.h"
#include "services/case_records.h"
#include "services/case_sight.h"

namespace ghm::services {
namespace {

using fleet::CaseOutcome;
using enum fleet::CaseState;
using std::chrono::days;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

/// A ledger of one host, a store, and incidents and cases between them.
struct Site {
  fleet::Ledger ledger;
  memory::MemoryStore store;
  std::unique_ptr<Incidents> incidents;
  std::unique_ptr<Cases> cases;
  std::vector<fleet::BoardId> boards;
  std::vector<telemetry::GpuIdentity> gpus{8};
  std::uint64_t sequence = 0;
  Timestamp now = kNow;

  Site() {
    for (std::size_t g = 0; g < gpus.size(); ++g) {
      gpus[g].index = static_cast<int>(g);
      gpus[g].serial = "165000000000" + std::to_string(g);
      gpus[g].pci_bus_id = fmt::format("00000000:{:02x}:00.0", 0x10 + g);
      gpus[g].model = "NVIDIA H100 80GB HBM3";
    }
    see();
    EXPECT_TRUE(store.put(pipeline::to_records(ledger.take_changes(), ledger, now, sequence)));
    start();
  }
  void see() {
    fleet::Sighting s;
    s.source = "h1:9400";
    s.host = "h1";
    s.at = now;
    boards = ledger.sight(s, gpus);
  }
  void start() {
    cases.reset();
    incidents =
        std::make_unique<Incidents>(ledger, std::make_shared<faults::FaultCatalogue>(faults::FaultCatalogue::built_in()), Log::off());
    EXPECT_TRUE(incidents->restore(store, now));
    cases = std::make_unique<Cases>(ledger, *incidents, Log::off());
    const auto done = cases->restore(store);
    EXPECT_TRUE(done) << done.error().what;
  }
  store::Record event(std::string kind, std::size_t gpu, int code = 0) {
    const auto* board = ledger.find(boards[gpu]);
    fleet::FleetEvent e{now, std::move(kind), board->id, board->host, "something happened"};
    e.code = code;
    return pipeline::to_record(e, board, ++sequence);
  }
  /// What the ingest does: records pass by and are kept, all in one.
  void keep(std::vector<store::Record> records) {
    incidents->take(records, now);
    cases->take(records);
    ASSERT_TRUE(store.put(records));
  }
  void happen(std::string kind, std::size_t gpu, int code = 0) { keep({event(std::move(kind), gpu, code)}); }
  std::uint64_t open(CaseToOpen wanted) {
    auto opened = cases->open(wanted, "ana", now);
    EXPECT_TRUE(opened) << opened.error().what;
    if (!opened) return 0;
    EXPECT_TRUE(store.put(opened->records));
    return opened->id;
  }
  Result<void> advance(std::uint64_t id, fleet::CaseState to, bool with_test = false) {
    fleet::CaseAdvance a{.to = to};
    if (with_test) a.test = fleet::CaseAdvance::Test{"diag", "", true};
    auto changed = cases->advance(id, a, "ana", now);
    if (!changed) return changed.error();
    return store.put(*changed);
  }
  void until_watching(std::uint64_t id) {
    for (const auto to : {acting, testing}) ASSERT_TRUE(advance(id, to));
    ASSERT_TRUE(advance(id, watching, true));
  }
  fleet::RepairCase kept(std::uint64_t id) {
    const auto record = store.get("case", case_key(id));
    EXPECT_TRUE(record && *record);
    auto parsed = parse_case(**record);
    EXPECT_TRUE(parsed);
    return parsed ? parsed->it : fleet::RepairCase();
  }
  views::FleetSnapshot fleet(double utilisation) {
    views::FleetSnapshot f;
    for (const auto& [id, b] : ledger.boards()) {
      views::BoardView v;
      v.board = b;
      v.utilisation = utilisation;
      f.boards.push_back(v);
    }
    f.maintenance = ledger.maintenance();
    views::HostView h;
    h.host = ledger.hosts().begin()->second;
    for (std::size_t i = 0; i < f.boards.size(); ++i) h.boards.push_back(i);
    f.hosts = {h};
    return f;
  }
  void pass(std::chrono::minutes span, double utilisation = 90) {
    const auto f = fleet(utilisation);
    for (const auto end = now + span; now < end;) {
      now += 10min;
      const auto changed = cases->tick(f, now);
      ASSERT_TRUE(store.put(changed));
    }
  }
};

TEST(RepairCases, AnIncidentSaysWhatIsRepairedAndHow) {
  Site site;
  site.happen("xid", 2, 79);
  const auto id = site.open({.incident = 1});
  const auto c = site.kept(id);
  EXPECT_EQ(c.gpu, "1650000000002");
  EXPECT_EQ(c.slot, "h1/2");
  EXPECT_EQ(c.fault, "pcie");
  EXPECT_EQ(c.action, "reboot_host");
  EXPECT_EQ(c.incident, 1u);
  EXPECT_NE(c.symptom.find("GPU 1650000000002 on h1"), std::string::npos) << c.symptom;
  EXPECT_EQ(site.cases->open({.incident = 9}, "ana", kNow).error().code, Errc::not_found);
  EXPECT_EQ(site.cases->open({.incident = 1}, "ana", kNow).error().code, Errc::conflict);
  EXPECT_EQ(site.cases->open({.host = "h7", .action = "reboot_host"}, "ana", kNow).error().code, Errc::not_found);
}

TEST(RepairCases, AResetIsNotedByItselfInTheSameTransaction) {
  Site site;
  const auto id = site.open({.board = site.boards[2], .action = "reset_gpu", .fault = "memory"});
  site.now += 1min;
  std::vector<store::Record> records{site.event("gpu_reset", 2)};
  site.incidents->take(records, site.now);
  site.cases->take(records);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].kind, "case");
  EXPECT_EQ(site.cases->book().find(id)->state, acting);
  EXPECT_EQ(site.cases->book().find(id)->steps.back().by, "ghm");
  site.cases->take(records);
  EXPECT_EQ(records.size(), 2u) << "what comes again changes nothing";
}

TEST(RepairCases, TheFaultThatComesBackIsARelapse) {
  Site site;
  site.happen("xid", 2, 48);
  const auto id = site.open({.incident = 1});
  site.now += 5min;
  site.happen("gpu_reset", 2);
  EXPECT_EQ(site.kept(id).steps.back().what, fleet::CaseStep::What::note) << "the incident was cleared";
  ASSERT_TRUE(site.advance(id, testing));
  ASSERT_TRUE(site.advance(id, watching, true));
  site.pass(days(2));
  site.happen("xid", 2, 31);
  site.happen("xid", 3, 48);
  EXPECT_EQ(site.kept(id).state, watching) << "a program's fault, and a neighbour's";
  site.happen("xid", 2, 48);
  EXPECT_EQ(site.kept(id).state, acting);
  EXPECT_EQ(site.kept(id).relapses, 1);
}

TEST(RepairCases, AWatchEndsByItselfAndTellsWhatHelped) {
  Site site;
  site.happen("xid", 2, 48);
  const auto id = site.open({.incident = 1, .watch = days(3)});
  site.until_watching(id);
  EXPECT_TRUE(site.cases->now()->of_boards.contains(site.boards[2]));
  site.pass(days(1), 0);
  site.pass(days(3) - 20min);
  EXPECT_EQ(site.kept(id).outcome, std::nullopt) << "a day of doing nothing is no proof";
  site.pass(std::chrono::hours(1));
  EXPECT_EQ(site.kept(id).outcome, CaseOutcome::helped);
  EXPECT_FALSE(site.cases->now()->of_boards.contains(site.boards[2]));
  const auto rows = site.cases->now()->tallies.rows({});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].counts.helped, 1u);
  EXPECT_EQ(rows[0].group.model, "NVIDIA H100 80GB HBM3");
}

TEST(RepairCases, SilenceMaintenanceAndIdlenessAreNoSight) {
  Site site;
  fleet::RepairCase c;
  c.board = c.subject = site.boards[2];
  c.subject_gpu = "1650000000002";
  c.host = "h1";
  auto f = site.fleet(90);
  EXPECT_EQ(why_unseen(c, f, kNow), "");
  f.boards[2].utilisation = 3;
  EXPECT_EQ(why_unseen(c, f, kNow), "it does nothing");
  f.boards[2].utilisation.reset();
  EXPECT_EQ(why_unseen(c, f, kNow), "its page does not say how busy it is");
  f.boards[2].silent = true;
  EXPECT_EQ(why_unseen(c, f, kNow), "it is silent");
  ASSERT_TRUE(f.maintenance.start({{}, fleet::Maintenance::Scope::host, "h1", kNow - 1h, {}, "fans", "ana"}));
  EXPECT_EQ(why_unseen(c, f, kNow), "it is under maintenance");
  f.boards[2].board.in_service = false;
  EXPECT_EQ(why_unseen(c, f, kNow), "the board is out of service");
  c.board = fleet::BoardId::none;
  EXPECT_EQ(why_unseen(c, f, kNow), "it is under maintenance");
  EXPECT_EQ(why_unseen(c, site.fleet(90), kNow), "") << "of a host one busy board is enough";
  EXPECT_EQ(why_unseen(c, site.fleet(0), kNow), "it does nothing");
}

TEST(RepairCases, ARestartGoesOnAndTheTimeBetweenIsNoProof) {
  Site site;
  site.happen("xid", 2, 48);
  const auto id = site.open({.incident = 1, .watch = days(3)});
  site.until_watching(id);
  site.pass(days(1));
  const auto before = site.kept(id);
  site.now += days(5);
  site.start();
  EXPECT_EQ(*site.cases->book().find(id), before);
  site.pass(10min);
  EXPECT_EQ(site.kept(id).state, watching);
  const auto until = *site.kept(id).watch_until();
  EXPECT_GE(until, kNow + days(8));
  EXPECT_LE(until, kNow + days(8) + 30min) << "five minutes at most are lost beside the pause, and ten between looks";
  site.pass(days(2) + 30min);
  EXPECT_EQ(site.kept(id).outcome, CaseOutcome::helped);
  site.start();
  EXPECT_EQ(site.cases->now()->tallies.rows({})[0].counts.helped, 1u);
  EXPECT_EQ(site.open({.board = site.boards[2], .action = "reset_gpu"}), id + 1) << "numbers go on";
}

TEST(RepairCases, AGapOutlivesARestart) {
  Site site;
  const auto id = site.open({.board = site.boards[2], .action = "reset_gpu", .watch = days(3)});
  site.until_watching(id);
  site.pass(std::chrono::hours(20), 0);
  site.start();
  ASSERT_NE(site.cases->book().gap(id), nullptr);
  EXPECT_EQ(site.cases->book().gap(id)->why, "it does nothing");
  EXPECT_EQ(site.cases->book().gap(id)->since, kNow + 10min);
  site.pass(10min);
  EXPECT_EQ(site.cases->book().gap(id), nullptr);
  EXPECT_EQ(site.kept(id).watch_until(), kNow + days(3) + std::chrono::hours(20));
}

TEST(RepairCases, AKillAtAnyMomentLosesAndDoublesNothing) {
  const std::vector<std::pair<const char*, int>> story = {
      {"gpu_reset", 0}, {"test_passed", 0}, {"xid", 48}, {"gpu_reset", 0}, {"test_failed", 0}};
  const auto play = [&](std::optional<std::size_t> killed) {
    Site site;
    site.happen("xid", 2, 48);
    const auto id = site.open({.incident = 1});
    for (std::size_t n = 0; n < story.size(); ++n) {
      site.now += 2h;
      auto record = site.event(story[n].first, 2, story[n].second);
      if (n == killed) {  // it died before the transaction was durable: the source tells the event once more
        std::vector<store::Record> lost{record};
        site.incidents->take(lost, site.now);
        site.cases->take(lost);
        site.start();
      }
      site.keep({record});
      if (n == killed) site.start();  // and again right behind it
    }
    return site.kept(id);
  };
  const auto whole = play(std::nullopt);
  EXPECT_EQ(whole.relapses, 1);
  EXPECT_EQ(whole.failed, 1) << "the second test failed before anything was tested again";
  for (std::size_t n = 0; n < story.size(); ++n) EXPECT_EQ(play(n), whole) << n;
}

TEST(RepairCases, AReplacedBoardIsFoundByItself) {
  Site site;
  const auto id = site.open({.board = site.boards[2], .action = "replace_board", .fault = "memory"});
  site.now += 1h;
  site.gpus[2].serial = "1650000000099";
  site.see();
  site.now += 10s;
  site.see();
  site.keep(pipeline::to_records(site.ledger.take_changes(), site.ledger, site.now, site.sequence));
  const auto c = site.kept(id);
  EXPECT_EQ(c.state, acting);
  EXPECT_EQ(c.subject_gpu, "1650000000099");
  ASSERT_TRUE(site.advance(id, testing));
  ASSERT_TRUE(site.advance(id, watching, true));
  EXPECT_TRUE(site.cases->now()->of_boards.contains(site.boards[2])) << "the new board is under the case";
  site.now += 1h;
  site.happen("xid", 2, 48);
  EXPECT_EQ(site.kept(id).relapses, 1);
}

TEST(RepairCases, ADamagedRecordCostsItself) {
  Site site;
  const auto id = site.open({.board = site.boards[2], .action = "reset_gpu"});
  auto broken = to_record(*site.cases->book().find(id), nullptr);
  broken.key = case_key(7);
  broken.body.replace(broken.body.find("\"opened\""), 8, "\"openED\"");
  ASSERT_TRUE(site.store.put(std::vector{broken, store::Record{"case", case_key(8), kNow, "{}"}}));
  site.start();
  EXPECT_EQ(site.cases->stats().unreadable, 2u);
  EXPECT_NE(site.cases->book().find(id), nullptr);
  EXPECT_EQ(site.open({.board = site.boards[3], .action = "reset_gpu"}), 9u) << "their numbers are not given again";
}

TEST(RepairCases, FaultRatesBeforeAndSinceTheAction) {
  Site site;
  const auto fleet = [&] {
    auto f = site.fleet(90);
    for (auto& v : f.boards) v.board.first_seen = kNow - days(40);
    return f;
  };
  for (int n = 0; n < 3; ++n) {
    site.now = kNow + days(n);
    site.happen("xid", 2, 48);
    site.happen("xid", 3, 48);
    site.now += 10s;
    site.happen("xid", 2, 63);
  }
  const auto id = site.open({.board = site.boards[2], .action = "reset_gpu", .fault = "memory"});
  auto past = case_past(site.store, site.kept(id), fleet(), site.now);
  ASSERT_TRUE(past);
  EXPECT_EQ(past->before.signs, 3u) << "signs within a minute are one, a neighbour's are none";
  EXPECT_EQ(past->before.range.from, kNow - days(40)) << "not before the board was known";
  EXPECT_FALSE(past->after);
  site.now += 5min;
  site.until_watching(id);
  site.now += days(10);
  site.happen("xid", 2, 48);
  past = case_past(site.store, site.kept(id), fleet(), site.now + 1h);
  ASSERT_TRUE(past->after);
  EXPECT_EQ(past->before.signs, 3u);
  EXPECT_EQ(past->after->signs, 1u);
}

TEST(RepairCases, OffendersComeFromIncidentsAndCases) {
  Site site;
  site.happen("xid", 2, 48);
  const auto id = site.open({.incident = 1});
  site.until_watching(id);
  site.now += 2h;
  site.happen("gpu_reset", 2);
  site.now += 2h;
  site.happen("xid", 2, 48);
  site.happen("xid", 5, 79);
  const auto all = troubles(site.store, site.fleet(90), {kNow - days(1), site.now + 1h});
  ASSERT_TRUE(all);
  const auto boards = fleet::repeat_offenders(*all, fleet::OffenderBy::serial, 10);
  ASSERT_EQ(boards.size(), 1u);
  EXPECT_EQ(boards[0].name, "1650000000002");
  EXPECT_EQ(boards[0].incidents, 1u);
  EXPECT_EQ(boards[0].reopened, 1u);
  EXPECT_EQ(boards[0].cases, 1u);
  EXPECT_EQ(boards[0].relapses, 1u);
  EXPECT_EQ(boards[0].model, "NVIDIA H100 80GB HBM3");
  const auto slots = fleet::repeat_offenders(*all, fleet::OffenderBy::slot, 10);
  ASSERT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots[0].name, "h1/2");
  EXPECT_TRUE(fleet::repeat_offenders(*troubles(site.store, site.fleet(90), {kNow - days(9), kNow - days(2)}), fleet::OffenderBy::host, 10)
                  .empty());
}

}  // namespace
}  // namespace ghm::services
