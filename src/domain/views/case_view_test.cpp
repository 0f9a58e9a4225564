#include "domain/views/case_view.h"

#include <gmock/gmock.h>

namespace ghm::views {
namespace {

using fleet::CaseState;
using testing::HasSubstr;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

/// A watched case, 12 hours after its watch of two days began.
struct Watched {
  fleet::CaseBook book;
  Watched() {
    fleet::CaseOpening o;
    o.board = fleet::BoardId{3};
    o.gpu = "1650003";
    o.host = "h1";
    o.fault = "memory";
    o.symptom = "uncorrectable \x1b[31merrors";
    o.action = "reset_gpu";
    o.opened = kNow - std::chrono::hours(20);
    o.due = kNow - 1h;
    o.watch = std::chrono::days(2);
    (void)book.open(o);
    (void)book.advance(1, {.to = CaseState::acting}, "ana", kNow - 14h);
    (void)book.advance(1, {.to = CaseState::testing, .replaced_by = "1650009"}, "ana", kNow - 13h);
    (void)book.advance(1, {.to = CaseState::watching, .test = fleet::CaseAdvance::Test{"diag", "well", true}}, "ana", kNow - 12h);
  }
  const fleet::RepairCase& it() const { return *book.find(1); }
};

TEST(CaseView, ARowSaysHowLongItIsWatchedAndThatItIsLate) {
  Watched w;
  const auto row = case_item(w.it(), nullptr, kNow);
  EXPECT_EQ(row["watch_until"], format_rfc3339(kNow + 36h));
  EXPECT_EQ(row["overdue"], true);
  EXPECT_EQ(row["slot"], nullptr);
  EXPECT_EQ(row["incident"], nullptr);
  EXPECT_EQ(row["action_says"], "drain the GPU and reset it");
}

TEST(CaseView, AGapPutsTheEndOffWhileItLasts) {
  Watched w;
  const fleet::CaseBook::Gap gap{kNow - 3h, "it is silent"};
  const auto d = case_detail(w.it(), &gap, {{{kNow - std::chrono::days(60), kNow}, 6}, CaseSigns{{kNow - 13h, kNow}, 0}}, kNow);
  EXPECT_EQ(d["watch_until"], format_rfc3339(kNow + 39h));
  EXPECT_THAT(d["why_not_closed"].get<std::string>(), HasSubstr("it is silent"));
  EXPECT_EQ(d["before"]["per_30_days"], 3.0);
  EXPECT_EQ(d["after"]["per_30_days"], nullptr);
  EXPECT_EQ(d["parts"][0]["removed"], "1650003");
  EXPECT_EQ(d["parts"][0]["installed"], "1650009");
  EXPECT_EQ(d["tests"][0]["detail"], "well");
}

TEST(CaseView, TablesHoldTheirWidthAndNoControlCharacters) {
  Watched w;
  const auto row = case_item(w.it(), nullptr, kNow);
  const Json list = {{"items", {row}}};
  const auto table = cases_text(list, 100);
  EXPECT_THAT(table, HasSubstr("1650003"));
  const auto page = case_text(case_detail(w.it(), nullptr, {}, kNow), 120);
  EXPECT_THAT(page, HasSubstr("uncorrectable ?[31merrors"));
  EXPECT_THAT(page, HasSubstr("watched until"));
  for (const auto& text : {table, page}) EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(cases_text({{"items", Json::array()}}, 80), "no repair cases\n");
}

TEST(CaseView, ATimelineHasTheStepsOfItsTimeOnly) {
  Watched w;
  EXPECT_EQ(case_timeline(w.it(), {kNow - 13h, kNow}).size(), 3u);
  const auto test = case_timeline(w.it(), {kNow - 12h, kNow}).front().second;
  EXPECT_EQ(test["kind"], "test_passed");
  EXPECT_EQ(test["detail"], "repair case 1 (reset_gpu): diag well");
}

}  // namespace
}  // namespace ghm::views
