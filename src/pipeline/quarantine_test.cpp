#include "pipeline/quarantine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

using fleet::BoardId;
using telemetry::MetricId;
using telemetry::Reason;
namespace field = telemetry::field;

const Timestamp kStart = from_unix_ms(1'700'000'000'000);

/// Records in a map: what would be on disk.
class Disk final : public store::RecordStore {
 public:
  Result<void> put(std::span<const store::Record> records) override {
    for (const auto& r : records) kept[r.key] = r;
    return {};
  }
  Result<std::optional<store::Record>> get(std::string_view, std::string_view) const override { return std::optional<store::Record>(); }
  Result<std::vector<store::Record>> scan(std::string_view, std::string_view prefix, std::string_view after,
                                          std::size_t limit) const override {
    std::vector<store::Record> out;
    for (const auto& [key, r] : kept)
      if (key.starts_with(prefix) && key > after && out.size() < limit) out.push_back(r);
    return out;
  }
  Result<std::vector<store::Record>> recent(std::string_view, TimeRange, std::size_t) const override {
    return std::vector<store::Record>();
  }
  Result<bool> erase(std::string_view, std::string_view) override { return false; }
  std::map<std::string, store::Record> kept;
};

telemetry::Refusal refusal(MetricId metric, const std::string& text, Reason reason, std::optional<double> number = std::nullopt) {
  telemetry::Refusal r{0, {}, metric, text, reason};
  r.number = number;
  return r;
}

struct QuarantineTest : ::testing::Test {
  QuarantineTest() {
    layout.table = std::make_shared<telemetry::SeriesTable>();
    layout.gpus.emplace_back().uuid = "GPU-1";
  }
  void page(std::vector<telemetry::Refusal> refused, const std::string& source = "h1:9400") {
    std::vector<store::Record> keep;
    quarantine->take({source, now, layout, boards, BoardId{9}}, refused, keep);
    written += keep.size();
    (void)disk.put(keep);
    now += 10s;
  }
  void flush(bool all = false) {
    std::vector<store::Record> keep;
    quarantine->flush(now, keep, all);
    written += keep.size();
    (void)disk.put(keep);
  }
  void restart() {
    quarantine = std::make_unique<Quarantine>(settings);
    EXPECT_EQ(quarantine->restore(disk, now).value(), 0u);
  }
  views::QuarantinePage list(views::QuarantineQuery q = {}) const { return quarantine->list(q); }
  std::map<Reason, std::uint64_t> counts() const {
    std::map<Reason, std::uint64_t> out;
    quarantine->for_each_count([&](const std::string&, MetricId, Reason r, std::uint64_t n) { out[r] += n; });
    return out;
  }
  bool remove(std::vector<std::uint64_t> ids) {
    return quarantine->remove(ids, [this](std::vector<store::Record> r) { return disk.put(r).has_value(); });
  }

  QuarantineSettings settings{10, 24h};
  telemetry::PageLayout layout;
  std::vector<BoardId> boards{BoardId{1}};
  Timestamp now = kStart;
  Disk disk;
  std::size_t written = 0;
  std::unique_ptr<Quarantine> quarantine = std::make_unique<Quarantine>(settings);
};

TEST_F(QuarantineTest, AStuckSentinelIsWrittenOnceAndCounted) {
  for (int i = 0; i < 1000; ++i) page({refusal(field::fan_speed, "9223372036854775794", Reason::sentinel, 9.2e18)});
  EXPECT_EQ(written, 1u);
  const auto found = list();
  ASSERT_EQ(found.items.size(), 1u);
  EXPECT_EQ(found.items[0].count, 1000u);
  EXPECT_EQ(found.items[0].value, "9223372036854775794");
  EXPECT_EQ(found.items[0].first, kStart);
  EXPECT_EQ(found.items[0].last, kStart + 999 * 10s);
  EXPECT_FALSE(found.items[0].replayable);
  EXPECT_EQ(found.kept, 0u);
  flush();
  EXPECT_EQ(written, 2u);
  flush();
  EXPECT_EQ(written, 2u) << "nothing new";
}

TEST_F(QuarantineTest, WhatARuleMayBelieveOneDayIsKeptOneByOne) {
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400)});
  page({refusal(field::gpu_temp, "401", Reason::out_of_range, 401)});
  const auto found = list();
  ASSERT_EQ(found.items.size(), 2u);
  EXPECT_EQ(found.items[0].value, "401") << "newest first";
  EXPECT_EQ(found.items[1].last, kStart);
  EXPECT_EQ(found.kept, 2u);
  EXPECT_EQ(counts()[Reason::out_of_range], 2u);
}

TEST_F(QuarantineTest, TheNewestStay) {
  for (int i = 0; i < 25; ++i) page({refusal(field::gpu_temp, fmt::format("{}", 400 + i), Reason::out_of_range, 400.0 + i)});
  EXPECT_EQ(list().kept, 10u);
  EXPECT_EQ(list().items.front().value, "424");
  EXPECT_EQ(list().items.back().value, "415");
  EXPECT_EQ(counts()[Reason::out_of_range], 25u) << "the counts know all of them";
  EXPECT_LE(disk.kept.size(), 12u) << "slots are used again";
  restart();
  EXPECT_EQ(list().kept, 10u);
  EXPECT_EQ(list().items.front().value, "424");
}

TEST_F(QuarantineTest, TheOldGo) {
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400)});
  now += 25h;
  page({refusal(field::gpu_temp, "401", Reason::out_of_range, 401)});
  EXPECT_EQ(list().kept, 1u);
}

TEST_F(QuarantineTest, ARestartForgetsNothing) {
  const double exact = 0.1 + 0.2;
  page({refusal(field::power_usage, "0.30000000000000004", Reason::impossible_rate, exact),
        refusal(field::gpu_temp, "abc", Reason::unparsable)});
  page({refusal(field::gpu_temp, "abc", Reason::unparsable)});
  flush();
  const auto before = list();
  restart();
  const auto after = list();
  ASSERT_EQ(after.items.size(), before.items.size());
  for (std::size_t i = 0; i < before.items.size(); ++i) {
    EXPECT_EQ(after.items[i].id, before.items[i].id);
    EXPECT_EQ(after.items[i].value, before.items[i].value);
    EXPECT_EQ(after.items[i].count, before.items[i].count);
    EXPECT_EQ(after.items[i].last, before.items[i].last);
  }
  EXPECT_EQ(quarantine->select({}).at(0).number, exact) << "to the last bit";
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400)});
  EXPECT_GT(list().items[0].id, before.items[0].id) << "new ones come after";
}

TEST_F(QuarantineTest, ARecordThatCannotBeReadIsPassedOver) {
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400)});
  disk.kept["b/000007"] = {"quarantine", "b/000007", now, "{\"rows\":[{\"id\":"};
  disk.kept["t/h2:9400"] = {"quarantine", "t/h2:9400", now, "[]"};
  quarantine = std::make_unique<Quarantine>(settings);
  EXPECT_EQ(quarantine->restore(disk, now).value(), 2u);
  EXPECT_EQ(list().kept, 1u);
}

TEST_F(QuarantineTest, FiltersAndPages) {
  for (int i = 0; i < 4; ++i)
    page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400), refusal(field::fan_speed, "x", Reason::unparsable)});
  page({refusal(field::power_usage, "9999", Reason::impossible_rate, 9999)}, "h2:9400");
  const auto size = [&](views::QuarantineQuery q) { return list(q).items.size(); };
  EXPECT_EQ(size({}), 6u) << "four temperatures, one power, one kind";
  EXPECT_EQ(size({.reason = Reason::impossible_rate}), 1u);
  EXPECT_EQ(size({.metric = field::gpu_temp}), 4u);
  EXPECT_EQ(size({.source = "h2:9400"}), 1u);
  EXPECT_EQ(size({.gpu = "GPU-1"}), 5u);
  EXPECT_EQ(size({.gpu = "a serial", .board = BoardId{1}}), 6u);
  EXPECT_EQ(size({.gpu = "GPU-2"}), 0u);
  std::vector<std::uint64_t> seen;
  views::QuarantineQuery q{.limit = 4};
  for (;;) {
    const auto page = list(q);
    for (const auto& i : page.items) seen.push_back(i.id);
    if (page.next == 0) break;
    q.before = page.next;
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater{}));
}

TEST_F(QuarantineTest, WhatIsRemovedStaysAwayAfterARestart) {
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400), refusal(field::power_usage, "9999", Reason::out_of_range, 9999)});
  page({refusal(field::gpu_temp, "401", Reason::out_of_range, 401)});
  const auto all = quarantine->select({});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(remove({all[0].id, all[2].id}));
  EXPECT_EQ(list().kept, 1u);
  restart();
  ASSERT_EQ(quarantine->select({}).size(), 1u);
  EXPECT_EQ(quarantine->select({})[0].number, 9999);
  page({refusal(field::gpu_temp, "402", Reason::out_of_range, 402)});
  restart();
  EXPECT_EQ(list().kept, 2u) << "the slot that became free holds the new one";
}

TEST_F(QuarantineTest, ARemovalThatCannotBeWrittenChangesNothing) {
  page({refusal(field::gpu_temp, "400", Reason::out_of_range, 400)});
  const auto id = quarantine->select({})[0].id;
  EXPECT_FALSE(quarantine->remove(std::vector{id}, [](std::vector<store::Record>) { return false; }));
  EXPECT_EQ(list().kept, 1u);
}

TEST_F(QuarantineTest, ASourceThatInventsKindsIsBounded) {
  for (std::uint16_t i = 0; i < 5000; ++i) page({refusal(MetricId{static_cast<std::uint16_t>(i + 1)}, "x", Reason::unparsable)});
  EXPECT_EQ(counts()[Reason::unparsable], 5000u);
  EXPECT_LE(list({.limit = 10'000}).items.size(), 1001u);
}

TEST_F(QuarantineTest, AFleetOfStuckSentinelsWritesLittle) {
  constexpr int kHosts = 200, kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    for (int h = 0; h < kHosts; ++h) {
      page({refusal(field::fan_speed, "9223372036854775794", Reason::sentinel, 9.2e18)}, fmt::format("h{}:9400", h));
      now -= 10s;
    }
    for (int second = 0; second < 10; ++second, now += 1s) flush();
  }
  EXPECT_EQ(counts()[Reason::sentinel], static_cast<std::uint64_t>(kHosts * kRounds));
  flush(true);
  restart();
  EXPECT_EQ(counts()[Reason::sentinel], static_cast<std::uint64_t>(kHosts * kRounds));
}

TEST_F(QuarantineTest, TextIsWantedOnlyWhereItWillBeShown) {
  const std::vector sentinel{refusal(field::fan_speed, "", Reason::sentinel)};
  const std::vector range{refusal(field::gpu_temp, "", Reason::out_of_range, 400)};
  const std::string name = "h1:9400";
  const Quarantine::From from{name, now, layout, boards, BoardId{9}};
  EXPECT_TRUE(quarantine->wants_text(from, sentinel));
  page(sentinel);
  EXPECT_FALSE(quarantine->wants_text(from, sentinel));
  page(range);
  EXPECT_TRUE(quarantine->wants_text(from, range)) << "each of these is kept";
}

}  // namespace
}  // namespace ghm::pipeline
