#include "adapters/dcgm_exporter/series_book.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "adapters/dcgm_exporter/byte_hash.h"
#include "adapters/dcgm_exporter/page_reader.h"

namespace ghm::dcgm_exporter {
namespace {

const auto& kCatalogue = telemetry::MetricCatalogue::built_in();
const Timestamp kNow = from_unix_ms(1'700'000'000'000);

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A page told line by line, each as a series of its own.
struct Told {
  SeriesBook book{kCatalogue, make_layout_pool()};
  HelpUnits help;

  void tell(std::string_view page, Timestamp now = kNow) {
    for_each_line(page, [&](std::string_view line) {
      if (line.front() == '#') note_help(help, line, kCatalogue);
      else tell_line(line, now);
      return true;
    });
  }

  void tell_line(std::string_view line, Timestamp now) {
    const auto parts = split_line(line);
    const auto series = parse_prefix(parts.prefix);
    if (!kCatalogue.spelling(series.name) || !series.whole) return;
    const auto key = hash_bytes(parts.prefix);
    if (const auto known = book.find(key)) book.row(*known).heard = now;
    else book.add(key, series, parse_rest(parts.rest).number.value_or(std::numeric_limits<double>::quiet_NaN()), now);
  }
};

std::string temperature(int gpu, const std::string& uuid, const std::string& more = "") {
  return "DCGM_FI_DEV_GPU_TEMP{gpu=\"" + std::to_string(gpu) + "\",UUID=\"" + uuid + "\",Hostname=\"n1\"" + more + "} 61\n";
}

TEST(SeriesBook, EveryGoldenPageHasTheLayoutThatThePageReaderGivesIt) {
  int pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GHM_SOURCE_DIR) + "/tests/pages")) {
    if (entry.path().extension() != ".prom" || entry.path().stem() == "damaged") continue;
    const auto page = text_of(entry.path());
    Told told;
    told.tell(page);
    told.book.settle(told.help, kNow);
    const auto read = read_careful(page, kCatalogue);
    EXPECT_EQ(*told.book.layout()->table, *read.layout->table) << entry.path();
    EXPECT_EQ(told.book.layout()->gpus, read.layout->gpus) << entry.path();
    EXPECT_EQ(told.book.layout()->work, read.layout->work) << entry.path();
    ++pages;
  }
  EXPECT_GE(pages, 8);
}

TEST(SeriesBook, ALaterSeriesJoinsTheGpuThatItNamesByIndexAlone) {
  Told told;
  told.tell("DCGM_FI_DEV_SM_CLOCK{gpu=\"1\",Hostname=\"n1\"} 1980\n");
  told.book.settle(told.help, kNow);
  EXPECT_EQ(told.book.layout()->gpus.at(0).uuid, "");
  told.tell(temperature(0, "GPU-aa") + temperature(1, "GPU-bb"));
  told.book.settle(told.help, kNow);
  ASSERT_EQ(told.book.layout()->gpus.size(), 2u);
  EXPECT_EQ(told.book.layout()->gpus[static_cast<std::size_t>(told.book.rows()[0].gpu)].uuid, "GPU-bb");
}

TEST(SeriesBook, CopiesForPodsAreOneColumnAndSayWhatRuns) {
  Told told;
  for (const char* pod : {"p1", "p0"}) told.tell(temperature(0, "GPU-aa", std::string(",pod=\"") + pod + "\""));
  for (int n = 0; n < 20'000; ++n) told.tell(temperature(0, "GPU-aa", ",pod=\"p0\",note=\"" + std::to_string(n) + "\""));
  told.book.settle(told.help, kNow);
  EXPECT_EQ(told.book.rows().size(), 2u);
  EXPECT_EQ(told.book.layout()->table->series.size(), 1u);
  EXPECT_EQ(told.book.layout()->work.at(0).pods, (std::vector<std::string>{"p0", "p1"}));
}

TEST(SeriesBook, WhatEndedOrIsNotHeardOfIsForgottenWithTheNextChange) {
  Told told;
  told.tell(temperature(0, "GPU-aa") + temperature(1, "GPU-bb") + temperature(2, "GPU-cc"));
  told.book.settle(told.help, kNow);
  told.book.row(0).ended = true;
  told.tell(temperature(2, "GPU-cc"), kNow + 6min);
  told.tell(temperature(0, "GPU-dd"), kNow + 6min);
  told.book.settle(told.help, kNow + 6min);
  ASSERT_EQ(told.book.layout()->gpus.size(), 3u);
  EXPECT_EQ(told.book.layout()->gpus[0].uuid, "GPU-dd");
  told.tell(temperature(2, "GPU-cc"), kNow + 65min);
  told.book.settle(told.help, kNow + 65min);
  ASSERT_EQ(told.book.layout()->gpus.size(), 2u) << "GPU-bb was not heard of for an hour";
  told.tell(temperature(2, "GPU-cc"), kNow + 66min);
  EXPECT_EQ(told.book.rows().size(), 2u) << "the others are still found";
}

}  // namespace
}  // namespace ghm::dcgm_exporter
