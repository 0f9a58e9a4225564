// Round trips, hostile bytes and sizes of the two codecs.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "domain/store/chunk_codec.h"
#include "domain/store/decimal.h"
#include "domain/store/int_codec.h"
#include "domain/store/points.h"
#include "domain/store/row_codec.h"
#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

using telemetry::absent, telemetry::MetricId;

const Timestamp kStart = from_unix_ms(1'770'638'400'000);

bool same(std::span<const double> a, std::span<const double> b) {
  return std::ranges::equal(a, b, same_bits);
}

/// The shapes that sensors have, and some that none should have.
std::vector<double> values_of(std::string_view shape, std::size_t n, std::mt19937_64& random) {
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) {
    const auto r = random();
    if (shape == "constant") values.push_back(700);
    if (shape == "noise") values.push_back(static_cast<double>(60 + r % 8));
    if (shape == "tenths") values.push_back(static_cast<double>(3000 + r % 200) / 10);
    if (shape == "counter") values.push_back(1e12 + static_cast<double>(i) * 2350 + static_cast<double>(r % 50));
    if (shape == "rare") values.push_back(i < n / 2 ? 0 : 3);
    if (shape == "holes") values.push_back(r % 3 == 0 ? absent() : 5);
    if (shape == "nothing") values.push_back(absent());
    if (shape == "raw") values.push_back(std::bit_cast<double>(r));
    if (shape == "thirds") values.push_back(static_cast<double>(r % 4) / 3);
    if (shape == "odd") values.push_back(std::vector<double>{-0.0, INFINITY, NAN, 5e-324, 9007199254740993.0}[r % 5]);
  }
  return values;
}

const std::string_view kShapes[] = {"constant", "noise", "tenths", "counter", "rare", "holes", "nothing", "raw", "thirds", "odd"};

Chunk chunk_of(std::size_t rows, std::mt19937_64& random) {
  Chunk chunk;
  for (std::size_t i = 0; i < rows; ++i) chunk.times.push_back(kStart + i * 10s + std::chrono::milliseconds(random() % 20));
  std::uint16_t metric = 1;
  for (const auto shape : kShapes) chunk.columns.push_back({{{}, MetricId{metric++}}, values_of(shape, rows, random)});
  return chunk;
}

TEST(ChunkCodec, GivesBackEveryShapeBitForBit) {
  std::mt19937_64 random(1);
  for (const std::size_t rows : {0u, 1u, 2u, 7u, 8u, 9u, 360u, 3600u}) {
    auto chunk = chunk_of(rows, random);
    const auto back = decode_chunk(encode_chunk(chunk));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(back->times, chunk.times);
    std::erase_if(chunk.columns, [](const ChunkColumn& c) { return std::ranges::all_of(c.values, telemetry::is_absent); });
    ASSERT_EQ(back->columns.size(), chunk.columns.size());
    for (std::size_t i = 0; i < chunk.columns.size(); ++i)
      EXPECT_TRUE(same(back->columns[i].values, chunk.columns[i].values)) << rows << " column " << i;
  }
}

TEST(ChunkCodec, AColumnIsFoundByNameAndReadAlone) {
  std::mt19937_64 random(2);
  const auto chunk = chunk_of(100, random);
  const auto bytes = encode_chunk(chunk);
  auto reader = ChunkReader::open(bytes).value();
  const auto found = reader.find({{}, MetricId{3}});
  ASSERT_TRUE(found);
  std::vector<double> values;
  ASSERT_TRUE(reader.read(*found, values));
  EXPECT_TRUE(same(values, chunk.columns[2].values));
  EXPECT_FALSE(reader.find({{telemetry::Entity::Kind::nvlink, 1}, MetricId{3}}));
}

TEST(ChunkCodec, EveryCutAndEveryFlippedByteIsAnErrorOrAChunkNeverACrash) {
  std::mt19937_64 random(3);
  const auto bytes = encode_chunk(chunk_of(40, random));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode_chunk(std::string_view(bytes).substr(0, cut))) << cut;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bent = bytes;
    bent[i] = static_cast<char>(bent[i] ^ (1 << random() % 8));
    const auto chunk = decode_chunk(bent);
    EXPECT_TRUE(!chunk || std::ranges::is_sorted(chunk->times));
  }
}

TEST(ChunkCodec, StepsOfCountersAndLevelsCostAFewBits) {
  std::mt19937_64 random(4);
  const auto bits_per_value = [&](std::string_view shape) {
    Chunk chunk;
    for (int i = 0; i < 3600; ++i) chunk.times.push_back(kStart + i * 1s);
    chunk.columns.push_back({{{}, MetricId{1}}, values_of(shape, 3600, random)});
    return 8.0 * static_cast<double>(encode_chunk(chunk).size()) / 3600;
  };
  EXPECT_LT(bits_per_value("constant"), 0.1);
  EXPECT_LT(bits_per_value("rare"), 0.2);
  EXPECT_LT(bits_per_value("noise"), 3.2);
  EXPECT_LT(bits_per_value("counter"), 7.5);
}

TEST(RowCodec, AChainGivesBackEveryRow) {
  std::mt19937_64 random(6);
  RowState written, read;
  for (int row = 0; row < 400; ++row) {
    std::vector<double> values;
    for (const auto shape : kShapes) values.push_back(values_of(shape, 1, random)[0]);
    if (row > 0 && random() % 2 == 0) values.assign(written.values().begin(), written.values().end());
    std::string bytes;
    row % 30 == 0 ? encode_key_row(values, written, bytes) : encode_next_row(values, written, bytes);
    const auto done = decode_row(bytes, values.size(), read);
    ASSERT_TRUE(done) << done.error().what;
    ASSERT_TRUE(same(read.values(), values)) << row;
  }
}

TEST(RowCodec, AnUnchangedRowIsAlmostNothing) {
  std::vector<double> values(880, 42.5);
  RowState state;
  std::string key, next;
  encode_key_row(values, state, key);
  encode_next_row(values, state, next);
  EXPECT_LE(next.size(), 3u);
  values[17] = 42.6;
  next.clear();
  encode_next_row(values, state, next);
  EXPECT_LE(next.size(), 8u);
}

TEST(RowCodec, OtherColumnsAndCutsAreRefused) {
  RowState state;
  std::string bytes;
  encode_key_row(std::vector<double>{1, 2, 3}, state, bytes);
  RowState read;
  EXPECT_FALSE(decode_row(bytes, 2, read));
  EXPECT_FALSE(decode_row(bytes, 4, read));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode_row(std::string_view(bytes).substr(0, cut), 3, read));
}

TEST(Decimal, FindsTheSmallestScaleAndRefusesWhatIsNotExact) {
  EXPECT_EQ(find_scale(71), 0);
  EXPECT_EQ(find_scale(71.25), 2);
  EXPECT_EQ(find_scale(0.1 + 0.2), std::nullopt);
  EXPECT_EQ(find_scale(-0.0), std::nullopt);
  EXPECT_EQ(find_scale(NAN), std::nullopt);
  EXPECT_EQ(find_scale(1e300), std::nullopt);
}

TEST(IntCodec, ExtremesOfTheRangeAreExact) {
  const std::int64_t most = (1ll << 53);
  const std::vector<std::vector<std::int64_t>> lists = {{}, {0}, {-most, most}, {most, -most, most}, {1, 1, 1, 2}, {5, 4, 3, 2, 1, 0, -1}};
  for (const auto& list : lists) {
    std::string bytes;
    encode_ints(list, bytes);
    std::vector<std::int64_t> back;
    ASSERT_TRUE(decode_ints(bytes, list.size(), back));
    EXPECT_EQ(back, list);
  }
}

TEST(Points, TheFirstOfAnInstantStands) {
  std::vector<Point> points = {{kStart + 2s, 2}, {kStart, 1}, {kStart, 9}, {kStart + 90s, 3}};
  keep_first_of_each_instant(points);
  EXPECT_EQ(points, (std::vector<Point>{{kStart, 1}, {kStart + 2s, 2}, {kStart + 90s, 3}}));
}

}  // namespace
}  // namespace ghm::store
