#include "adapters/remote_write/write_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adapters/remote_write/encoder_for_test.h"

namespace ghm::remote_write {
namespace {

using test::body_of, test::bytes_field, test::encode, test::pack, test::varint;
using ::testing::HasSubstr;

const auto kNow = from_unix_ms(1'700'000'000'123);

Series temperature(double value, Timestamp at = kNow) {
  return {{{"__name__", "DCGM_FI_DEV_GPU_TEMP"}, {"gpu", "0"}, {"instance", "gpu-host-1:9400"}}, {{value, at}}};
}

std::string why_not(std::string_view body) {
  const auto r = decode(body);
  return r ? "it was read" : r.error().what;
}

TEST(WriteRequest, WhatWasWrittenIsRead) {
  const WriteRequest sent{{temperature(61),
                           temperature(-0.1, from_unix_ms(-5)),
                           {{{"__name__", "up"}, {"empty", ""}, {"name", "\u00e4 \n\""}}, {{1, kNow}, {0.57, kNow + 1s}}}},
                          {{"DCGM_FI_DEV_GPU_TEMP", "GPU temperature (in C)."}}};
  const auto got = decode(body_of(sent));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(encode(*got), encode(sent));
}

TEST(WriteRequest, ValuesKeepEveryBit) {
  const double values[] = {0.1, -0.0, 5e-324, std::numeric_limits<double>::infinity(), std::bit_cast<double>(kStaleBits), std::nan("1")};
  for (const double v : values) {
    const auto got = decode(body_of({{temperature(v)}, {}}));
    ASSERT_TRUE(got);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(got->series[0].samples[0].value), std::bit_cast<std::uint64_t>(v));
  }
  EXPECT_TRUE(is_stale_marker(std::bit_cast<double>(kStaleBits)));
  EXPECT_FALSE(is_stale_marker(std::nan("")));
}

TEST(WriteRequest, WhatIsNotUnderstoodIsPassedOver) {
  const auto exemplar = bytes_field(3, "exemplar"), histogram = bytes_field(4, "histogram");
  const auto message = bytes_field(2, "reserved") + bytes_field(1, encode(temperature(61)) + exemplar + histogram) + varint(9 << 3) +
                       varint(7) + bytes_field(1, "");
  const auto got = decode(pack(message));
  ASSERT_TRUE(got) << got.error().what;
  ASSERT_EQ(got->series.size(), 1u);
  EXPECT_EQ(got->series[0].samples[0].value, 61);
  EXPECT_TRUE(decode(pack(""))->series.empty());
}

TEST(WriteRequest, MalformedIsOneSentence) {
  const auto good = body_of({{temperature(61)}, {}});
  const struct {
    const char* why;
    std::string body;
    const char* says;
  } cases[] = {
      {"nothing at all", "", "not a snappy block"},
      {"text", "\xff\xff\xff\xff\xff\xff\xff", "not a snappy block"},
      {"a length without data", std::string("\x80\x01", 2), "cannot unpack"},
      {"a bomb by its claim", varint(65u << 20) + "x", "at most 67108864"},
      {"a claim that no such block can keep", varint(60u << 20) + "x", "cannot unpack to the"},
      {"a block that was cut", good.substr(0, good.size() - 3), "damaged"},
      {"a series that was cut", pack(encode(WriteRequest{{temperature(61)}, {}}).substr(0, 20)), "protobuf message is damaged"},
      {"a group", pack(varint(1 << 3 | 3)), "protobuf message is damaged"},
      {"a label that is no message", pack(bytes_field(1, bytes_field(1, "\x0a\x7f"))), "a series is damaged"},
  };
  for (const auto& c : cases) EXPECT_THAT(why_not(c.body), HasSubstr(c.says)) << c.why;
}

TEST(WriteRequest, MillionsOfEmptyObjectsAreRefusedUnread) {
  std::string series, labels;
  for (std::size_t i = 0; i <= kMostObjects; ++i) series += bytes_field(1, "");
  for (std::size_t i = 0; i <= kMostObjects; ++i) labels += bytes_field(1, "");
  EXPECT_THAT(why_not(pack(series)), HasSubstr("at most 2000000"));
  EXPECT_THAT(why_not(pack(bytes_field(1, labels))), HasSubstr("at most 2000000"));
}

TEST(WriteRequest, HeadersOfOtherVersionsAreUnsupported) {
  const struct {
    Headers headers;
    const char* says;
  } cases[] = {
      {{"application/x-protobuf", "snappy", "0.1.0"}, ""},
      {{"Application/X-Protobuf", "snappy", ""}, ""},
      {{"application/x-protobuf; proto=prometheus.WriteRequest", "snappy", "0.1.0"}, ""},
      {{"application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", "2.0.0"}, "only remote_write 1.0"},
      {{"application/x-protobuf", "gzip", "0.1.0"}, "Content-Encoding 'gzip': expected snappy"},
      {{"application/x-protobuf", "", "0.1.0"}, "expected snappy"},
      {{"application/json", "snappy", ""}, "expected application/x-protobuf"},
      {{"", "snappy", ""}, "expected application/x-protobuf"},
      {{"application/x-protobuf", "snappy", "2.0.0"}, "expected 0.1.0"},
  };
  for (const auto& c : cases) {
    const auto why = why_unsupported(c.headers);
    EXPECT_EQ(why.empty(), std::string_view(c.says).empty()) << c.headers.content_type << why;
    EXPECT_THAT(why, HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace ghm::remote_write
