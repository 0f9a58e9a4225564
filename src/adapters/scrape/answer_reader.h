#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/scrape/buffer_pool.h"

namespace ghm::scrape {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case, in the answer's order

/// Reads one HTTP/1.x response out of a stream of bytes without copying its body: head and body lie in one buffer that the
/// socket reads into. The head and the chunk framing are parsed by Beast; a body with a length is only counted; chunks are
/// moved together in place (nothing is moved when the page is one chunk, as Go's exporters send it). Knows no socket.
/// Source: RFC 9112.
class AnswerReader {
 public:
  enum class State {
    more,  // read into room(), then say received()
    done,
    not_http,    // the head is no HTTP/1.x response
    long_head,   // over kMostHead bytes
    bad_chunks,  // the chunk framing is broken
    too_long,    // the body is longer than the limit, or says so
    cut_off,     // the peer closed in the middle
  };
  struct Limits {
    std::size_t page;   // bytes of body of an answer 200
    std::size_t other;  // bytes of body of any other answer: only its first line is of interest
  };
  static constexpr std::size_t kMostHead = 16u << 10;

  /// `buffer` holds the first `filled` bytes already. `expected`: bytes the whole answer is likely to have. `no_body`: a HEAD.
  AnswerReader(Buffer& buffer, std::size_t filled, Limits limits, std::size_t expected, bool no_body = false);
  ~AnswerReader();

  State state() const { return state_; }
  /// Where the next bytes go; never empty in State::more, and never reaches past a body whose length is known.
  std::span<char> room();
  void received(std::size_t n);
  /// The peer closed: the end of a body without length, else cut_off.
  void ended();

  /// 0 until the head is complete.
  int status() const;
  Headers take_headers();
  /// Points into the buffer. When too_long, what was read until then.
  std::string_view body() const { return {buffer_.data() + body_begin_, body_end_ - body_begin_}; }
  /// Of a body with a length, when cut_off or too_long.
  std::optional<std::uint64_t> body_length() const { return length_; }
  /// The connection can carry another request: the answer is complete, nothing follows it, and the peer wants to keep it.
  bool reusable() const;
  std::size_t raw_bytes() const { return raw_; }

 private:
  class Parser;
  bool begins_like_http() const;
  void parse();
  void head_done();
  void take_plain();
  void close_gap();
  void keep_chunk(const char* bytes, std::size_t n);
  std::size_t limit() const;

  Buffer& buffer_;
  Limits limits_;
  std::size_t expected_;
  std::unique_ptr<Parser> parser_;
  State state_ = State::more;
  bool plain_ = false;  // body without chunks: by length, or to the end of the stream
  std::optional<std::uint64_t> length_;
  std::size_t filled_ = 0;  // bytes in the buffer
  std::size_t parsed_ = 0;  // of these, what the parser has seen
  std::size_t body_begin_ = 0, body_end_ = 0;
  std::size_t raw_ = 0;  // bytes received in all
};

}  // namespace ghm::scrape
