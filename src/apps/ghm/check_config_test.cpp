#include "apps/ghm/check_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/files.h"
#include "services/sums_file.h"

namespace ghm::app {
namespace {

Config config_of(std::string_view more = "") {
  auto config = parse_config("scrape: {targets: [h]}\n" + std::string(more), "ghm.yaml");
  EXPECT_TRUE(config) << config.error().what;
  return *config;
}

TEST(CheckConfig, SaysWhatTheFleetWillNeed) {
  const auto r = check_config(config_of("retention: {raw_days: 10}\n"), 1250, {10'000'000'000'000, 65'536});
  EXPECT_EQ(r["config_ok"], true);
  EXPECT_EQ(r["targets"], 1250);
  EXPECT_EQ(r["samples_per_second"], 110'000);               // 1250 hosts × 8 GPUs × 110 series / 10 s
  EXPECT_EQ(r["tiers"][0]["bytes_per_day"], 5'930'496'000);  // × 86,400 s × 0.624 bytes
  EXPECT_EQ(r["tiers"][1]["bytes_per_day"], 4'181'760'000);  // 1,100,000 series × 1,440 minutes × 2.64 bytes
  EXPECT_EQ(r["tiers"][2]["bytes_at_retention"], 76'032'000ll * 730);
  EXPECT_EQ(r["tiers"][3]["days"], nullptr);
  EXPECT_EQ(r["disk_bytes_per_day"], 10'193'568'000);
  EXPECT_EQ(r["disk_bytes_at_retention"], 510'438'720'000);
  EXPECT_EQ(r["scratch_bytes"], 10'000 * services::SumsFile::kBytesPerBoard);
  EXPECT_EQ(r["open_files_needed"], 1450);
  EXPECT_EQ(r["warnings"].size(), 0u);
  EXPECT_EQ(check_config_text(r),
            "configuration   ok\n"
            "listen          127.0.0.1:9480\n"
            "targets         1250, each every 10s\n"
            "samples/s       110000 (estimate: 8 GPUs per host, 110 series per GPU)\n"
            "disk per day    10.2 GB (estimate)\n"
            "  raw           5.9 GB a day; 10 days: 59.3 GB\n"
            "  1m            4.2 GB a day; 90 days: 376 GB\n"
            "  1h            76.0 MB a day; 730 days: 55.5 GB\n"
            "  1d            5.3 MB a day; for ever, in ten years: 19.3 GB\n"
            "at retention    510 GB of 10.0 TB free at ghm-data\n"
            "scoring         4.7 GB beside it while the server runs\n"
            "open files      1450 needed, 65536 allowed\n");
}

TEST(CheckConfig, WarnsOfWhatDoesNotFit) {
  struct Case {
    const char* why;
    std::string more;
    std::size_t targets;
    Room room;
    std::string want;
  };
  const Case cases[] = {
      {"no target", "", 0, {1'000'000'000, 1024}, "no target was found: nothing will be read until file_sd or http_sd names some"},
      {"disk",
       "",
       100,
       {10'000'000'000, 1024},
       "50.3 GB at full retention and 378 MB for scoring do not fit into 10.0 GB free at ghm-data: set retention.raw_days and minute_days "
       "to 4 or move data_dir"},
      {"disk for a little less", "", 100, {40'000'000'000, 1024}, "set retention.raw_days to 7 or move data_dir"},
      {"no disk at all", "", 100, {0, 1024}, "set retention.raw_days and minute_days to 1 or move data_dir"},
      {"files",
       "",
       1000,
       {10'000'000'000'000, 1024},
       "1200 open files are needed and 1024 allowed: set LimitNOFILE=1200 in the service file, or `ulimit -Hn 1200`"},
      {"open to the network", "listen: 0.0.0.0:9480\n", 1, {1'000'000'000'000, 1024}, "listen: 0.0.0.0:9480 is open to the network"},
  };
  for (const auto& c : cases) {
    const auto r = check_config(config_of(c.more), c.targets, c.room);
    ASSERT_EQ(r["warnings"].size(), 1u) << c.why << r["warnings"].dump();
    EXPECT_THAT(r["warnings"][0].get<std::string>(), testing::HasSubstr(c.want)) << c.why;
    EXPECT_THAT(check_config_text(r), testing::HasSubstr("warning: ")) << c.why;
  }
}

TEST(CheckConfig, ScoringNeedsRoomOnlyWhereItCarriesSums) {
  EXPECT_GT(check_config(config_of(), 1, {})["scratch_bytes"], 0);
  EXPECT_EQ(check_config(config_of("scoring: {interval: 1h}\n"), 1, {})["scratch_bytes"], 0);
}

TEST(CheckConfig, LooksAtTheDiskThatTheFolderWillStandOn) {
  auto config = config_of();
  config.data_dir = "/not/there/yet";
  const auto room = room_for(config);
  EXPECT_GT(room.free_bytes, 0u);
  EXPECT_GT(room.open_file_limit, 0u);
}

/// A folder with a configuration, and the command that checks it.
struct Command {
  Command() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-check-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~Command() { std::filesystem::remove_all(folder); }
  void write(const std::string& file, std::string_view text) { ASSERT_TRUE(write_file_atomically(folder / file, text)); }
  int check(std::vector<std::string> more = {}) {
    CLI::App app;
    cli::Run run;
    cli::add_check_config(app, run);
    std::vector<std::string> words = {"check-config", (folder / "ghm.yaml").string()};
    words.insert(words.end(), more.begin(), more.end());
    std::ranges::reverse(words);  // CLI11 takes them from the back
    app.parse(words);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run();
    std::fflush(stdout);
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return code;
  }
  std::filesystem::path folder;
  std::string out, err;
};

TEST(CheckConfigCommand, CountsWhatFilesAndUrlsName) {
  Command c;
  c.write("t.json", R"([{"targets": ["a", "b", "h:9400"]}])");
  c.write("ghm.yaml", "scrape: {targets: [h], file_sd: [t.json], http_sd: ['http://127.0.0.1:1/']}\n");
  EXPECT_EQ(c.check({"--json"}), 0) << c.err;
  const auto r = nlohmann::json::parse(c.out);
  EXPECT_EQ(r["targets"], 3);
  ASSERT_GE(r["warnings"].size(), 1u);
  EXPECT_EQ(r["warnings"][0], "http_sd: http://127.0.0.1:1/: connection refused: start the exporter or server there, or mend the port");
  EXPECT_EQ(c.check(), 0);
  EXPECT_THAT(c.out, testing::StartsWith("configuration   ok\n"));
}

TEST(CheckConfigCommand, AWrongOneFailsWithAllComplaints) {
  Command c;
  c.write("ghm.yaml", "lisen: x\nscrape: {targets: [h], interval: 0}\n");
  EXPECT_EQ(c.check(), 1);
  EXPECT_EQ(c.out, "");
  EXPECT_THAT(c.err, testing::AllOf(testing::HasSubstr("ghm.yaml:1: lisen"), testing::HasSubstr("ghm.yaml:2: scrape.interval")));
  EXPECT_EQ(c.check({"--json"}), 1);
  const auto r = nlohmann::json::parse(c.out);
  EXPECT_EQ(r["config_ok"], false);
  EXPECT_EQ(r["errors"].size(), 2u);
  c.write("ghm.yaml", "scrape: {file_sd: [t.json]}\n");
  c.write("t.json", "[7]");
  EXPECT_EQ(c.check(), 1);
  EXPECT_THAT(c.err, testing::HasSubstr("t.json:1: expected an entry"));
}

}  // namespace
}  // namespace ghm::app
