#include "adapters/spool_folder/posix_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>

#include "domain/transport/host_round_for_test.h"
#include "domain/transport/spool.h"

namespace ghm::spool_folder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using transport::Spool;

struct Folder : ::testing::Test {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-spool-XXXXXX").string();
    path = std::string(::mkdtemp(name.data())) + "/spool";
  }
  ~Folder() override { std::filesystem::remove_all(path.parent_path()); }
  std::filesystem::path path;
};

TEST_F(Folder, KeepsWhatItIsGiven) {
  auto folder = PosixFolder::open(path);
  ASSERT_TRUE(folder) << folder.error().what;
  auto& f = **folder;
  ASSERT_TRUE(f.append("a", "one"));
  ASSERT_TRUE(f.append("a", "two"));
  ASSERT_TRUE(f.overwrite("b", "xyz"));
  ASSERT_TRUE(f.overwrite("b", "123"));
  EXPECT_EQ(f.read("a", 0, 100).value(), "onetwo");
  EXPECT_EQ(f.read("a", 2, 3).value(), "etw");
  EXPECT_EQ(f.read("a", 6, 3).value(), "");
  EXPECT_EQ(f.read("b", 0, 100).value(), "123");
  EXPECT_EQ(f.size("a").value(), 6u);
  EXPECT_THAT(f.list().value(), ElementsAre("a", "b", "lock"));
  EXPECT_TRUE(f.remove("a"));
  EXPECT_TRUE(f.remove("a"));
  EXPECT_EQ(f.read("a", 0, 1).error().code, Errc::not_found);
}

TEST_F(Folder, BelongsToOneProcess) {
  auto first = PosixFolder::open(path);
  ASSERT_TRUE(first);
  auto second = PosixFolder::open(path);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("another ghm-agent uses it"));
  EXPECT_FALSE(PosixFolder::open("/proc/nowhere/spool"));
}

TEST_F(Folder, AFullDiskIsToldFromABrokenOne) {
  auto folder = PosixFolder::open(path);
  ASSERT_TRUE(folder);
  std::filesystem::create_symlink("/dev/full", path / "full");
  EXPECT_EQ((*folder)->append("full", "text").error().code, Errc::unavailable);
  std::filesystem::create_directory(path / "d");
  EXPECT_EQ((*folder)->append("d", "text").error().code, Errc::corrupt);
}

// A child keeps rounds and says of each that it is kept; it is killed at any moment, again and again. All that it said are there.
TEST_F(Folder, KillNineLosesNothingThatWasKept) {
  const char* wanted = std::getenv("GHM_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 20;
  std::mt19937 random(5);
  std::set<std::int64_t> said, found;
  for (int life = 0; life < kills; ++life) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto folder = PosixFolder::open(path);
      auto spool = Spool::open(**folder, {.segment_rounds = 10, .key_every = 4}, transport::test::kStart);
      transport::test::MovingHost host(1, 20, 1);
      for (std::int64_t n = 1;; ++n) {
        auto r = host.next(0);
        r.at = from_unix_ms(life * 1'000'000 + n);
        spool->keep(std::move(r));
        const auto at = life * 1'000'000 + n;
        if (spool->stats().held != 0 || ::write(pipe[1], &at, sizeof at) != sizeof at) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(2000 + random() % 30'000));
    ::kill(child, SIGKILL);
    for (std::int64_t at; ::read(pipe[0], &at, sizeof at) == sizeof at;) said.insert(at);
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    if (life % 3 != 2) continue;
    auto folder = PosixFolder::open(path);
    auto spool = Spool::open(**folder, {}, transport::test::kStart);
    for (auto some = spool->waiting(); !some.empty(); some = spool->waiting()) {
      for (const auto& r : some) EXPECT_TRUE(found.insert(to_unix_ms(r.at)).second);
      spool->taken(some.back().sequence);
    }
    EXPECT_EQ(spool->stats().damages, 0u) << "a process that dies leaves no torn record: one write makes it";
  }
  auto folder = PosixFolder::open(path);
  auto spool = Spool::open(**folder, {}, transport::test::kStart);
  for (auto some = spool->waiting(); !some.empty(); some = spool->waiting()) {
    for (const auto& r : some) EXPECT_TRUE(found.insert(to_unix_ms(r.at)).second);
    spool->taken(some.back().sequence);
  }
  EXPECT_GT(said.size(), 20u);
  for (const auto at : said) EXPECT_TRUE(found.contains(at)) << at;
}

}  // namespace
}  // namespace ghm::spool_folder
