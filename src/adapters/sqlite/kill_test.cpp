// kill -9 at any moment: what append() returned for is there, whole rows only, and the store opens again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/sqlite/folder_for_test.h"

namespace ghm::sqlite {
namespace {

constexpr auto kStep = 10s;
// On a quick disk two hundred lives write more than a month: what retention unlinks was not lost.
constexpr SqliteSettings kForEver{.raw_days = 3650, .minute_days = 3650, .hour_days = 3650};

/// An event of the same transaction as row `n`.
Record event_of(std::uint32_t n, Timestamp at) {
  return {"event", fmt::format("{:010}", n), at, R"({"kind":"xid","board":7,"host":"h"})"};
}

/// Appends and seals until it is killed; says on `told` how many rows are durable.
[[noreturn]] void write_for_ever(const std::filesystem::path& folder, const store::Columns& columns, Timestamp from, std::uint32_t row,
                                 int told) {
  auto store = SqliteStore::open(folder, kForEver, Log::off());
  if (!store) ::_exit(3);
  for (;; ++row) {
    const auto at = from + row * kStep;
    const RowBatch batch{"h:1", columns, at, {static_cast<double>(row), static_cast<double>(row) / 8}};
    const auto event = event_of(row, at);
    if (!(*store)->keep(std::span(&batch, 1), std::span(&event, 1))) ::_exit(4);
    const std::uint32_t durable = row + 1;
    if (::write(told, &durable, sizeof durable) != sizeof durable) ::_exit(5);
    if (row % 20 == 0 && !(*store)->maintain(at)) ::_exit(6);
  }
}

/// Lets a child write for a while, kills it, and answers the last count that it told.
std::uint32_t write_and_kill(const std::filesystem::path& folder, const store::Columns& columns, Timestamp from, std::uint32_t row,
                             std::chrono::milliseconds life) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const auto child = ::fork();
  if (child == 0) write_for_ever(folder, columns, from, row, ends[1]);
  ::close(ends[1]);
  ::usleep(static_cast<useconds_t>(std::chrono::microseconds(life).count()));
  ::kill(child, SIGKILL);
  std::uint32_t durable = row;
  for (std::uint32_t told = 0; ::read(ends[0], &told, sizeof told) == sizeof told;) durable = told;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  return durable;
}

TEST_F(Folder, KillNineLosesNothingThatWasAcknowledged) {
  const char* wanted = std::getenv("GHM_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
  ASSERT_GT(kills, 0);
  std::uint32_t rows = 0;
  const auto sealed = [&] { return rows > 400 && files(".db") >= 3; };
  for (int round = 0; round < kills || (round < 3 * kills && !sealed()); ++round) {  // a slow machine takes more rounds
    const auto durable = write_and_kill(folder_, columns_, kNoon, rows, std::chrono::milliseconds(40 + 23 * (round % 12)));
    ASSERT_TRUE(open(kForEver)) << "round " << round;
    const auto found = temperatures();
    ASSERT_GE(found.size(), durable);
    const auto events = store_->scan("event", "", "", 1'000'000).value().size();
    EXPECT_EQ(events, found.size()) << "both or neither";
    EXPECT_EQ(store_->about("event", "b7", {Timestamp(), kNoon + std::chrono::days(9999)}, 1'000'000).value().size(), events);
    ASSERT_LE(found.size(), durable + 1);  // the row that was under way
    for (std::uint32_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(found[i], (Point{kNoon + i * kStep, static_cast<double>(i)})) << "round " << round;
    for (const std::chrono::milliseconds width : {1min, 60min, 24 * 60min})
      ASSERT_EQ(buckets(width), buckets_of(found, width)) << "round " << round << ", " << width.count() << " ms";
    rows = static_cast<std::uint32_t>(found.size());
    store_.reset();
  }
  EXPECT_GT(rows, 400u) << "too few rows for hours to be sealed under fire";
  EXPECT_GE(files(".db"), 3u) << "no hour was sealed";
}

}  // namespace
}  // namespace ghm::sqlite
