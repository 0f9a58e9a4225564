#include "domain/fleet/repeat_offenders.h"

#include <gtest/gtest.h>

namespace ghm::fleet {
namespace {

using What = Trouble::What;
using telemetry::BoardId;
const Timestamp kNow = from_unix_ms(1'800'000'000'000);

Trouble trouble(What what, std::uint32_t board, std::string pci, std::string family = "memory", std::chrono::hours ago = 1h) {
  Trouble t;
  t.at = kNow - ago;
  t.what = what;
  t.board = static_cast<BoardId>(board);
  t.gpu = board == 0 ? "" : "S" + std::to_string(board);
  t.host = "h1";
  t.pci = std::move(pci);
  t.slot = t.pci.empty() ? "" : "h1/" + t.pci;
  t.model = "M";
  t.family = std::move(family);
  return t;
}

TEST(RepeatOffenders, ASlotThatBreaksBoardsIsFoundThoughEachBoardFailedOnce) {
  const std::vector<Trouble> all = {trouble(What::incident, 1, "a", "pcie", 50h), trouble(What::incident, 2, "a", "pcie", 20h),
                                    trouble(What::repair, 1, "a", "pcie", 40h), trouble(What::incident, 3, "b")};
  EXPECT_TRUE(repeat_offenders(all, OffenderBy::serial, 10).empty());
  const auto slots = repeat_offenders(all, OffenderBy::slot, 10);
  ASSERT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots[0].name, "h1/a");
  EXPECT_EQ(slots[0].boards, 2u);
  EXPECT_EQ(slots[0].cases, 1u);
  EXPECT_EQ(says(slots[0], OffenderBy::slot, 30),
            "2 incidents, 1 repair in 30 days: pcie; on 2 boards: look at the place, not only at the board");
  const auto hosts = repeat_offenders(all, OffenderBy::host, 10);
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].incidents, 3u);
  EXPECT_EQ(hosts[0].faults, (std::set<std::string>{"memory", "pcie"}));
}

TEST(RepeatOffenders, ReopeningsAndRelapsesCountAndTheWorstComesFirst) {
  const std::vector<Trouble> all = {trouble(What::incident, 1, "a"), trouble(What::reopened, 1, "a"), trouble(What::relapse, 1, "a"),
                                    trouble(What::incident, 2, "b"), trouble(What::reopened, 2, "b"), trouble(What::repair, 3, "c"),
                                    trouble(What::repair, 3, "c"),   trouble(What::repair, 3, "c")};
  const auto boards = repeat_offenders(all, OffenderBy::serial, 10);
  ASSERT_EQ(boards.size(), 2u) << "repairs alone are no offence";
  EXPECT_EQ(boards[0].name, "S1");
  EXPECT_EQ(says(boards[0], OffenderBy::serial, 7), "1 incident, 1 opened again, 1 relapse after a repair in 7 days: memory");
  EXPECT_EQ(repeat_offenders(all, OffenderBy::serial, 1).size(), 1u);
}

TEST(RepeatOffenders, ProgramsAndMonitoringAreNobodysOffence) {
  std::vector<Trouble> all;
  for (const auto* family : {"application", "job", "monitoring"})
    for (int n = 0; n < 3; ++n) all.push_back(trouble(What::incident, 1, "a", family));
  for (const auto by : {OffenderBy::serial, OffenderBy::slot, OffenderBy::host}) EXPECT_TRUE(repeat_offenders(all, by, 10).empty());
}

TEST(RepeatOffenders, AHostAsSuchHasNoSlot) {
  const std::vector<Trouble> all = {trouble(What::incident, 0, "", "silence"), trouble(What::reopened, 0, "", "silence")};
  EXPECT_TRUE(repeat_offenders(all, OffenderBy::slot, 10).empty());
  EXPECT_TRUE(repeat_offenders(all, OffenderBy::serial, 10).empty());
  EXPECT_EQ(repeat_offenders(all, OffenderBy::host, 10)[0].boards, 0u);
}

}  // namespace
}  // namespace ghm::fleet
