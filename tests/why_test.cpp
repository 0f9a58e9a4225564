// From what is heard to the answer of GET why: two hosts, jobs on them, faults; the store in between.
#include "services/why.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "pipeline/ledger_records.h"
#include "services/incidents.h"

namespace ghm::services {
namespace {

using testing::HasSubstr;
using views::Json;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);
constexpr auto kDay = std::chrono::days(1);

struct Site {
  fleet::Ledger ledger;
  memory::MemoryStore store;
  Incidents incidents{ledger, std::make_shared<faults::FaultCatalogue>(faults::FaultCatalogue::built_in()), Log::off()};
  std::vector<fleet::BoardId> boards;  // 0 to 7 in h1, 8 to 15 in h2
  std::uint64_t sequence = 0;
  std::set<std::size_t> silent;
  std::vector<std::map<std::string, Timestamp>> jobs = std::vector<std::map<std::string, Timestamp>>(16);

  Site() {
    for (int h = 1; h <= 2; ++h) {
      fleet::Sighting s;
      s.host = fmt::format("h{}", h);
      s.source = s.host + ":9400";
      s.place = {"eu", "dc1", "r1"};
      s.at = kNow - 100 * kDay;
      std::vector<telemetry::GpuIdentity> gpus(8);
      for (int g = 0; g < 8; ++g) {
        gpus[g].serial = serial(8 * (h - 1) + g);
        gpus[g].model = "NVIDIA H100 80GB HBM3";
        gpus[g].driver_version = "570.86.15";
        gpus[g].pci_bus_id = fmt::format("00000000:{:02X}:00.0", g + 1);
      }
      for (const auto id : ledger.sight(s, gpus)) boards.push_back(id);
    }
    auto changes = ledger.take_changes();
    changes.events.clear();
    keep(pipeline::to_records(changes, ledger, kNow - 100 * kDay, sequence), kNow - 100 * kDay);
  }
  static std::string serial(std::size_t gpu) { return fmt::format("1650000000{:03}", gpu); }

  void keep(std::vector<store::Record> records, Timestamp now) {
    incidents.take(records, now);
    ASSERT_TRUE(store.put(records));
  }
  void hear(Timestamp at, std::string kind, std::size_t gpu, int code = 0, std::string detail = "something happened") {
    const auto* board = ledger.find(boards[gpu]);
    fleet::FleetEvent e{at, std::move(kind), board->id, board->host, std::move(detail)};
    e.code = code;
    keep({pipeline::to_record(e, board, ++sequence)}, at);
  }
  void run(std::size_t gpu, const std::string& job, Timestamp at, bool on = true) {
    std::vector<store::Record> records;
    if (on) jobs[gpu][job] = at;
    else {
      records.push_back(pipeline::to_record(fleet::Interval{boards[gpu], "job", job, {{"user", "ana"}}, jobs[gpu][job], at}));
      jobs[gpu].erase(job);
    }
    std::vector<fleet::Interval> open;
    for (const auto& [name, from] : jobs[gpu]) open.push_back({boards[gpu], "job", name, {{"user", "ana"}}, from, {}});
    open.push_back({boards[gpu], "slot", "x", {}, kNow - 100 * kDay, {}});
    records.push_back(pipeline::to_record(boards[gpu], open, at));
    keep(records, at);
  }
  void run(std::size_t from, std::size_t to, const std::string& job, Timestamp at, bool on = true) {
    for (auto g = from; g < to; ++g) run(g, job, at, on);
  }

  views::FleetSnapshot fleet(Timestamp now) const {
    views::FleetSnapshot f;
    f.as_of = now;
    std::map<std::string, std::vector<std::size_t>> of_host;
    for (const auto& [id, b] : ledger.boards()) {
      of_host[b.host].push_back(f.boards.size());
      views::BoardView v;
      v.board = b;
      v.silent = silent.contains(f.boards.size());
      v.board.last_seen = v.silent ? kNow : now;
      f.boards.push_back(v);
    }
    for (const auto& [name, h] : ledger.hosts()) {
      views::HostView v;
      v.host = h;
      v.boards = of_host[name];
      f.hosts.push_back(v);
    }
    return f;
  }

  Result<Json> ask(WhyQuestion q, Timestamp now) const {
    const auto f = fleet(now);
    const auto facts = why_facts(store, store, f, q, now);
    if (!facts) return facts.error();
    return views::causal_answer(*facts);
  }
  Json gpu(std::size_t n, Timestamp now, std::optional<Timestamp> at = {}) const {
    WhyQuestion q;
    q.board = n;
    q.at = at;
    return ask(q, now).value();
  }
  Json host(std::string name, Timestamp now) const {
    WhyQuestion q;
    q.host = std::move(name);
    return ask(q, now).value();
  }
  Json job(std::string name, Timestamp now, std::optional<Timestamp> at = {}) const {
    WhyQuestion q;
    q.job = std::move(name);
    q.at = at;
    return ask(q, now).value();
  }
};

/// train-7 runs on all 16 boards; at three o'clock board 3 falls off the bus and the job is gone.
struct DeadJob : Site {
  const Timestamp fault = kNow, end = kNow + 40s;
  DeadJob() {
    run(0, 16, "yesterday", kNow - 30h);
    run(0, 16, "yesterday", kNow - 26h, false);
    run(0, 16, "train-7", kNow - 10h);
    hear(kNow - 5 * kDay, "xid", 9, 31, "a program's fault, long ago");
    hear(fault, "xid", 3, 79, "Xid 79: GPU has fallen off the bus");
    hear(fault + 20s, "gpu_missing", 3);
    silent = {3};
    for (std::size_t g = 0; g < 16; ++g)
      if (g != 3) run(g, "train-7", end, false);
  }
};

std::vector<std::string> lanes(const Json& answer) {
  std::vector<std::string> all;
  for (const auto& m : answer["timeline"])
    all.push_back(fmt::format("{}/{}{}", m["lane"].get<std::string>(), m["kind"].get<std::string>(), m["first"] == true ? "!" : ""));
  return all;
}

TEST(Why, AJobNamesBoardCauseAndAction) {
  DeadJob site;
  const auto a = site.job("train-7", kNow + 2h);
  EXPECT_EQ(a["about"]["what"], "job");
  EXPECT_EQ(a["about"]["at"], format_rfc3339(site.end)) << "its end";
  const auto verdict = a["verdict"].get<std::string>();
  for (const auto& part :
       {std::string("Job train-7 ended at"), std::string("16 GPUs of 2 hosts"), Site::serial(3), std::string("off the bus (Xid 79)"),
        std::string("40 seconds before its end"), std::string("most likely: PCIe connection")})
    EXPECT_THAT(verdict, HasSubstr(part));
  EXPECT_EQ(a["next"]["action"], "reboot_host");
  EXPECT_EQ(a["reset_or_rma"], "reboot_host");
  EXPECT_EQ(a["cannot_tell"], false);
  ASSERT_EQ(a["incidents"].size(), 1u) << a["incidents"].dump(1);
  EXPECT_EQ(a["incidents"][0]["causes"][0]["cause"], "off_bus");
  EXPECT_FALSE(a["incidents"][0]["causes"][0]["evidence_for"].empty());
  EXPECT_FALSE(a["ruled_out"].empty());
  EXPECT_EQ(a["job"]["end"], "failed");
  EXPECT_EQ(a["job"]["user"], "ana");
  const auto line = lanes(a);
  EXPECT_NE(std::ranges::find(line, "gpu/xid!"), line.end()) << a["timeline"].dump(1);
  EXPECT_EQ(std::ranges::count_if(line, [](const std::string& l) { return l.ends_with('!'); }), 1);
  EXPECT_NE(std::ranges::find(line, "job/ended"), line.end());
  EXPECT_NE(std::ranges::find(line, "job/job_ended_with_fault"), line.end());
  EXPECT_TRUE(std::ranges::is_sorted(a["timeline"], {}, [](const Json& m) { return m["at"].get<std::string>(); }));
  EXPECT_EQ(a["left_out"], 0);
}

TEST(Why, AHostAndABoardTellTheSameStory) {
  DeadJob site;
  for (const auto& a : {site.host("h1", kNow + 1h), site.gpu(3, kNow + 1h), site.gpu(3, kNow + 10 * kDay, kNow + 5min)}) {
    EXPECT_THAT(a["verdict"].get<std::string>(), HasSubstr(Site::serial(3)));
    EXPECT_EQ(a["next"]["action"], "reboot_host");
    EXPECT_EQ(a["incidents"][0]["cause"], "off_bus");
    EXPECT_EQ(a["ran_there"][0]["job"], "train-7");
    EXPECT_EQ(a["ran_there"][0]["gpus"], 16) << "beyond what is asked about";
    EXPECT_EQ(a["ran_there"][0]["hosts"], 2);
    EXPECT_EQ(a["ran_there"][0]["to"], format_rfc3339(site.end));
  }
  const auto other = site.gpu(12, kNow + 1h);
  EXPECT_TRUE(other["incidents"].empty()) << "the host's other boards are not to blame";
}

TEST(Why, NothingHeardIsSaid) {
  DeadJob site;
  const auto a = site.job("yesterday", kNow + 2h);
  EXPECT_THAT(a["verdict"].get<std::string>(), HasSubstr("it may have ended by itself"));
  EXPECT_EQ(a["cannot_tell"], true);
  EXPECT_EQ(a["next"]["action"], "restart_job");
  EXPECT_EQ(a["job"]["end"], "unknown");
  EXPECT_TRUE(a["incidents"].empty());
  const auto well = site.gpu(13, kNow + 2h);
  EXPECT_THAT(well["verdict"].get<std::string>(), HasSubstr("Nothing was heard of GPU"));
  EXPECT_EQ(well["cannot_tell"], false);
  EXPECT_TRUE(well["next"].is_null());
}

TEST(Why, AFaultLongBeforeTheEndIsNoReason) {
  Site site;
  site.run(0, 8, "long", kNow - 10h);
  site.hear(kNow - 3h, "xid", 2, 31, "a program's fault");
  site.run(0, 8, "long", kNow, false);
  const auto a = site.job("long", kNow + 1h);
  EXPECT_THAT(a["verdict"].get<std::string>(), HasSubstr("not known to be the reason"));
  EXPECT_EQ(a["cannot_tell"], true);
}

TEST(Why, AsItWasKnownThen) {
  Site site;
  site.hear(kNow, "gpu_missing", 3);
  site.hear(kNow + 5h, "xid", 3, 79, "Xid 79");
  const auto then = site.gpu(3, kNow + 1 * kDay, kNow + 10min), later = site.gpu(3, kNow + 1 * kDay);
  EXPECT_EQ(then["incidents"][0]["sign"], "gpu_missing");
  EXPECT_EQ(then["cannot_tell"], true);
  EXPECT_EQ(later["incidents"][0]["cause"], "off_bus");
  for (const auto& m : then["timeline"]) EXPECT_LE(m["at"].get<std::string>(), format_rfc3339(kNow + 40min));
}

TEST(Why, WhatCannotBeKnownIsSaid) {
  DeadJob site;
  const auto a = site.job("train-7", kNow + 1h);
  const auto text = a["unknown"].dump();
  EXPECT_THAT(text, HasSubstr("No agent runs on h1, h2"));
  EXPECT_THAT(text, HasSubstr("How a job ends is told to nobody here"));
  Site silent;
  EXPECT_THAT(silent.gpu(1, kNow)["unknown"].dump(), HasSubstr("Which jobs ran there is not known"));
  ASSERT_TRUE(site.store.put(std::vector<store::Record>{{"host_facts", "h1", kNow, "{}"}, {"host_facts", "h2", kNow, "{}"}}));
  EXPECT_THAT(site.job("train-7", kNow + 1h)["unknown"].dump(), testing::Not(HasSubstr("No agent")));
}

TEST(Why, ABoardThatIsGoneDoesNotHoldItsJob) {
  DeadJob site;  // board 3 is off the bus: nobody says that train-7 left it
  EXPECT_EQ(site.job("train-7", kNow + 2h)["job"]["to"], format_rfc3339(site.end));
  // It comes back and lets go of the job hours later.
  site.silent.clear();
  site.keep({pipeline::to_record(fleet::Interval{site.boards[3], "silence", "h1", {}, site.fault, kNow + 5h})}, kNow + 5h);
  site.run(3, "train-7", kNow + 5h + 10s, false);
  EXPECT_EQ(site.job("train-7", kNow + 6h)["job"]["to"], format_rfc3339(site.end));
}

TEST(Why, UnknownNamesAreOneSentenceWithSomeThatAreKnown) {
  DeadJob site;
  WhyQuestion q;
  q.job = "nobody";
  EXPECT_THAT(site.ask(q, kNow + 1h).error().what, HasSubstr("train-7"));
  q.job.clear();
  q.host = "nobody";
  const auto host = site.ask(q, kNow + 1h);
  EXPECT_EQ(host.error().code, Errc::not_found);
  EXPECT_THAT(host.error().what, HasSubstr("hosts are h1, h2"));
}

TEST(Why, TheSameNameTwiceIsTwoRuns) {
  DeadJob site;
  site.run(0, 2, "yesterday", kNow + 1h);
  EXPECT_EQ(site.job("yesterday", kNow + 2h)["job"]["gpus"], 2) << "the newest";
  EXPECT_EQ(site.job("yesterday", kNow + 2h, kNow - 27h)["job"]["gpus"], 16) << "the one at that time";
}

TEST(Why, ALongStoryIsCutWhereItSaysLeast) {
  Site site;
  for (int n = 0; n < 1500; ++n) site.hear(kNow - 2 * kDay + n * 10s, "source_slow_note", 3, 0, "noise");
  site.hear(kNow, "xid", 3, 79, "Xid 79");
  const auto a = site.gpu(3, kNow + 1min);
  EXPECT_EQ(a["timeline"].size(), 1000u);
  EXPECT_GT(a["left_out"], 500);
  EXPECT_EQ(std::ranges::count_if(a["timeline"], [](const Json& m) { return m["first"] == true; }), 1);
}

TEST(Why, TheTextSaysWhatTheAnswerSays) {
  DeadJob site;
  const auto text = views::causal_text(site.job("train-7", kNow + 1h), 140);
  for (const auto* part : {"next: ", "because: ", "◀ first sign", "not known", "ruled out"}) EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(views::causal_text(site.host("h1", kNow + 1h), 140), HasSubstr("WHAT ELSE RAN THERE"));
}

}  // namespace
}  // namespace ghm::services
