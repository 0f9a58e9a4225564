#include "domain/anomaly/peer_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghm::anomaly {
namespace {

const Timestamp kNow = from_unix_ms(1'700'000'000'000);

PeerFigures warm(float celsius, Timestamp at = kNow) {
  PeerFigures f;
  f.at = at;
  f.working = f.boards = 2;
  f.celsius = celsius;
  return f;
}

std::vector<float> heard(const PeerGroup& group, std::uint32_t host, Timestamp now = kNow) {
  std::vector<PeerFigures> others;
  group.others(host, now, others);
  std::vector<float> out;
  for (const auto& f : others) out.push_back(f.celsius);
  return out;
}

TEST(PeerGroup, AHostHearsTheOthersAndNotItself) {
  PeerGroup group;
  group.tell(1, warm(60));
  group.tell(2, warm(61));
  group.tell(3, warm(62));
  group.tell(2, warm(71));
  EXPECT_THAT(heard(group, 1), ::testing::UnorderedElementsAre(71, 62));
  EXPECT_THAT(heard(group, 9), ::testing::SizeIs(3)) << "who is not kept may listen";
}

TEST(PeerGroup, WhatIsOldIsNotHeard) {
  PeerGroup group;
  group.tell(1, warm(60, kNow - 4min));
  group.tell(2, warm(61, kNow - 2min));
  EXPECT_THAT(heard(group, 3), ::testing::ElementsAre(61));
}

TEST(PeerGroup, ItsSizeIsBoundedAndWhoLeftMakesRoom) {
  PeerGroup group;
  for (std::uint32_t h = 1; h <= 100; ++h) group.tell(h, warm(static_cast<float>(h)));
  EXPECT_EQ(heard(group, 0).size(), PeerGroup::kMost);
  group.tell(100, warm(100, kNow + 11min));
  EXPECT_THAT(heard(group, 0, kNow + 11min), ::testing::ElementsAre(100));
}

TEST(PeerExchange, AGroupIsTheSameByNameAndGoesWithItsLastHost) {
  PeerExchange exchange;
  const auto a = exchange.group("rack 1");
  EXPECT_EQ(exchange.group("rack 1"), a);
  EXPECT_NE(exchange.group("rack 2"), a);
  for (int job = 0; job < 10'000; ++job) (void)exchange.group("job " + std::to_string(job));
  EXPECT_LE(exchange.groups(), 200u) << "jobs come and go";
  EXPECT_EQ(exchange.group("rack 1"), a);
}

TEST(AgainstWhom, IsSaidInPlainWords) {
  EXPECT_EQ(against_whom(Peers::none), "against its own past");
  EXPECT_EQ(against_whom(Peers::host), "against its peers on the host");
  EXPECT_EQ(against_whom(Peers::rack), "against its peers in the rack");
  EXPECT_EQ(against_whom(Peers::job), "against its peers in the job");
}

}  // namespace
}  // namespace ghm::anomaly
