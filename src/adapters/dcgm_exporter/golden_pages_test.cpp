#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/dcgm_exporter/reading_text.h"
#include "core/files.h"

namespace ghm::dcgm_exporter {
namespace {

TEST(GoldenPages, SayWhatIsExpected) {
  int pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GHM_SOURCE_DIR "/tests/pages")) {
    if (entry.path().extension() != ".prom") continue;
    ++pages;
    const auto page = read_file(entry.path()).value();
    const auto& catalogue = telemetry::MetricCatalogue::built_in();
    const auto said = text_of(read_careful(page, catalogue));
    EXPECT_EQ(said, text_of(read_naive(page, catalogue))) << entry.path();
    auto expected = entry.path();
    expected.replace_extension(".expected");
    if (std::getenv("UPDATE_GOLDEN")) {
      ASSERT_TRUE(write_file_atomically(expected, said));
    }
    EXPECT_EQ(said, read_file(expected).value()) << entry.path();
  }
  EXPECT_GE(pages, 9);
}

}  // namespace
}  // namespace ghm::dcgm_exporter
