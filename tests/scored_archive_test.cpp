// Boards of an archive scored over time: in several passes as in one, from nothing later than the score.
#include "pipeline/scored_archive.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "pipeline/simulated_archive.h"

namespace ghm::pipeline {
namespace {

namespace fs = std::filesystem;

using Scores = std::map<std::pair<std::string, double>, std::vector<std::optional<double>>>;

class ScoredArchive : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ghm-scored-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    SimulationOptions o;
    o.folder = folder_;
    o.plan = {20, 5, "wearout", from_unix_ms(1'770'000'000'000), from_unix_ms(1'770'000'000'000) + std::chrono::days(4)};
    o.interval = std::chrono::seconds(1800);
    o.zstd = false;
    ASSERT_TRUE(simulate_archive(o));
  }
  void TearDown() override { fs::remove_all(folder_); }

  Scores scores(std::size_t most_bytes = 1u << 30) {
    const auto folder = archive::Folder::open(folder_);
    const auto fleet = ArchivedFleet::read(*folder);
    ScoringPlan plan;
    plan.profiles = {&health::baseline(), &health::v1()};
    plan.most_bytes = most_bytes;
    Scores out;
    const auto counts = score_archive(*folder, *fleet, plan, [&](const ScoredMoment& m) {
      auto& of_moment = out[{fleet->boards[m.board].uuid, m.t}];
      for (const auto& r : m.reports) of_moment.push_back(r.overall);
    });
    EXPECT_TRUE(counts) << counts.error().what;
    passes_ = counts->passes;
    EXPECT_EQ(counts->moments, out.size());
    return out;
  }

  fs::path folder_;
  std::size_t passes_ = 0;
};

TEST_F(ScoredArchive, InSeveralPassesAsInOne) {
  const auto once = scores();
  EXPECT_EQ(passes_, 1u);
  EXPECT_EQ(once.size(), 80u) << "20 boards on 4 days";
  EXPECT_EQ(scores(1), once);
  EXPECT_EQ(passes_, 3u) << "a host at a time";
}

// What comes later is cut off: what was scored before stays as it was.
TEST_F(ScoredArchive, LooksAtNothingLater) {
  const auto whole = scores();
  std::vector<fs::path> days;
  for (const auto& f : fs::directory_iterator(folder_ / "telemetry")) days.push_back(f.path());
  std::ranges::sort(days);
  ASSERT_GE(days.size(), 4u);
  for (std::size_t d = 3; d < days.size(); ++d) fs::remove(days[d]);
  const double last_kept = 1'770'000'000 + 2 * 86'400;
  std::size_t compared = 0;
  for (const auto& [key, of_moment] : scores()) {
    if (key.second > last_kept) continue;
    ++compared;
    EXPECT_EQ(of_moment, whole.at(key)) << key.first << " " << key.second;
  }
  EXPECT_EQ(compared, 40u);
}

}  // namespace
}  // namespace ghm::pipeline
