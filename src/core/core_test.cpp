// The words that every room uses: times, tables, files, boxes, log lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/csv.h"
#include "core/files.h"
#include "core/http.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/time.h"

namespace ghm {
namespace {

using testing::ElementsAre, testing::HasSubstr;

TEST(Time, ReadsWhatPeopleAndProgramsWrite) {
  const struct {
    const char* text;
    std::int64_t ms;
  } cases[] = {{"2026-02-09T19:00:00Z", 1'770'663'600'000},
               {"2026-02-09T20:00:00+01:00", 1'770'663'600'000},
               {"2026-02-09T13:30:00.250-05:30", 1'770'663'600'250},
               {"1770663600", 1'770'663'600'000},
               {"1770663600.25", 1'770'663'600'250},
               {"1970-01-01T00:00:00Z", 0},
               {"2024-02-29T23:59:60Z", 1'709'251'199'000}};
  for (const auto& c : cases) {
    const auto t = parse_time(c.text);
    ASSERT_TRUE(t) << c.text << ": " << t.error().what;
    EXPECT_EQ(to_unix_ms(*t), c.ms) << c.text;
    EXPECT_EQ(*parse_time(format_rfc3339(*t)), *t);
  }
  for (const auto* text :
       {"", "yesterday", "2026-02-30T00:00:00Z", "2026-02-09", "2026-13-01T00:00:00Z", "2026-02-09T25:00:00Z", "1e400", "nan"})
    EXPECT_FALSE(parse_time(text)) << text;
}

// Unix time has no room for it: the second before stands for it, so an hour's last reading stays in its hour.
TEST(Time, ALeapSecondIsTheSecondBefore) {
  EXPECT_EQ(*parse_time("2016-12-31T23:59:60Z"), *parse_time("2016-12-31T23:59:59Z"));
  EXPECT_EQ(*parse_time("2016-12-31T23:59:60.250Z"), *parse_time("2016-12-31T23:59:59.250Z"));
  EXPECT_EQ(*parse_time("2017-01-01T00:59:60+01:00"), *parse_time("2016-12-31T23:59:59Z"));
  EXPECT_FALSE(parse_time("2016-12-31T23:59:61Z"));
}

TEST(Time, DurationsAreAsPrometheusWritesThem) {
  const struct {
    const char* text;
    std::chrono::milliseconds d;
  } cases[] = {{"250ms", 250ms}, {"10s", 10s}, {"5m", 5min}, {"1h30m", 90min}, {"7d", 168h}, {"2w", 336h}, {"1y", 8760h}, {"0", 0ms}};
  for (const auto& c : cases) {
    const auto d = parse_duration(c.text);
    ASSERT_TRUE(d) << c.text;
    EXPECT_EQ(*d, c.d) << c.text;
    EXPECT_EQ(*parse_duration(format_duration(*d)), c.d) << format_duration(*d);
  }
  for (const auto* text : {"", "10", "s", "-5s", "1m1h", "10 s", "99999999999999999999s"}) EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Csv, QuotesEndsOfLinesAndAMissingLastOne) {
  const auto t = CsvTable::parse("a,b\r\n1,\"x,\"\"y\"\"\nz\"\n2,", "f.csv");
  ASSERT_TRUE(t) << t.error().what;
  ASSERT_EQ(t->size(), 2u);
  EXPECT_EQ(t->cell(0, "b"), "x,\"y\"\nz");
  EXPECT_EQ(t->cell(1, "b"), "");
  EXPECT_EQ(t->column("c"), std::nullopt);
}

TEST(Csv, AWrongRowIsNamedByFileAndLine) {
  const auto t = CsvTable::parse("a,b\n1,2\n3\n", "data/f.csv");
  ASSERT_FALSE(t);
  EXPECT_THAT(t.error().what, HasSubstr("data/f.csv:3"));
}

TEST(Csv, CellsForExportAreSafeForSpreadsheets) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
  for (const auto* text : {"=1+1", "+1", "-1", "@x"}) EXPECT_EQ(csv_cell(text), std::string("'") + text);
}

class Scratch : public testing::Test {
 protected:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-core-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Scratch() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(Scratch, AFileIsReplacedWholeWithItsMode) {
  const auto path = folder_ / "token";
  ASSERT_TRUE(write_file_atomically(path, "one", 0600));
  ASSERT_TRUE(write_file_atomically(path, "two", 0600));
  EXPECT_EQ(read_file(path).value(), "two");
  struct stat s {};
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Scratch, WhatCannotBeReadIsNamed) {
  ASSERT_TRUE(write_file_atomically(folder_ / "big", "12345"));
  EXPECT_EQ(read_file(folder_ / "none").error().code, Errc::not_found);
  EXPECT_EQ(read_file(folder_ / "big", 4).error().code, Errc::invalid_input);
  EXPECT_EQ(read_file(folder_).error().code, Errc::invalid_input);
  EXPECT_THAT(read_file(folder_ / "none").error().what, HasSubstr((folder_ / "none").string()));
  EXPECT_FALSE(write_file_atomically(folder_ / "no" / "where", "x"));
}

TEST(Mailbox, AFullBoxMakesTheSenderWaitAndLosesNothing) {
  Mailbox<int> box(2);
  std::thread sender([&] {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(box.put(i));
    box.close();
  });
  int next = 0;
  while (const auto item = box.take()) EXPECT_EQ(*item, next++);
  sender.join();
  EXPECT_EQ(next, 1000);
  EXPECT_FALSE(box.put(1));
}

TEST(Mailbox, TryPutLeavesTheItemAloneAndAStopEndsTheWait) {
  Mailbox<std::string> box(1);
  std::string first = "a", second = "b";
  EXPECT_TRUE(box.try_put(first));
  EXPECT_FALSE(box.try_put(second));
  EXPECT_EQ(second, "b");
  EXPECT_THAT(box.take_all(), ElementsAre("a"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(box.take(stop.get_token()), std::nullopt);
  EXPECT_TRUE(box.take_all(stop.get_token()).empty());
}

TEST(Log, TextQuotesWhatWouldBreakALine) {
  std::vector<std::string> lines;
  const auto log = Log::to_memory(lines).with({{"stage", "scrape"}});
  log.warn("scrape.failed", {{"target", "h1:9400"}, {"error", "said \"no\"\nand left"}, {"empty", ""}});
  EXPECT_THAT(lines, ElementsAre(R"(scrape.failed target=h1:9400 error="said \"no\"\nand left" empty="" stage=scrape)"));
}

TEST(Log, JsonIsOneDocumentPerLineWhateverIsInIt) {
  std::vector<std::string> lines;
  Log::to_memory(lines, "json").with({{"stage", "scrape"}}).error("scrape.failed", {{"error", "bad \xff byte\n"}});
  ASSERT_EQ(lines.size(), 1u);
  const auto j = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(j["event"], "scrape.failed");
  EXPECT_EQ(j["level"], "error");
  EXPECT_EQ(j["stage"], "scrape");
  EXPECT_EQ(lines[0].find('\n'), std::string::npos);
}

TEST(Http, AProblemIsAsRfc9457Says) {
  const auto r = http::problem(404, "no such board");
  const auto j = nlohmann::json::parse(r.bytes());
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(r.content_type, "application/problem+json");
  EXPECT_EQ(j["detail"], "no such board");
  EXPECT_EQ(j["status"], 404);
  EXPECT_FALSE(j["trace_id"].get<std::string>().empty());
}

}  // namespace
}  // namespace ghm
