// What people and clients see of one small fleet: sentences, lists, cells, tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <set>

#include "domain/views/headline.h"
#include "domain/views/json_views.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

using testing::ElementsAre, testing::HasSubstr, testing::Not;

constexpr Timestamp kNow = Timestamp(std::chrono::milliseconds(1'770'638'400'000));  // 2026-02-09T12:00:00Z

std::shared_ptr<const health::Report> report(std::optional<double> score, std::string risk = "low", std::string rule = {}) {
  health::Report r;
  r.overall = score;
  r.coverage = 0.55;
  r.risk = std::move(risk);
  if (score) r.class_name = health::class_of(*score);
  health::Dimension memory;
  memory.name = "memory";
  memory.score = score;
  memory.coverage = 1;
  if (!rule.empty()) {
    memory.findings.push_back({rule, 70, 1, 0});
    r.critical.push_back(rule);
  }
  r.dimensions = {memory};
  return std::make_shared<health::Report>(r);
}

BoardView board(std::uint32_t id, std::string serial, std::shared_ptr<const health::Report> health, std::optional<double> temperature) {
  BoardView v;
  v.board.id = static_cast<fleet::BoardId>(id);
  v.board.serial = std::move(serial);
  v.board.host = id < 3 ? "h1" : "h2";
  v.board.slot = static_cast<int>(id % 3);
  v.board.model = "NVIDIA H100 80GB HBM3";
  v.board.place = {"eu", "dc1", "r1"};
  v.board.first_seen = v.board.last_seen = kNow;
  v.health = std::move(health);
  v.temperature = temperature;
  return v;
}

FleetSnapshot fleet() {
  FleetSnapshot f;
  f.as_of = kNow;
  f.boards = {board(1, "S1", report(96), 61), board(2, "S2", report(41, "critical", "memory.remap_failed"), 70),
              board(3, "S3", nullptr, std::nullopt), board(4, "S4", report(72), 55), board(5, "=S5", report(96), 80)};
  f.boards[4].silent = true;
  HostView one, two;
  one.host.name = "h1";
  one.host.place = two.host.place = {"eu", "dc1", "r1"};
  one.boards = {0, 1};
  two.host.name = "h2";
  two.boards = {2, 3, 4};
  f.hosts = {one, two};
  return f;
}

std::vector<std::string> serials(const Json& list) {
  std::vector<std::string> found;
  for (const auto& item : list["items"]) found.push_back(item["serial"]);
  return found;
}

TEST(Headline, SaysWhatNeedsActionAndNeverCallsTheUnknownSteady) {
  struct Case {
    FleetFigures f;
    std::string says;
  };
  const Case cases[] = {
      {{0, 0, 0, 0, 0, 0, 0}, "No GPU has reported yet."},
      {{0, 0, 0, 0, 2, 0, 0}, "No GPU is in service."},
      {{8, 0, 0, 0, 1, 0, 0}, "8 GPUs have no score yet."},
      {{8, 8, 0, 0, 1, 0, 0}, "No GPU needs action. The fleet is steady."},
      {{8, 8, 1, 0, 1, 0, 0}, "1 GPU needs action. The rest of the fleet is steady."},
      {{96, 96, 2, 8, 12, 0, 0}, "2 GPUs need action. 8 more GPUs are below 70 points."},
      {{96, 90, 0, 1, 12, 0, 0}, "No GPU needs action. 1 GPU is below 70 points, 6 have no score."},
      {{96, 95, 0, 0, 12, 0, 0}, "No GPU needs action. 1 GPU has no score."},
      {{96, 96, 0, 0, 12, 1, 8}, "No GPU needs action. 8 GPUs are silent."},
      {{1, 1, 1, 0, 1, 0, 0}, "1 GPU needs action."},
  };
  for (const auto& c : cases) EXPECT_EQ(headline(c.f), c.says);
}

TEST(Summary, CountsBoardsInServiceWithOrWithoutAScore) {
  const auto s = fleet_summary(fleet());
  EXPECT_EQ(s["total_gpus"], 5);
  EXPECT_EQ(s["reporting_gpus"], 4);
  EXPECT_EQ(s["hosts"], 2);
  EXPECT_EQ(s["need_action"], 1);
  EXPECT_EQ(s["bands"]["critical"], 1);
  EXPECT_EQ(s["bands"]["no_data"], 1);
  EXPECT_EQ(s["classes"]["not_available"], 1);
  EXPECT_DOUBLE_EQ(s["index"].get<double>(), (96 + 41 + 72 + 96) / 4.0);
  EXPECT_THAT(s["headline_detail"].get<std::string>(), HasSubstr("h1 · GPU 2"));
}

TEST(Summary, AnEmptyFleetKnowsNothingAndSaysNull) {
  const auto s = fleet_summary({});
  EXPECT_EQ(s["total_gpus"], 0);
  EXPECT_TRUE(s["index"].is_null());
  EXPECT_TRUE(s["coverage"].is_null());
  EXPECT_TRUE(s["headline_detail"].is_null());
}

TEST(GpuList, SortsWithTheUnknownLastInBothDirections) {
  const auto f = fleet();
  EXPECT_THAT(serials(gpu_list(f, {}).value()), ElementsAre("S2", "S4", "S1", "=S5", "S3"));
  auto worn = fleet();
  worn.boards[3].health = report(35);  // lower than S2, but nothing critical
  worn.boards[0].health = report(96, "critical", "memory.uncorrected");
  GpuQuery urgent;
  urgent.sort = "urgency";
  EXPECT_THAT(serials(gpu_list(worn, urgent).value()), ElementsAre("S2", "S1", "S4", "=S5", "S3"));
  GpuQuery hottest;
  hottest.sort = "-temperature";
  EXPECT_THAT(serials(gpu_list(f, hottest).value()), ElementsAre("=S5", "S2", "S1", "S4", "S3"));
}

TEST(GpuList, FiltersAreAndedAndSearchIgnoresCase) {
  const auto f = fleet();
  GpuQuery q;
  q.host = "h2";
  q.band = "watch";
  EXPECT_THAT(serials(gpu_list(f, q).value()), ElementsAre("S4"));
  GpuQuery silent;
  silent.silent = true;
  EXPECT_THAT(serials(gpu_list(f, silent).value()), ElementsAre("=S5"));
  GpuQuery search;
  search.search = "s2";
  EXPECT_THAT(serials(gpu_list(f, search).value()), ElementsAre("S2"));
}

TEST(GpuList, PagesAreDisjointAndCompleteWhileScoresChange) {
  auto f = fleet();
  GpuQuery q;
  q.limit = 2;
  std::vector<std::string> all;
  for (int page = 0; page < 5; ++page) {
    const auto list = gpu_list(f, q).value();
    EXPECT_EQ(list["total"], 5);
    for (auto& s : serials(list)) all.push_back(s);
    if (list["next"].is_null()) break;
    q.cursor = list["next"];
    f.boards[1].health = report(43, "critical", "memory.remap_failed");  // shown already, moves a little
  }
  std::ranges::sort(all);
  EXPECT_THAT(all, ElementsAre("=S5", "S1", "S2", "S3", "S4"));
}

TEST(GpuList, WhatCannotBeAskedIsASentence) {
  for (const auto& [sort, limit, band, cursor] : {std::tuple{"colour", 10, "", ""},
                                                  {"score", 0, "", ""},
                                                  {"score", 1001, "", ""},
                                                  {"score", 10, "purple", ""},
                                                  {"score", 10, "", "rubbish"}}) {
    GpuQuery q;
    q.sort = sort;
    q.limit = static_cast<std::size_t>(limit);
    q.band = band;
    q.cursor = cursor;
    const auto list = gpu_list(fleet(), q);
    ASSERT_FALSE(list) << sort << limit << band << cursor;
    EXPECT_EQ(list.error().code, Errc::invalid_input);
  }
}

TEST(GpuList, CsvCellsThatASpreadsheetWouldRunAreQuoted) {
  const auto csv = gpu_list_csv(fleet(), {});
  EXPECT_THAT(csv, HasSubstr("'=S5"));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 6);
}

TEST(Health, EachLostPointHasAReasonAndWhatIsNotJudgedSaysSo) {
  const auto h = gpu_health(fleet(), 1);
  EXPECT_EQ(h["score"], 41);
  EXPECT_EQ(h["critical"], Json::array({"memory.remap_failed"}));
  const auto& finding = h["dimensions"][0]["findings"][0];
  EXPECT_EQ(finding["rule"], "memory.remap_failed");
  EXPECT_TRUE(finding["critical"].get<bool>());
  EXPECT_FALSE(finding["text"].get<std::string>().empty());
  EXPECT_TRUE(gpu_health(fleet(), 2)["score"].is_null());
}

TEST(Meta, SaysWhatEachKindOfEventMeans) {
  const auto said = meta(kNow);
  std::set<std::string> kinds;
  for (const auto& k : said["event_kinds"]) {
    EXPECT_TRUE(kinds.insert(k["kind"].get<std::string>()).second) << k["kind"] << " stands twice";
    EXPECT_THAT(k["weight"].get<std::string>(), testing::AnyOf("fault", "sign", "news")) << k["kind"];
    EXPECT_FALSE(k["says"].get<std::string>().empty()) << k["kind"];
  }
  for (const auto* kind : {"xid", "sxid", "gpu_missing", "gpu_reset", "source_silent", "anomaly", "anomaly_cleared", "clock_skew",
                           "host_booted", "series_stopped", "source_slow", "readings_frozen", "duplicate_source", "maintenance"})
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  // Those of agents, as docs/agent.md lists them.
  std::ifstream doc(std::string(GHM_SOURCE_DIR) + "/docs/agent.md");
  std::size_t of_agents = 0;
  for (std::string line; std::getline(doc, line);) {
    if (!line.starts_with("| the kernel log |") && !line.starts_with("| NVML |") && !line.starts_with("| the PCI bus |")) continue;
    for (auto from = line.find('`'); from != line.npos; from = line.find('`', from)) {
      const auto to = line.find('`', from + 1);
      const auto kind = line.substr(from + 1, to - from - 1);
      EXPECT_TRUE(kinds.contains(kind)) << kind;
      ++of_agents;
      from = to + 1;
    }
  }
  EXPECT_GE(of_agents, 20u);
}

TEST(Meta, ListsTheXidsOfTheCatalogueThatScoresGoBy) {
  const auto site = faults::FaultCatalogue::built_in().with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "4711,our_board_controller,other,hardware,error,drain_and_test,,,,30d,,,,\n",
      "site.csv");
  ASSERT_TRUE(site) << site.error().what;
  const auto said = meta(kNow, health::default_profile(), *site);
  EXPECT_EQ(said["fault_catalogue"], site->version());
  const auto own = std::ranges::find_if(said["xids"], [](const Json& x) { return x["code"] == 4711; });
  ASSERT_NE(own, said["xids"].end());
  EXPECT_EQ(*own, (Json{{"code", 4711},
                        {"name", "our_board_controller"},
                        {"component", "other"},
                        {"origin", "hardware"},
                        {"severity", "error"},
                        {"first_action", "drain_and_test"}}));
  EXPECT_EQ(said["xids"].size(), meta(kNow)["xids"].size() + 1);
}

TEST(Find, ASerialAnUuidOrTheBoardsNumber) {
  auto f = fleet();
  f.by_name = std::make_shared<NameIndex>(NameIndex{{"S2", 1}});
  EXPECT_EQ(find_board(f, "S2"), 1u);
  EXPECT_EQ(find_board(f, "nobody"), std::nullopt);
}

TEST(Find, WhoStandsInASlotOfAHost) {
  auto f = fleet();
  f.by_name = std::make_shared<NameIndex>();
  const auto& second = f.boards[1].board;
  ASSERT_GE(second.slot, 0);
  f.hosts.resize(1);
  f.hosts[0].host.name = second.host;
  f.hosts[0].boards = {0, 1};
  f.boards[0].board.slot = second.slot + 1;
  EXPECT_EQ(find_board(f, second.host + ":" + std::to_string(second.slot)), 1u);
  for (const auto& wrong : {second.host, second.host + ":", second.host + ":99", second.host + ":x", ":" + std::to_string(second.slot)})
    EXPECT_EQ(find_board(f, wrong), std::nullopt) << wrong;
  f.boards[1].board.in_service = false;
  EXPECT_EQ(find_board(f, second.host + ":" + std::to_string(second.slot)), std::nullopt);
}

TEST(Metrics, GapsAreNull) {
  fleet::Board b;
  b.serial = "S1";
  const std::vector<MetricColumn> columns = {
      {"DCGM_FI_DEV_GPU_TEMP", "celsius", {{kNow, 60, 62, 122, 62, 2}, {kNow + 20s, 63, 63, 63, 63, 1}}}};
  const auto m = gpu_metrics(b, {kNow, kNow + 30s}, 10s, columns, kNow);
  EXPECT_EQ(m["t"].size(), 3u);
  const auto& series = m["series"]["DCGM_FI_DEV_GPU_TEMP"];
  EXPECT_EQ(series["avg"], Json::array({61, nullptr, 63}));
  EXPECT_EQ(series["last"], Json::array({62, nullptr, 63}));
}

TEST(Cells, AByteForEveryBoardInLayoutOrder) {
  const auto cells = fleet_cells(fleet(), "health").value();
  ASSERT_EQ(cells.size(), 24u + 5);
  EXPECT_EQ(cells.substr(0, 4), "GHMC");
  std::vector<int> bytes;
  for (const char c : cells.substr(24)) bytes.push_back(static_cast<unsigned char>(c));
  EXPECT_THAT(bytes, ElementsAre(96, 41, 255, 72, 96));
  EXPECT_FALSE(fleet_cells(fleet(), "purple"));
  const auto warm = fleet_cells(fleet(), "temperature").value();
  EXPECT_EQ(static_cast<unsigned char>(warm[24 + 3]), 0);    // the coolest
  EXPECT_EQ(static_cast<unsigned char>(warm[24 + 4]), 250);  // the hottest
}

TEST(Layout, ItsVersionChangesWithWhoIsThereAndNotWithScores) {
  auto f = fleet();
  const auto before = layout_version(f);
  f.boards[0].health = report(12);
  EXPECT_EQ(layout_version(f), before);
  f.hosts[0].silent = true;
  EXPECT_NE(layout_version(f), before);
}

TEST(GpuText, LinksThatSayTheSameAreOneLine) {
  Json gpu{{"name", "g"}, {"readings", Json::array()}};
  for (int n = 0; n < 3; ++n) {
    gpu["readings"].push_back({{"metric", "STATE"}, {"entity", "nvlink" + std::to_string(n)}, {"value", 1.0}, {"unit", "bool"}});
    gpu["readings"].push_back(
        {{"metric", "REPLAYS"}, {"entity", "nvlink" + std::to_string(n)}, {"value", n == 1 ? 7 : 0}, {"unit", "count"}});
  }
  const auto text = gpu_text(gpu, {});
  EXPECT_THAT(text, HasSubstr("STATE@nvlink0 to nvlink2, 3 alike"));
  EXPECT_THAT(text, Not(HasSubstr("STATE@nvlink1")));
  EXPECT_THAT(text, HasSubstr("REPLAYS@nvlink1")) << "one that differs is shown, and with it all";
}

TEST(TextTable, NoLineIsWiderThanAskedAndControlCharactersDoNotSteerTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(text_width("61 °C"), 5u);
  EXPECT_EQ(cut("slowed down by heat", 8), "slowed …");
  const auto list = gpu_list(fleet(), {}).value();
  for (const std::size_t width : {40u, 60u, 80u, 200u}) {
    const auto text = gpus_text(list, width);
    std::size_t from = 0;
    for (std::size_t end; (end = text.find('\n', from)) != text.npos; from = end + 1)
      EXPECT_LE(text_width(text.substr(from, end - from)), width);
    EXPECT_THAT(text, HasSubstr("S2"));
  }
}

}  // namespace
}  // namespace ghm::views
