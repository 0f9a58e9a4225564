#include "adapters/kernel_log/kmsg_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghm::kernel_log {
namespace {

using ::testing::ElementsAre, ::testing::HasSubstr, ::testing::SizeIs;

KmsgRecord record(std::uint64_t seq, std::string text, unsigned facility = 0) {
  return {4, facility, seq, std::chrono::microseconds(1'234'567'890 + static_cast<std::int64_t>(seq)), Fragment::whole, std::move(text)};
}

std::size_t size_of(const std::vector<std::string>& lines) {
  std::size_t n = 0;
  for (const auto& l : lines) n += l.size() + 1;
  return n;
}

TEST(KmsgTail, SaysEachLineAsItStands) {
  KmsgTail tail;
  tail.add(record(7, "eth0: link up"));
  tail.add(record(8, "line\nof\x1b[31m any \xff bytes", 3));
  EXPECT_THAT(tail.lines(),
              ElementsAre("7 [1234.567897] <4> eth0: link up", R"(8 [1234.567898] <4> by a process line\x0aof\x1b[31m any \xff bytes)"));
  EXPECT_THAT(tail.lines(7), SizeIs(1));
  EXPECT_EQ(tail.newest(), 8u);
}

TEST(KmsgTail, KeepsTheNewest) {
  KmsgTail tail;
  for (std::uint64_t n = 1; n <= 1000; ++n) tail.add(record(n, "a line"));
  ASSERT_THAT(tail.lines(), SizeIs(KmsgTail::kMostLines));
  EXPECT_THAT(tail.lines().front(), HasSubstr("801 ["));
  EXPECT_THAT(tail.lines().back(), HasSubstr("1000 ["));
}

TEST(KmsgTail, IsBoundedWhateverTheLinesHold) {
  KmsgTail tail;
  for (std::uint64_t n = 1; n <= 500; ++n) tail.add(record(n, std::string(16 << 10, '\xff')));
  const auto lines = tail.lines();
  EXPECT_LE(size_of(lines), KmsgTail::kMostBytes);
  EXPECT_GT(size_of(lines), KmsgTail::kMostBytes / 2);
  EXPECT_THAT(lines.back(), HasSubstr("500 ["));
  EXPECT_THAT(lines.back(), ::testing::EndsWith(" [cut]"));
}

}  // namespace
}  // namespace ghm::kernel_log
