#include "adapters/scrape/answer_reader.h"

#include <gtest/gtest.h>

#include <random>

namespace ghm::scrape {
namespace {

using State = AnswerReader::State;

struct Got {
  State state;
  int status;
  std::string body;
  bool reusable;
  friend bool operator==(const Got&, const Got&) = default;
};

constexpr AnswerReader::Limits kLimits{1000, 50};

// Feeds `bytes` in pieces of at most `piece`, then ends the stream if the reader still wants more.
Got feed(std::string_view bytes, std::size_t piece, AnswerReader::Limits limits = kLimits) {
  Buffer buffer;
  buffer.grow(piece + 1, 0);
  const auto first = std::min(piece, bytes.size());
  std::copy_n(bytes.data(), first, buffer.data());
  AnswerReader reader(buffer, first, limits, 0);
  bytes.remove_prefix(first);
  while (reader.state() == State::more && !bytes.empty()) {
    const auto room = reader.room();
    EXPECT_FALSE(room.empty());
    const auto n = std::min({piece, room.size(), bytes.size()});
    std::copy_n(bytes.data(), n, room.data());
    reader.received(n);
    bytes.remove_prefix(n);
  }
  if (reader.state() == State::more) reader.ended();
  return {reader.state(), reader.status(), std::string(reader.body()), reader.reusable()};
}

struct Case {
  const char* why;
  std::string bytes;
  Got want;
};

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kOk + "Transfer-Encoding: chunked\r\n\r\n";

std::vector<Case> cases() {
  return {
      {"a length", kOk + "Content-Length: 5\r\n\r\nhello", {State::done, 200, "hello", true}},
      {"a length of 0", kOk + "Content-Length: 0\r\n\r\n", {State::done, 200, "", true}},
      {"one chunk", kChunked + "5\r\nhello\r\n0\r\n\r\n", {State::done, 200, "hello", true}},
      {"chunks", kChunked + "2\r\nhe\r\n1\r\nl\r\n2;x=y\r\nlo\r\n0\r\n\r\n", {State::done, 200, "hello", true}},
      {"chunks and trailers", kChunked + "5\r\nhello\r\n0\r\nX-Sum: 99\r\nX-More: 1\r\n\r\n", {State::done, 200, "hello", true}},
      {"no chunk, but a trailer", kChunked + "0\r\nX-Sum: 99\r\n\r\n", {State::done, 200, "", true}},
      {"a trailer that RFC 9110 forbids",
       kChunked + "5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n",
       {State::bad_chunks, 200, "hello", false}},
      {"no chunk at all", kChunked + "0\r\n\r\n", {State::done, 200, "", true}},
      {"until the end of the stream", kOk + "\r\nhello", {State::done, 200, "hello", false}},
      {"until the end, empty", kOk + "\r\n", {State::done, 200, "", false}},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", {State::done, 200, "hello", false}},
      {"the peer wants to close", kOk + "Connection: close\r\nContent-Length: 5\r\n\r\nhello", {State::done, 200, "hello", false}},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", {State::done, 204, "", true}},
      {"an error", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", {State::done, 500, "oops", true}},
      {"cut off in the body", kOk + "Content-Length: 9\r\n\r\nhello", {State::cut_off, 200, "hello", false}},
      {"cut off in a chunk", kChunked + "9\r\nhello", {State::cut_off, 200, "hello", false}},
      {"cut off between chunks", kChunked + "5\r\nhello\r\n", {State::cut_off, 200, "hello", false}},
      {"cut off in the head", "HTTP/1.1 200 OK\r\nConte", {State::cut_off, 0, "", false}},
      {"nothing", "", {State::cut_off, 0, "", false}},
      {"TLS alert", std::string("\x15\x03\x01\x00\x02\x02\x46", 7) + std::string(20, 'x'), {State::not_http, 0, "", false}},
      {"another protocol", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", {State::not_http, 0, "", false}},
      {"broken chunk size", kChunked + "xyz\r\nhello\r\n", {State::bad_chunks, 200, "", false}},
      {"chunk without line break", kChunked + "5\r\nhelloworld", {State::bad_chunks, 200, "hello", false}},
      {"two lengths", kOk + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", {State::not_http, 0, "", false}},
      {"length and chunks", kOk + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {State::not_http, 0, "", false}},
      {"a length that is none", kOk + "Content-Length: -5\r\n\r\n", {State::not_http, 0, "", false}},
  };
}

TEST(AnswerReader, ReadsTheSameHoweverTheBytesArrive) {
  for (const auto& c : cases())
    for (std::size_t piece = 1; piece <= c.bytes.size() + 1; ++piece) {
      const Got got = feed(c.bytes, piece);
      ASSERT_EQ(got, c.want) << c.why << ", " << piece << " bytes at a time: state " << static_cast<int>(got.state) << " status "
                             << got.status << " body '" << got.body << "' reusable " << got.reusable;
    }
}

TEST(AnswerReader, LimitsAreKept) {
  const std::string thousand(1000, 'x');
  struct Limit {
    const char* why;
    std::string bytes;
    State want;
  };
  const Limit limits[] = {
      {"as long as allowed", kOk + "Content-Length: 1000\r\n\r\n" + thousand, State::done},
      {"a length beyond", kOk + "Content-Length: 1001\r\n\r\n", State::too_long},
      {"a length beyond all numbers", kOk + "Content-Length: 18446744073709551615\r\n\r\n", State::too_long},
      {"without length, as long as allowed", kOk + "\r\n" + thousand, State::done},
      {"without length, beyond", kOk + "\r\n" + thousand + "x", State::too_long},
      {"chunks, as long as allowed", kChunked + "3e8\r\n" + thousand + "\r\n0\r\n\r\n", State::done},
      {"chunks, beyond", kChunked + "3e8\r\n" + thousand + "\r\n1\r\nx\r\n0\r\n\r\n", State::too_long},
      {"an error's body beyond its own limit", "HTTP/1.1 500 No\r\nContent-Length: 51\r\n\r\n", State::too_long},
      {"a head without an end", kOk + "X: " + std::string(20'000, 'x'), State::long_head},
      {"a chunk's head without an end", kChunked + "1;" + std::string(40'000, 'x'), State::bad_chunks},
  };
  for (const auto& l : limits)
    for (const std::size_t piece : {std::size_t{7}, std::size_t{1500}, l.bytes.size()})
      EXPECT_EQ(feed(l.bytes, piece).state, l.want) << l.why << ", " << piece << " bytes at a time";
}

TEST(AnswerReader, TinyChunksCostNoMoreThanTheirPage) {
  std::string bytes = kChunked, page;
  for (int i = 0; i < 50'000; ++i) {
    bytes += "1\r\nx\r\n";
    page += 'x';
  }
  bytes += "0\r\n\r\n";
  Buffer buffer;
  buffer.grow(1, 0);
  buffer.data()[0] = bytes[0];
  AnswerReader reader(buffer, 1, {100'000, 50}, 0);
  for (std::size_t at = 1; at < bytes.size();) {
    const auto room = reader.room();
    const auto n = std::min({room.size(), bytes.size() - at, std::size_t{4000}});
    std::copy_n(bytes.data() + at, n, room.data());
    reader.received(n);
    at += n;
  }
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.body(), page);
  EXPECT_LT(buffer.capacity(), 300'000u);
}

TEST(AnswerReader, BytesBehindTheAnswerForbidToKeepTheConnection) {
  EXPECT_FALSE(feed(kChunked + "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", 1000).reusable);
  EXPECT_FALSE(feed(kOk + "Content-Length: 5\r\n\r\nhelloworld", 1000).reusable);
}

TEST(AnswerReader, NoDamageEndsTheProgram) {
  std::mt19937 random(7);  // the same damage each time
  const auto all = cases();
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = all[random() % all.size()].bytes;
    for (int n = 1 + static_cast<int>(random() % 3); n > 0 && !bytes.empty(); --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes += all[random() % all.size()].bytes;
    const Got whole = feed(bytes, bytes.size() + 1), pieces = feed(bytes, 1 + random() % 9);
    if (whole.state == State::done) {
      EXPECT_EQ(whole.body, pieces.body);
    }
  }
}

}  // namespace
}  // namespace ghm::scrape
