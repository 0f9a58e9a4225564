#include "domain/faults/incident_book.h"

#include <gtest/gtest.h>

#include <random>

namespace ghm::faults {
namespace {

const Timestamp kNow = from_unix_ms(1'800'000'000'000);

Sign sign(const char* word, int host, int gpu, Timestamp at, int n = 0) {
  Sign s;
  s.what = evidence(word);
  s.severity = EvidenceTable::built_in()[s.what].severity;
  s.at = at;
  s.id = std::to_string(n) + word + std::to_string(host) + "/" + std::to_string(gpu) + "@" + std::to_string(to_unix_ms(at));
  s.host = "h" + std::to_string(host);
  s.rack = "r" + std::to_string(host / 4);
  if (gpu >= 0) {
    s.board = static_cast<BoardId>(host * 100 + gpu + 1);
    s.gpu = s.host + "/" + std::to_string(gpu);
  }
  s.boards_on_host = 8;
  return s;
}

TEST(IncidentBook, TheSameSignTwiceIsOne) {
  IncidentBook book;
  const auto s = sign("off_bus", 1, 0, kNow);
  EXPECT_EQ(book.observe(s), book.observe(s));
  EXPECT_EQ(book.find(1)->lines.size(), 1u);
  EXPECT_EQ(book.find(1)->counts.begin()->second, 1);
}

TEST(IncidentBook, HistoryTellsTheWholeLife) {
  IncidentBook book;
  book.observe(sign("off_bus", 1, 0, kNow));
  book.observe(sign("gpu_missing", 1, 0, kNow + 30s));
  book.end({"e", kNow + 1h, Ending::host_reboot, BoardId::none, "h1", "h1 was booted", {}});
  EXPECT_TRUE(book.find(1)->is_open()) << "it is not back yet";
  book.end({"e", kNow + 2h, Ending::gpu_returned, sign("off_bus", 1, 0, kNow).board, "h1", "it is back", {}});
  book.observe(sign("off_bus", 1, 0, kNow + 24h));
  ASSERT_TRUE(book.clear(1, "ana", "replaced the riser", kNow + 48h));
  std::vector<std::string> steps;
  for (const auto& c : book.find(1)->history) steps.push_back(c.what);
  EXPECT_EQ(steps, (std::vector<std::string>{"opened", "updated", "cleared", "reopened", "cleared"}));
  EXPECT_EQ(book.find(1)->history.back().by, "ana");
}

TEST(IncidentBook, AnEndingBeforeTheSignEndsNothing) {
  IncidentBook book;
  book.observe(sign("gsp_timeout", 1, 0, kNow));
  book.end({"e", kNow - 1s, Ending::gpu_reset, sign("gsp_timeout", 1, 0, kNow).board, "h1", "", {}});
  EXPECT_TRUE(book.find(1)->is_open());
}

TEST(IncidentBook, LongStoriesStaySmall) {
  IncidentBook book;
  for (int n = 0; n < 5000; ++n) book.observe(sign("corrected_storm", 1, 0, kNow + n * 1min, n));
  const auto& i = *book.find(1);
  EXPECT_EQ(i.lines.size(), Incident::kFirstLines + Incident::kLastLines);
  EXPECT_EQ(i.lines.size() + i.more_lines, 5000u);
  EXPECT_LE(i.history.size(), Incident::kMostHistory);
  EXPECT_EQ(i.counts.begin()->second, 5000);
}

TEST(IncidentBook, AFullBookSaysSoAndGoesOn) {
  IncidentBook book(CauseTable::built_in(), FaultCatalogue::built_in(), {.most_open = 10, .most_cleared = 5});
  for (int h = 0; h < 20; ++h) book.observe(sign("app_fault", h, 0, kNow + h * 1h));
  EXPECT_EQ(book.counts().open, 10u);
  EXPECT_EQ(book.counts().not_opened, 10u);
  for (int h = 0; h < 10; ++h) book.end({"e", kNow + 48h, Ending::test_passed, BoardId::none, "h" + std::to_string(h), "", {}});
  book.take_changed();
  book.forget(kNow + 49h);
  EXPECT_EQ(book.counts().open, 0u);
  EXPECT_EQ(book.counts().cleared, 5u);
  EXPECT_NE(book.observe(sign("app_fault", 15, 0, kNow + 50h)), 0u);
}

TEST(IncidentBook, ForgetsWhatIsLongOver) {
  IncidentBook book;
  book.observe(sign("app_fault", 1, 0, kNow));
  ASSERT_TRUE(book.clear(1, "ana", "", kNow));
  book.take_changed();
  book.forget(kNow + std::chrono::days(29));
  EXPECT_NE(book.find(1), nullptr);
  book.forget(kNow + std::chrono::days(31));
  EXPECT_EQ(book.find(1), nullptr);
  EXPECT_EQ(book.observe(sign("app_fault", 1, 0, kNow + std::chrono::days(32))), 2u);
}

TEST(IncidentBook, AThousandHostsGoDarkAsOneOfEachRack) {
  IncidentBook book;
  for (int h = 0; h < 1250; ++h) book.observe(sign("host_silent", h, -1, kNow + h * 10ms));
  EXPECT_LE(book.counts().open, 1250u / 4 + 2);
  EXPECT_EQ(book.find(1)->scope(), Scope::rack);
}

TEST(IncidentBook, RestoredItGoesOnAlike) {
  std::mt19937 random(7);
  const char* words[] = {"off_bus", "app_fault", "app_teardown", "gsp_timeout", "heat", "row_remapped", "job_failed", "host_silent"};
  IncidentBook a;
  std::unique_ptr<IncidentBook> b = std::make_unique<IncidentBook>();
  for (int n = 0; n < 2000; ++n) {
    const int host = static_cast<int>(random() % 40);
    const auto* word = words[random() % std::size(words)];
    const auto at = kNow + n * 40s + n / 200 * 3h;
    auto s = sign(word, host, std::string_view(word) == "host_silent" ? -1 : static_cast<int>(random() % 8), at, n);
    if (random() % 2) s.job = "j" + std::to_string(host / 2);
    EXPECT_EQ(a.observe(s), b->observe(s)) << n;
    if (n % 3 == 0) {
      const EndingSeen e{"e" + std::to_string(n), s.at + 1s, static_cast<Ending>(random() % kEndings), s.board, s.host, "", {}};
      a.end(e);
      b->end(e);
    }
    if (n % 200 == 199) {  // long enough apart that nothing is gathering
      std::vector<Incident> kept;
      for (std::uint64_t id = 1; id < 3000; ++id)
        if (const auto* i = b->find(id)) kept.push_back(*i);
      b = std::make_unique<IncidentBook>();
      b->restore(std::move(kept), {});
    }
  }
  EXPECT_EQ(a.counts().open, b->counts().open);
}

TEST(IncidentBook, EveryMergedOneLeadsToALivingOne) {
  std::mt19937 random(11);
  const char* words[] = {"heat", "host_silent", "power_brake", "gsp_timeout"};
  IncidentBook book;
  for (int n = 0; n < 3000; ++n) {
    const auto* word = words[random() % std::size(words)];
    auto s = sign(word, static_cast<int>(random() % 60), std::string_view(word) == "host_silent" ? -1 : static_cast<int>(random() % 8),
                  kNow + n * 5s, n);
    if (std::string_view(word) == "gsp_timeout") s.code = 119;
    const auto id = book.observe(s);
    ASSERT_NE(book.find(id), nullptr);
    EXPECT_TRUE(book.find(id)->is_open());
  }
  std::size_t open = 0;
  for (std::uint64_t id = 1; id < 3000; ++id) {
    const auto* i = book.find(id);
    if (i == nullptr) continue;
    open += i->is_open();
    if (i->state != State::merged) continue;
    const auto* into = book.find(i->merged_into);
    ASSERT_NE(into, nullptr);
    EXPECT_NE(into->id, i->id);
  }
  EXPECT_EQ(open, book.counts().open);
}

}  // namespace
}  // namespace ghm::faults
