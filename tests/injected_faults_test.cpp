// Every fault that the simulator can inject, through the whole pipeline: pages, ingest, records, stories, scores, anomalies. Each must
// show where its cause lies, on its own board, and nowhere else. docs/simulation.md has the same table for people.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adapters/memory/memory_store.h"
#include "domain/simulation/fleet.h"
#include "domain/views/cause.h"
#include "pipeline/ingest.h"
#include "pipeline/live_view.h"
#include "services/board_stories.h"
#include "services/scoring.h"

namespace ghm {
namespace {

using testing::Contains, testing::Not, testing::StartsWith;
using views::BoardView, views::FleetSnapshot;

const Timestamp kBirth = from_unix_ms(1'770'000'000'000);
constexpr int kSlot = 2;  // of host 0: the board that is struck

/// Two hosts of eight boards and all that ghm does with their pages, on a clock of its own.
class Site {
 public:
  /// Without scores there is no need to keep readings, and a minute between pages will do: for what takes days to learn.
  explicit Site(bool is_scored) : keeps_(is_scored), interval_(is_scored ? 15s : 60s) {}

  void live(std::chrono::minutes span) {
    for (const auto end = now_ + span; now_ < end;) {
      for (const auto next = now_ + interval_; now_ < next;) ingest_.tick(now_ += 5s);  // silence is looked for every few seconds
      for (std::size_t h = 0; h < fleet_.hosts(); ++h) scrape(h);
      ingest_.tick(now_);
    }
  }
  void strike(const char* fault) {
    ASSERT_TRUE(fleet_.inject(std::to_string(kSlot), fault, now_)) << fault;
    struck_at_ = now_;
  }
  /// A round over all boards.
  void score() {
    services::BoardStories stories(store_, live_view_);
    services::Scoring scoring(
        store_, live_view_, {15min, interval_, 5s}, Log::off(),
        [&](std::span<const fleet::Board* const> boards, Timestamp now) { return stories.tell(boards, now); },
        [&](const store::RowBatch& row) { return store_.append(std::span(&row, 1)).has_value(); });
    scoring.tick(now_);
    ingest_.tick(now_);
  }
  std::shared_ptr<const FleetSnapshot> fleet() const { return live_view_.current(); }
  const std::string& host(std::size_t h) const { return fleet_.place(h).host; }
  bool is_struck(const fleet::Board& b) const { return b.host == host(0) && b.slot == kSlot; }

  /// "kind serial" or "kind host" of what happened since the strike; an Xid with its code.
  std::vector<std::string> events() const {
    std::vector<std::string> out;
    const auto records = store_.recent("event", {struck_at_, now_ + 1s}, 100'000);
    for (const auto& r : *records) {
      const auto body = nlohmann::json::parse(r.body);
      const auto who = body.contains("gpu") && body["gpu"].is_string() ? body["gpu"].get<std::string>() : body.value("host", "");
      out.push_back(body["kind"].get<std::string>() + (body.contains("code") ? " " + body["code"].dump() : "") + " " + who);
    }
    return out;
  }

 private:
  void scrape(std::size_t h) {
    fleet_.advance(h, now_);
    text_.clear();
    std::string error;
    switch (fleet_.page_fault(h)) {
      case simulation::PageFault::none: fleet_.render(h, text_); break;
      case simulation::PageFault::http_500: error = "answered 500"; break;
      case simulation::PageFault::hang: error = "no answer within 10 s"; break;
    }
    ingest_.on_scrape({targets_[h], now_, {}, text_, error, "healthy/7"});
  }
  bool keep(pipeline::ToKeep& k) {
    if (keeps_) {
      EXPECT_TRUE(store_.append(k.rows));
    }
    EXPECT_TRUE(store_.put(k.records));
    k.rows.clear();
    k.records.clear();
    return true;
  }

  bool keeps_;
  std::chrono::seconds interval_;
  simulation::Fleet fleet_ = std::move(*simulation::Fleet::create({16, 7, "healthy", kBirth}));
  std::vector<telemetry::Target> targets_ = {{"a:9400", {{"host", host(0)}, {"rack", "R1"}}, std::make_shared<telemetry::ScrapeAccess>()},
                                             {"b:9400", {{"host", host(1)}, {"rack", "R1"}}, std::make_shared<telemetry::ScrapeAccess>()}};
  Timestamp now_ = kBirth, struck_at_ = kBirth;
  std::string text_;
  memory::MemoryStore store_;
  pipeline::LiveView live_view_;
  pipeline::Ingest ingest_{{.interval = interval_},
                           {[this](pipeline::ToKeep& k) { return keep(k); },
                            [this](pipeline::LiveUpdate& u) {
                              live_view_.apply(std::move(u));
                              return true;
                            }},
                           Log::off()};
};

/// "thermal.throttle" and so on of one board.
std::set<std::string> rules(const BoardView& view) {
  std::set<std::string> out;
  if (view.health)
    for (const auto& d : view.health->dimensions)
      for (const auto& f : d.findings) out.insert(f.rule);
  return out;
}

// New findings of `after` against a board to which nothing happened. A job that restarts makes power jump: that is no sign.
std::set<std::string> news(const BoardView& after, const BoardView& without) {
  auto out = rules(after);
  for (const auto& rule : rules(without)) out.erase(rule);
  out.erase("power.spike");
  return out;
}

/// gtest's name of a case, in place of its bytes.
void PrintTo(const struct Expected& e, std::ostream* out);

struct Expected {
  const char* fault;
  std::vector<std::string> rules;   // one of these, in the score of the board: each profile has its own
  std::vector<std::string> events;  // all of these, about the board or, with "host", its host
  views::Cause anomaly{};           // instead of a rule, where `by_anomaly`
  bool by_anomaly = false;
  bool whole_host = false;  // the fault is of the host, not of the board
  std::chrono::minutes warm{40}, after{15};
};

void PrintTo(const Expected& e, std::ostream* out) {
  *out << e.fault;
}

const Expected kExpected[] = {
    {"hbm_ue", {"memory.ue_7d", "memory.uncorrected"}, {"xid 48"}},
    {"ce_storm", {"memory.corrected", "memory.ce_flood"}, {}},
    {"row_remap_pending", {"memory.remap_pending"}, {}},
    {"row_remap_fail", {"memory.remap_failed"}, {"xid 64"}},
    {"off_bus", {"reliability.reset", "reliability.incidents"}, {"xid 79", "gpu_missing"}},
    {"gsp_hang", {"reliability.reset", "reliability.incidents"}, {"xid 119"}},
    {"nvlink_down", {"performance.nvlink"}, {"xid 74"}},
    {"nvlink_crc", {}, {"anomaly"}, views::Cause::nvlink, true},
    {"thermal_tim", {"thermal.throttle"}, {}},
    {"fan_fail", {"thermal.throttle", "thermal.mean"}, {}, {}, false, true, 40min, 60min},
    {"power_brake", {}, {}, views::Cause::power, true, true, 40min, 60min},
    {"pcie_width", {"performance.pcie"}, {}},
    {"app_xid31", {}, {"xid 31"}},
    {"sensor_stuck", {}, {"anomaly"}, views::Cause::heat, true, false, 1800min, 300min},
    {"page_500", {}, {"source_silent host"}, {}, false, true},
    {"page_hang", {}, {"source_silent host"}, {}, false, true},
    {"gpu_vanish", {"reliability.reset", "reliability.incidents"}, {"gpu_missing"}},
};

class InjectedFault : public ::testing::TestWithParam<Expected> {};

TEST_P(InjectedFault, ShowsWhereItsCauseLies) {
  const auto& want = GetParam();
  Site site(want.warm < 10h);
  site.live(want.warm);
  if (want.warm < 10h) site.score();
  const auto before = site.fleet();
  ASSERT_EQ(before->boards.size(), 16u);
  EXPECT_TRUE(before->anomalies.empty()) << before->anomalies.front().sentence;
  site.strike(want.fault);
  site.live(want.after);
  if (want.warm < 10h) site.score();
  const auto after = site.fleet();
  const auto events = site.events();

  int shows_on_host = 0;
  for (std::size_t i = 0; i < after->boards.size(); ++i) {
    const auto& view = after->boards[i];
    const auto& board = view.board;
    const bool struck = site.is_struck(board), host_struck = want.whole_host && board.host == site.host(0);
    const auto found = rules(view), old = rules(before->boards[i]);
    bool shows = false;
    for (const auto& rule : want.rules) shows |= found.contains(rule) && !old.contains(rule);
    shows_on_host += shows && host_struck ? 1 : 0;
    if (struck && !want.rules.empty() && !want.whole_host) {
      EXPECT_TRUE(shows) << board.serial << " has only " << testing::PrintToString(found);
    }
    if (!struck && !host_struck) {
      EXPECT_FALSE(shows) << "nothing is wrong with " << board.host << " " << board.slot;
    }
    for (const auto& event : want.events) {
      if (event.ends_with(" host")) continue;
      const bool told = std::ranges::find(events, event + " " + board.serial) != events.end();
      if (!host_struck) {
        EXPECT_EQ(told, struck) << event << " of " << board.host << " " << board.slot;
      }
    }
  }
  if (want.whole_host && !want.rules.empty()) {
    EXPECT_GE(shows_on_host, 4) << "of eight boards that share the air";
  }
  for (const auto& event : want.events)
    if (event.ends_with(" host")) {
      EXPECT_THAT(events, Contains(event.substr(0, event.size() - 4) + site.host(0)));
      EXPECT_THAT(events, Not(Contains(event.substr(0, event.size() - 4) + site.host(1))));
    }
  if (want.by_anomaly) {
    bool told = false;
    for (const auto& a : after->anomalies) {
      const auto cause = views::cause_of_metric(a.metric);
      const auto board = std::ranges::find(after->boards, a.board, [](const BoardView& v) { return v.board.id; });
      EXPECT_EQ(a.host, site.host(0)) << a.sentence;
      if (!want.whole_host) {
        ASSERT_NE(board, after->boards.end()) << a.sentence;
        EXPECT_TRUE(site.is_struck(board->board)) << a.sentence;
      }
      told |= cause == want.anomaly;
    }
    EXPECT_TRUE(told) << "no anomaly of " << views::to_string(want.anomaly);
  }
}

// What is no board's fault costs no board's points.
class NoBoardsFault : public ::testing::TestWithParam<const char*> {};

TEST_P(NoBoardsFault, CostsNoHardwarePoints) {
  const std::string fault = GetParam();
  Site well(true), ill(true);
  for (auto* site : {&well, &ill}) {
    site->live(40min);
    if (site == &ill) site->strike(GetParam());
    site->live(15min);
    site->score();
  }
  const auto a = well.fleet(), b = ill.fleet();
  for (std::size_t i = 0; i < a->boards.size(); ++i) {
    ASSERT_TRUE(a->boards[i].health && b->boards[i].health) << i;
    if (fault == "gpu_vanish" && ill.is_struck(b->boards[i].board)) {
      EXPECT_THAT(news(b->boards[i], a->boards[i]),
                  testing::IsSubsetOf({"reliability.reset", "reliability.incidents", "reliability.uptime"}));
    } else {
      EXPECT_THAT(news(b->boards[i], a->boards[i]), testing::IsEmpty()) << "slot " << i;
      EXPECT_TRUE(b->boards[i].health->critical.empty());
    }
    if (fault.starts_with("page")) {
      EXPECT_EQ(b->boards[i].silent, b->boards[i].board.host == ill.host(0)) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, InjectedFault, ::testing::ValuesIn(kExpected), [](const auto& p) { return std::string(p.param.fault); });

INSTANTIATE_TEST_SUITE_P(All, NoBoardsFault, ::testing::Values("app_xid31", "page_500", "page_hang", "gpu_vanish"),
                         [](const auto& p) { return std::string(p.param); });

TEST(InjectedFaults, AreAllHere) {
  std::vector<std::string_view> here;
  for (const auto& e : kExpected) here.push_back(e.fault);
  EXPECT_EQ(here, simulation::Fleet::faults());
}

}  // namespace
}  // namespace ghm
