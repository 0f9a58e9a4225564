#include "domain/transport/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "domain/transport/host_round_for_test.h"
#include "domain/transport/machine_for_test.h"

namespace ghm::transport {
namespace {

using test::Machine;
using test::MovingHost;
using ::testing::HasSubstr;

constexpr SpoolSettings kSmall{.segment_rounds = 10, .key_every = 4, .most_held = 5, .batch_rounds = 7};

Spool open(Machine& machine, SpoolSettings settings = kSmall, Timestamp now = test::kStart) {
  auto spool = Spool::open(machine, settings, now);
  EXPECT_TRUE(spool) << spool.error().what;
  return std::move(*spool);
}

/// All that waits, taken batch by batch; by the round's time, which tells rounds apart.
std::vector<Timestamp> drain(Spool& spool) {
  std::vector<Timestamp> all;
  for (auto rounds = spool.waiting(); !rounds.empty(); rounds = spool.waiting()) {
    for (const auto& r : rounds) all.push_back(r.at);
    spool.taken(rounds.back().sequence);
  }
  return all;
}

std::vector<Timestamp> keep(Spool& spool, MovingHost& host, int n) {
  std::vector<Timestamp> all;
  for (int i = 0; i < n; ++i) {
    auto r = host.next(0);
    all.push_back(r.at);
    spool.keep(std::move(r));
  }
  return all;
}

TEST(Spool, GivesRoundsInOrderUntilTheyAreTaken) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1), same(2, 20, 1);
  for (int i = 0; i < 33; ++i) spool.keep(host.next(0));
  std::uint64_t before = 0;
  int n = 0;
  while (!spool.waiting().empty()) {
    const auto first = spool.waiting().front().sequence;
    EXPECT_EQ(spool.waiting().front().sequence, first) << "the same until they are taken";
    for (const auto& r : spool.waiting()) {
      EXPECT_GT(r.sequence, before);
      before = r.sequence;
      auto expected = same.next(r.sequence);
      EXPECT_TRUE(test::same_round(r, expected)) << n;
      ++n;
    }
    spool.taken(spool.waiting().back().sequence);
  }
  EXPECT_EQ(n, 33);
  EXPECT_TRUE(spool.is_empty());
  EXPECT_LE(spool.stats().segments, 1u) << "what is taken takes no room";
}

TEST(Spool, ReadsAndWritesInTurns) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1);
  std::vector<Timestamp> in, out;
  for (int i = 0; i < 100; ++i) {
    for (const auto at : keep(spool, host, 1 + i % 3)) in.push_back(at);
    if (i % 4 != 3) continue;
    for (const auto at : drain(spool)) out.push_back(at);
  }
  for (const auto at : drain(spool)) out.push_back(at);
  EXPECT_EQ(out, in);
  EXPECT_EQ(spool.stats().dropped + spool.stats().damages + spool.stats().skipped, 0u);
}

TEST(Spool, WhatIsTakenAtOnceIsNotReadBackAndTakesNoRoom) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1);
  const auto reads = machine.reads;
  for (int i = 0; i < 100; ++i) {
    const auto in = keep(spool, host, 1);
    EXPECT_EQ(spool.waiting().size(), 1u);
    EXPECT_EQ(spool.waiting().front().at, in.front());
    spool.taken(spool.waiting().front().sequence);
    EXPECT_TRUE(spool.waiting().empty());
  }
  EXPECT_EQ(machine.reads, reads);
  EXPECT_LE(spool.stats().segments, 1u);
  // The receiver falls behind in the middle of a file, for longer than a file.
  const auto in = keep(spool, host, 27);
  EXPECT_EQ(drain(spool), in);
  EXPECT_EQ(spool.stats().damages + spool.stats().skipped + spool.stats().dropped, 0u);
  EXPECT_LE(spool.stats().segments, 1u);
}

TEST(Spool, ARestartGoesOnWhereTheReceiverIs) {
  Machine machine(1);
  MovingHost host(2, 20, 1);
  std::string agent;
  std::uint64_t last = 0;
  std::vector<Timestamp> in;
  {
    auto spool = open(machine);
    agent = spool.agent();
    in = keep(spool, host, 25);
    for (int batch = 0; batch < 2; ++batch) spool.taken(spool.waiting().back().sequence);
    last = spool.stats().last;
  }
  auto spool = open(machine, kSmall, test::kStart - 24h * 365);  // the clock went back at boot
  EXPECT_EQ(spool.agent(), agent);
  for (const auto at : keep(spool, host, 1)) in.push_back(at);
  EXPECT_GT(spool.stats().last, last) << "sequences rise nevertheless";
  in.erase(in.begin(), in.begin() + 1 + 7);  // the first one, which the receiver waited for, and a batch
  EXPECT_EQ(drain(spool), in);
}

TEST(Spool, SequencesOfAFolderRestoredFromACopyAreNew) {
  Machine machine(1);
  MovingHost host(2, 20, 1);
  std::uint64_t used = 0;
  const auto copy = [&] {
    auto spool = open(machine);
    keep(spool, host, 2);
    auto files = machine.files();
    keep(spool, host, 50);
    used = spool.stats().last;
    return files;
  }();
  machine.files() = copy;
  auto spool = open(machine, kSmall, test::kStart + 1h);
  keep(spool, host, 1);
  EXPECT_GT(spool.stats().last, used);
}

TEST(Spool, DropsTheOldestWhenItIsFullAndCountsThem) {
  Machine machine(1);
  auto settings = kSmall;
  settings.most_bytes = 20'000;
  auto spool = open(machine, settings);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 500);
  EXPECT_LE(spool.stats().bytes, settings.most_bytes);
  const auto dropped = spool.stats().dropped;
  EXPECT_GT(dropped, 100u);
  in.erase(in.begin() + 1, in.begin() + 1 + static_cast<std::ptrdiff_t>(dropped));  // the first one is on its way to the receiver
  EXPECT_EQ(drain(spool), in);
}

TEST(Spool, WhatIsBeingSentMayBeDroppedMeanwhile) {
  Machine machine(1);
  auto settings = kSmall;
  settings.most_bytes = 20'000;
  auto spool = open(machine, settings);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 20);
  std::vector<Timestamp> out;
  for (const auto& r : spool.waiting()) out.push_back(r.at);
  const auto sent = spool.waiting().back().sequence;
  for (const auto at : keep(spool, host, 500)) in.push_back(at);
  EXPECT_EQ(spool.waiting().back().sequence, sent);
  spool.taken(sent);
  for (const auto at : drain(spool)) out.push_back(at);
  EXPECT_EQ(out.size() + spool.stats().dropped, in.size());
}

TEST(Spool, ADayOfEightGpusFitsManyTimes) {
  Machine machine(1);
  SpoolSettings usual;
  auto spool = open(machine, usual);
  MovingHost host(8, 110, 1);
  keep(spool, host, 120);
  EXPECT_LT(spool.stats().bytes / 120 * 8640 * 10, usual.most_bytes) << "ten days of the default";
}

// ---- disks

TEST(Spool, AFullDiskCostsTheOldestAndTheNewestWaitInMemory) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 15);
  machine.most_bytes = 100;  // even without anything of ours
  for (const auto at : keep(spool, host, 4)) in.push_back(at);
  EXPECT_THAT(spool.stats().trouble, HasSubstr("no space"));
  EXPECT_GT(spool.stats().held, 0u);
  machine.most_bytes = ~0ull;
  for (const auto at : keep(spool, host, 3)) in.push_back(at);
  EXPECT_EQ(spool.stats().trouble, "");
  EXPECT_EQ(spool.stats().held, 0u);
  const auto out = drain(spool);
  EXPECT_EQ(out.size() + spool.stats().dropped, in.size());
  EXPECT_TRUE(std::ranges::is_sorted(out));
  EXPECT_EQ(out.back(), in.back());
}

TEST(Spool, ABrokenDiskDoesNotStopWhatCanBeSent) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 3);
  machine.broken = true;
  std::vector<Timestamp> out;
  for (int i = 0; i < 20; ++i) {
    for (const auto at : keep(spool, host, 1)) in.push_back(at);
    for (const auto at : drain(spool)) out.push_back(at);
  }
  EXPECT_EQ(out, in);
  EXPECT_EQ(spool.stats().dropped, 0u);
  keep(spool, host, 12);  // nobody takes them now
  EXPECT_EQ(spool.stats().held, 5u);
  EXPECT_EQ(spool.stats().dropped, 7u);
}

TEST(Spool, FlippedAndCutSegmentsAreSkippedWithACount) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    Machine machine(1);
    MovingHost host(2, 20, 1);
    std::vector<Timestamp> in;
    {
      auto spool = open(machine);
      in = keep(spool, host, 30);
    }
    for (auto& [name, text] : machine.files()) {
      if (!first_sequence_of(name) || random() % 2 == 0) continue;
      if (random() % 2 == 0) text.resize(random() % text.size());
      else text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
    }
    auto spool = open(machine);
    const auto out = drain(spool);
    const std::set<Timestamp> known(in.begin(), in.end());
    for (const auto at : out) ASSERT_TRUE(known.contains(at));
    EXPECT_TRUE(std::ranges::is_sorted(out));
    const auto lost = in.size() - out.size();
    EXPECT_LE(lost, 30u);
    if (lost > 0) {
      EXPECT_GT(spool.stats().damages + spool.stats().skipped + (lost % 10 == 0), 0u) << trial;
    }
    keep(spool, host, 2);
    EXPECT_EQ(drain(spool).size(), 2u) << "and it goes on";
  }
}

TEST(Spool, AFlippedBitInAFileCostsAtMostWhatLeansOnIt) {
  Machine machine(1);
  MovingHost host(2, 20, 1);
  auto spool = open(machine);
  keep(spool, host, 10);
  auto& text = machine.files().rbegin()->second;
  text[text.size() / 2] ^= 4;
  EXPECT_GE(drain(spool).size(), 10u - kSmall.key_every);
  EXPECT_EQ(spool.stats().damages, 1u);
}

// Whatever keep() came back from is there after any cut, once and in order; what was not taken yet may come again.
TEST(Spool, APowerCutLosesNothingThatWasKept) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    Machine machine(seed);
    MovingHost host(1, 12, seed);
    std::vector<Timestamp> kept;
    std::set<Timestamp> received;
    std::uint64_t receiver = 0;  // it remembers the newest sequence
    auto now = test::kStart;
    for (int boot = 0; boot < 4; ++boot) {
      machine.cut_after(1 + random() % 60);
      auto spool = Spool::open(machine, kSmall, now += 1h);
      for (int i = 0; spool && !machine.dead() && i < 60; ++i) {
        auto r = host.next(0);
        const auto at = r.at;
        spool->keep(std::move(r));
        if (spool->stats().held == 0 && !machine.dead()) kept.push_back(at);
        if (random() % 3 != 0 || machine.dead()) continue;
        const auto rounds = spool->waiting();
        for (const auto& sent : rounds) {
          if (sent.sequence <= receiver) continue;
          receiver = sent.sequence;
          ASSERT_TRUE(received.insert(sent.at).second) << "twice, seed " << seed;
        }
        if (!rounds.empty() && random() % 2 == 0) spool->taken(rounds.back().sequence);
      }
      machine.reboot();
    }
    auto spool = open(machine, kSmall, now += 1h);
    for (auto rounds = spool.waiting(); !rounds.empty(); rounds = spool.waiting()) {
      for (const auto& sent : rounds)
        if (sent.sequence > receiver) {
          receiver = sent.sequence;
          ASSERT_TRUE(received.insert(sent.at).second) << "twice, seed " << seed;
        }
      spool.taken(rounds.back().sequence);
    }
    for (const auto at : kept) ASSERT_TRUE(received.contains(at)) << "lost, seed " << seed;
  }
}

TEST(Spool, AFileUnderAnotherNameTakesNoNumbersOfRoundsToCome) {
  Machine machine(1);
  MovingHost host(1, 3, 1);
  std::string later;
  {
    auto spool = open(machine);
    keep(spool, host, 3);
    for (const auto& [name, text] : machine.files())
      if (first_sequence_of(name)) later = text;
  }
  Machine other(1);
  other.files()[segment_name(2)] = later;  // rounds of times to come, in a file of old ones
  other.files()[segment_name(3)] = "";
  auto spool = open(other);
  const auto kept = keep(spool, host, 2);
  EXPECT_EQ(drain(spool), kept) << "only what is kept now";
  EXPECT_EQ(spool.stats().skipped, 3u);
  EXPECT_TRUE(spool.is_empty());
}

TEST(Spool, WhatIsNoSpoolIsLeftAlone) {
  Machine machine(1);
  machine.files() = {{"agent", "rubbish"}, {"position", "00000000001770000000 deadbeef\n"}, {"spool-x.seg", "?"}, {"notes.txt", "mine"}};
  auto spool = open(machine);
  EXPECT_EQ(spool.agent().size(), kAgentIdBytes);
  EXPECT_EQ(machine.files()["notes.txt"], "mine");
  EXPECT_TRUE(spool.waiting().empty());
  EXPECT_EQ(open(machine).agent(), spool.agent());
}

// ---- snapshots

HostRound with_snapshot(MovingHost& host, std::size_t bytes) {
  auto r = host.next(0);
  // No packer makes it smaller.
  std::mt19937 random(3);
  std::string body;
  while (body.size() < bytes) body.push_back(static_cast<char>(' ' + random() % 90));
  r.snapshots.push_back({"5f0c6f0e-12", r.at, "sign", {}, std::move(body)});
  return r;
}

std::size_t snapshots_in(Spool& spool) {
  std::size_t n = 0;
  for (auto rounds = spool.waiting(); !rounds.empty(); rounds = spool.waiting()) {
    for (const auto& r : rounds) n += r.snapshots.size();
    spool.taken(rounds.back().sequence);
  }
  return n;
}

TEST(Spool, ASnapshotIsKeptWithItsRound) {
  Machine machine(1);
  MovingHost host(2, 20, 1);
  {
    auto spool = open(machine);
    spool.keep(with_snapshot(host, 50'000));
  }
  auto spool = open(machine);
  EXPECT_EQ(snapshots_in(spool), 1u);
  EXPECT_EQ(spool.stats().snapshots_left_out, 0u);
}

TEST(Spool, ASnapshotNeverTakesTheRoomOfRounds) {
  Machine machine(1);
  auto settings = kSmall;
  settings.most_bytes = 40'000;
  auto spool = open(machine, settings);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 40);
  auto r = with_snapshot(host, 60'000);
  in.push_back(r.at);
  spool.keep(std::move(r));
  EXPECT_EQ(spool.stats().snapshots_left_out, 1u);
  EXPECT_EQ(spool.stats().dropped, 0u);
  EXPECT_EQ(drain(spool), in);
}

TEST(Spool, AFullDiskTakesTheRoundWithoutItsSnapshot) {
  Machine machine(1);
  auto spool = open(machine);
  MovingHost host(2, 20, 1);
  auto in = keep(spool, host, 12);
  machine.most_bytes = 0;
  for (const auto& [name, text] : machine.files()) machine.most_bytes += text.size();
  machine.most_bytes += 70'000;
  auto r = with_snapshot(host, 100'000);  // part of it is written, and then there is no room
  in.push_back(r.at);
  machine.most_bytes -= 60'000;
  spool.keep(std::move(r));
  EXPECT_EQ(spool.stats().snapshots_left_out, 1u);
  machine.most_bytes = ~0ull;
  for (const auto at : keep(spool, host, 1)) in.push_back(at);
  const auto out = drain(spool);
  EXPECT_THAT(out, ::testing::IsSupersetOf(std::vector<Timestamp>(in.end() - 2, in.end())));
}

}  // namespace
}  // namespace ghm::transport
