#include "domain/transport/batch_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <cmath>
#include <limits>

#include "domain/transport/host_round_for_test.h"

#include <telemetry_batch.pb.h>

namespace ghm::transport {
namespace {

using test::MovingHost;
using test::same_round;
using ::testing::HasSubstr;

BatchHeader header() {
  return {std::string(kAgentIdBytes, 'a'), "h1", "0.1", {{"rack", "r7"}}, test::kStart + 1h, 2h, "5f0c6f0e-1111-4222-8333-9a4b5c6d7e8f"};
}

Result<Batch> read(BatchDecoder& decoder, std::string_view bytes) {
  auto packed = PackedBatch::open(bytes);
  if (!packed) return packed.error();
  return decoder.decode(*packed);
}

std::string packed(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

std::string why_refused(const std::string& bytes) {
  BatchDecoder decoder;
  auto batch = read(decoder, bytes);
  return batch ? "" : batch.error().what;
}

TEST(BatchCodec, GivesBackWhatItTook) {
  BatchEncoder encoder;
  BatchDecoder decoder;
  MovingHost host(8, 110, 1);
  std::uint64_t sequence = 1'770'000'000'000;
  for (int n = 0; n < 50; ++n) {
    std::vector<HostRound> rounds;
    for (int i = 0; i <= n % 4; ++i) rounds.push_back(host.next(sequence += 1 + static_cast<std::uint64_t>(n % 3)));
    auto& r = rounds.back();
    if (n % 5 == 0) r.events.push_back({r.at - 3s, "xid", {"GPU-1", "", "00000000:65:00.0"}, 79, "NVRM: Xid 79", {{"pid", "12"}}});
    if (n % 7 == 0) r.readings.refused.push_back({3, {}, telemetry::MetricId{155}, "1e99", telemetry::Reason::out_of_range, 7, 1e99});
    if (n % 11 == 0) r.jobs.push_back({{"GPU-1", "", ""}, "job", "4711", {{"user", "ann"}}});
    if (n > 20) r.host = {{"kernel", "6.1"}};
    if (n % 13 == 0) r.readings.stamps[5] = r.at - 90s;
    if (n % 19 == 3) r.trouble = "no exporter";
    if (n % 17 == 0) r.simulated = "literature/7";
    if (n % 23 == 0) r.snapshots.push_back({"5f0c6f0e-12", r.at - 1s, "sign", {"GPU-1", "", ""}, "{\"version\":1}"});
    auto back = read(decoder, encoder.encode(header(), rounds));
    ASSERT_TRUE(back) << back.error().what;
    ASSERT_EQ(back->rounds.size(), rounds.size());
    for (std::size_t i = 0; i < rounds.size(); ++i) ASSERT_TRUE(same_round(back->rounds[i], rounds[i])) << n << " " << i;
    EXPECT_EQ(back->stands_alone, n == 0);
    EXPECT_EQ(back->header.sent_at, header().sent_at);
    EXPECT_EQ(back->header.boot_id, header().boot_id);
    EXPECT_EQ(back->header.labels.size(), n == 0 ? 1u : 0u);
  }
}

TEST(BatchCodec, ASnapshotIsBoundedAndTakesNoReadingWithIt) {
  BatchEncoder encoder;
  BatchDecoder decoder;
  MovingHost host(1, 3, 1);
  auto r = host.next(1);
  r.snapshots.assign(kMostSnapshots + 5, {std::string(500, 'i'), r.at, std::string(500, 'p'), {}, "{}"});
  r.snapshots[0].body = std::string(kLargestSnapshot + 1000, 'x');
  const auto back = read(decoder, encoder.encode(header(), {&r, 1}));
  ASSERT_TRUE(back) << back.error().what;
  const auto& got = back->rounds[0];
  EXPECT_TRUE(test::same_readings(got.readings, r.readings));
  ASSERT_EQ(got.snapshots.size(), kMostSnapshots);
  EXPECT_EQ(got.snapshots[0].body.size(), kLargestSnapshot);
  EXPECT_EQ(got.snapshots[1].id.size(), kLongestSnapshotWord);
}

TEST(BatchCodec, EveryDoubleComesBackBitForBit) {
  const double odd[] = {0.0,
                        -0.0,
                        1e-310,
                        -1e308,
                        1.0 / 3,
                        std::numeric_limits<double>::infinity(),
                        std::nan("7"),
                        telemetry::absent(),
                        9007199254740993.0,
                        0.1 + 0.2,
                        71.5,
                        71.25,
                        -3,
                        1e15 + 0.3,
                        18446744073709551615.0};
  BatchEncoder encoder;
  BatchDecoder decoder;
  MovingHost host(1, 3, 1);
  std::mt19937 random(7);
  for (std::uint64_t n = 1; n < 2000; ++n) {
    auto r = host.next(n);
    for (auto& v : r.readings.values) v = odd[random() % std::size(odd)];
    auto back = read(decoder, encoder.encode(header(), {&r, 1}));
    ASSERT_TRUE(back);
    ASSERT_TRUE(test::same_values(back->rounds[0].readings.values, r.readings.values)) << n;
  }
}

TEST(BatchCodec, AHostOfEightSendsFewBytes) {
  BatchEncoder encoder;
  MovingHost host(8, 110, 1);
  auto first = host.next(1);
  const auto key = encoder.encode(header(), {&first, 1}).size();
  std::size_t bytes = 0;
  for (std::uint64_t n = 2; n <= 101; ++n) {
    auto r = host.next(n);
    bytes += encoder.encode(header(), {&r, 1}).size();
  }
  RecordProperty("key_bytes", static_cast<int>(key));
  RecordProperty("bytes_per_round", static_cast<int>(bytes / 100));
  EXPECT_LT(key, 8000u);
  EXPECT_LT(bytes / 100, 1700u) << "three fifths of the columns move here, power in all its digits";
}

TEST(BatchCodec, ANewLayoutIsSentOnceAndOnlyWhenItIsAnother) {
  BatchEncoder encoder;
  MovingHost a(8, 110, 1), b(8, 110, 1);
  auto one = a.next(1), two = b.next(2);  // equal layouts, though not the same object
  const auto key = encoder.encode(header(), {&one, 1}).size();
  EXPECT_LT(encoder.encode(header(), {&two, 1}).size(), key / 2);
  MovingHost c(8, 111, 1);
  auto three = c.next(3);
  EXPECT_GT(encoder.encode(header(), {&three, 1}).size(), key / 2);
}

TEST(BatchCodec, ARoundWithoutReadingsLeavesTheColumnsAlone) {
  BatchEncoder encoder;
  BatchDecoder decoder;
  MovingHost host(2, 10, 1);
  auto one = host.next(1), two = host.next(2), three = host.next(3);
  two.readings = {};
  two.events.push_back({two.at, "kernel_gap", {}, 0, "12 lines lost", {}});
  const HostRound rounds[] = {one, two, three};
  auto back = read(decoder, encoder.encode(header(), rounds));
  ASSERT_TRUE(back);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(same_round(back->rounds[i], rounds[i])) << i;
}

TEST(BatchCodec, DifferencesFromAnUnknownRoundAreAConflict) {
  BatchEncoder encoder;
  BatchDecoder other;
  MovingHost host(1, 3, 1);
  auto one = host.next(1), two = host.next(2), three = host.next(3);
  encoder.encode(header(), {&one, 1});
  auto lost = read(other, encoder.encode(header(), {&two, 1}));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::conflict);
  EXPECT_THAT(lost.error().what, HasSubstr("standing alone"));
  encoder.reset();
  EXPECT_TRUE(read(other, encoder.encode(header(), {&three, 1})));
}

TEST(BatchCodec, TextsThatAreNoUtf8AreEscaped) {
  BatchEncoder encoder;
  BatchDecoder decoder;
  MovingHost host(1, 3, 1);
  auto r = host.next(1);
  r.events.push_back({r.at, "xid", {}, 13, "bad \xff byte", {}});
  auto back = read(decoder, encoder.encode(header(), {&r, 1}));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->rounds[0].events[0].text, "bad \\xFF byte");
}

// ---- what anybody may send

TEST(BatchCodec, WhatIsNoBatchIsOneSentence) {
  EXPECT_THAT(why_refused("hello"), HasSubstr("not a zstd frame"));
  EXPECT_THAT(why_refused(packed("garbage!")), HasSubstr("not a TelemetryBatch"));
  EXPECT_THAT(why_refused(packed("")), HasSubstr("version"));
  wire::TelemetryBatch m;
  m.set_version(kBatchVersion);
  EXPECT_THAT(why_refused(packed(m.SerializeAsString())), HasSubstr("agent id"));
  BatchEncoder encoder;
  MovingHost host(1, 3, 1);
  auto r = host.next(1);
  auto bytes = encoder.encode(header(), {&r, 1});
  EXPECT_EQ(why_refused(bytes), "");
  EXPECT_NE(why_refused(bytes.substr(0, bytes.size() - 5)), "");
}

TEST(BatchCodec, ANewerVersionSaysWhomToUpdate) {
  wire::TelemetryBatch m;
  m.set_version(kBatchVersion + 1);
  auto newer = PackedBatch::open(packed(m.SerializeAsString()));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::unavailable) << "nothing is wrong with it: the agent keeps it";
  EXPECT_THAT(newer.error().what, HasSubstr("update the server"));
}

TEST(BatchCodec, BombsAreRefusedBeforeTheyGoOff) {
  EXPECT_THAT(why_refused(packed(std::string(100u << 20, '\0'))), HasSubstr("104857600 bytes"));
  wire::TelemetryBatch many;  // empty events, two bytes each
  many.set_version(kBatchVersion);
  auto& round = *many.add_rounds();
  for (int i = 0; i < 300'000; ++i) round.add_events();
  EXPECT_THAT(why_refused(packed(many.SerializeAsString())), HasSubstr("objects"));
}

wire::TelemetryBatch with_header() {
  wire::TelemetryBatch m;
  m.set_version(kBatchVersion);
  m.set_agent(std::string(kAgentIdBytes, 'a'));
  m.set_host("h1");
  m.set_sent_at_ms(1);
  return m;
}

TEST(BatchCodec, WhatIsSaidOnceDoesNotMultiplyWithoutBound) {
  auto facts = with_header();  // one long fact in every round
  for (int i = 0; i < 1000; ++i) facts.add_rounds()->set_sequence(1);
  (*facts.mutable_rounds(0)->mutable_host()->mutable_facts())["x"] = std::string(4u << 20, 'x');
  EXPECT_THAT(why_refused(packed(facts.SerializeAsString())), HasSubstr("fewer rounds"));
  auto values = with_header();  // many columns in every round
  constexpr int kColumns = 60'000;
  auto& first = *values.add_rounds();
  first.set_sequence(1);
  for (int i = 0; i < kColumns; ++i) {
    first.mutable_layout()->add_gpu(-1);
    first.mutable_layout()->add_entity(7u << 16);
    first.mutable_layout()->add_metric(150);
  }
  first.mutable_values()->set_key(true);
  first.mutable_values()->set_forms(std::string(kColumns, '\x0b'));
  for (int i = 0; i < 1000; ++i) {
    auto& r = *values.add_rounds();
    r.set_sequence(1);
    r.mutable_values();
  }
  EXPECT_THAT(why_refused(packed(values.SerializeAsString())), HasSubstr("fewer rounds"));
}

TEST(BatchCodec, AnyFlippedByteIsABatchOrASentence) {
  BatchEncoder encoder;
  MovingHost host(2, 10, 1);
  auto r = host.next(1);
  r.events.push_back({r.at, "xid", {"GPU-1", "", ""}, 79, "Xid", {{"a", "b"}}});
  wire::TelemetryBatch m;
  const auto bytes = encoder.encode(header(), {&r, 1});
  std::string plain(ZSTD_getFrameContentSize(bytes.data(), bytes.size()), '\0');
  ZSTD_decompress(plain.data(), plain.size(), bytes.data(), bytes.size());
  for (std::size_t i = 0; i < plain.size(); ++i)
    for (const int bit : {0, 3, 7}) {
      auto flipped = plain;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      why_refused(packed(flipped));
    }
}

}  // namespace
}  // namespace ghm::transport
