#include "pipeline/simulated_archive.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "domain/simulation/mode_facts.h"

namespace ghm::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr Timestamp kStart{std::chrono::milliseconds(1'770'000'060'000)};  // not at midnight

class SimulatedArchive : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ghm-simulated-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  SimulationOptions options(const std::string& name, const std::string& scenario = "literature", int gpus = 20, int days = 2) const {
    SimulationOptions o;
    o.folder = folder_ / name;
    o.truth = folder_ / (name + "-truth");
    o.plan = {gpus, 5, scenario, kStart, kStart + std::chrono::days(days)};
    o.interval = std::chrono::seconds(600);
    o.zstd = false;
    return o;
  }
  static std::map<std::string, std::string> files_of(const fs::path& folder) {
    std::map<std::string, std::string> out;
    for (const auto& f : fs::recursive_directory_iterator(folder))
      if (f.is_regular_file()) {
        std::stringstream text;
        text << std::ifstream(f.path(), std::ios::binary).rdbuf();
        out[fs::relative(f.path(), folder).string()] = text.str();
      }
    return out;
  }

  fs::path folder_;
};

TEST_F(SimulatedArchive, HasItsFilesAndNoOthers) {
  const auto report = simulate_archive(options("a"));
  ASSERT_TRUE(report) << report.error().what;
  const auto files = files_of(folder_ / "a");
  std::vector<std::string> names;
  for (const auto& [name, text] : files) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("assets.csv", "events.csv", "failures.csv", "manifest.json", "telemetry/2026-02-02.csv",
                                          "telemetry/2026-02-03.csv", "telemetry/2026-02-04.csv"));
  EXPECT_THAT(files.at("manifest.json"), testing::HasSubstr("\"simulated\": true"));
  EXPECT_EQ(std::ranges::count(files.at("assets.csv"), '\n'), 21);
  const auto& day = files.at("telemetry/2026-02-03.csv");
  EXPECT_EQ(std::ranges::count(day.substr(0, day.find('\n')), ','), 41);
  std::uint64_t rows = 0;
  for (const auto& [name, text] : files)
    if (name.starts_with("telemetry")) rows += static_cast<std::uint64_t>(std::ranges::count(text, '\n')) - 1;
  EXPECT_EQ(rows, report->rows);
}

TEST_F(SimulatedArchive, TheSameSeedGivesTheSameBytesOnAnyNumberOfThreads) {
  auto one = options("one"), three = options("three"), other = options("other");
  one.threads = 1, three.threads = 3, other.plan.seed = 6;
  for (const auto& o : {one, three, other}) ASSERT_TRUE(simulate_archive(o));
  EXPECT_EQ(files_of(one.folder), files_of(three.folder));
  EXPECT_EQ(files_of(one.truth), files_of(three.truth));
  EXPECT_NE(files_of(one.folder), files_of(other.folder));
}

// The truth is nowhere in the archive: not as a word, nor in what boards are called or when and for how much they were bought.
TEST_F(SimulatedArchive, HoldsNoTruth) {
  const auto failing = options("failing", "literature", 4000, 60), healthy = options("healthy", "healthy", 4000, 60);
  auto f = failing, h = healthy;
  f.interval = h.interval = std::chrono::hours(1);
  f.plan.end = f.plan.start + std::chrono::days(3), h.plan.end = f.plan.end;
  ASSERT_TRUE(simulate_archive(f));
  ASSERT_TRUE(simulate_archive(h));
  std::vector<std::string> words = {"frailty", "lemon", "bad_lot", "bad_driver", "false_clear", "hazard", "cause", "sign"};
  for (std::size_t s = 1; s <= static_cast<std::size_t>(simulation::Sign::width_drop); ++s)
    words.emplace_back(simulation::word_of(static_cast<simulation::Sign>(s)));
  for (const auto& m : simulation::mode_facts())
    if (m.name != m.type) words.emplace_back(m.name);
  std::erase(words, "fan"), std::erase(words, "flow"), std::erase(words, "nvlink"), std::erase(words, "thermal");
  const auto files = files_of(f.folder);
  for (const auto& [name, text] : files) {
    if (name.starts_with("telemetry")) continue;  // numbers only
    for (const auto& w : words) EXPECT_EQ(text.find(w), text.npos) << name << ": " << w;
  }
  // The first boards of a fleet that fails are those of a fleet that does not, in the same order, but for when they left.
  const auto cut = [](const std::string& csv) {
    std::set<std::string> out;
    std::stringstream in(csv);
    for (std::string line; std::getline(in, line);) {
      std::vector<std::string> cells;
      std::stringstream row(line);
      for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
      cells.at(12).clear();
      std::string all;
      for (const auto& c : cells) all += c + ",";
      out.insert(all);
    }
    return out;
  };
  const auto with = cut(files.at("assets.csv")), without = cut(files_of(h.folder).at("assets.csv"));
  EXPECT_TRUE(std::ranges::includes(with, without));
}

TEST_F(SimulatedArchive, TruthNamesEveryFailureOfTheArchiveAndTheSignsOfThoseToCome) {
  auto o = options("told", "wearout", 2000, 30);
  o.interval = std::chrono::hours(1);
  const auto report = simulate_archive(o);
  ASSERT_TRUE(report);
  ASSERT_GT(report->failures, 5u);
  const auto archive = files_of(o.folder), truth = files_of(o.truth);
  const auto keys = [](const std::string& csv) {
    std::vector<std::string> out;
    std::stringstream in(csv);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) out.push_back(line.substr(0, line.find(',', line.find(',') + 1)));
    std::ranges::sort(out);
    return out;
  };
  const auto failed = keys(archive.at("failures.csv")), known = keys(truth.at("failures.csv"));
  EXPECT_TRUE(std::ranges::includes(known, failed));
  std::size_t to_come = 0;
  for (const auto& k : known) to_come += k.substr(0, k.find(',')) >= format_rfc3339(o.plan.end);
  EXPECT_EQ(known.size(), failed.size() + to_come);
  EXPECT_GE(to_come, 3u);
  EXPECT_EQ(std::ranges::count(archive.at("assets.csv"), '\n'), std::ranges::count(truth.at("boards.csv"), '\n'));
}

TEST_F(SimulatedArchive, BadOptionsAreOneSentence) {
  auto o = options("bad");
  fs::create_directories(o.folder);
  std::ofstream(o.folder / "mine.txt") << "mine";
  EXPECT_EQ(simulate_archive(o).error().code, Errc::conflict);
  o = options("bad2");
  for (const auto& inside : {o.folder, o.folder / "", o.folder / "truth", folder_ / "x" / ".." / "bad2" / "telemetry"}) {
    o.truth = inside;
    const auto refused = simulate_archive(o);
    ASSERT_FALSE(refused) << inside;
    EXPECT_THAT(refused.error().what, testing::HasSubstr("must not hold the truth"));
  }
  o = options("bad3");
  o.interval = std::chrono::seconds(0);
  EXPECT_THAT(simulate_archive(o).error().what, testing::HasSubstr("1 s to 1 h"));
}

}  // namespace
}  // namespace ghm::pipeline
