#include "adapters/scrape/answer_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>

namespace ghm::scrape {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using View = beast::string_view;

constexpr std::size_t kLeastRoom = 64u << 10;    // one read call's worth
constexpr std::size_t kMostFraming = 16u << 10;  // of one chunk's head, or the trailers
// A chunked body ends with "0\r\n\r\n" at least, so a shorter rest is never the whole end. Beast 1.81 asserts so much where
// the first chunk is the last (basic_parser.ipp, parse_chunk_header): a server's single bytes would end the program.
constexpr std::size_t kLeastChunkedRest = 5;

std::string lower(View text) {
  std::string out(text.data(), text.size());
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

// Beast's extension point: it calls these as it parses.
class AnswerReader::Parser final : public beast::http::basic_parser<false> {
 public:
  explicit Parser(AnswerReader& reader) : reader_(reader) {
    header_limit(kMostHead);
    body_limit(boost::none);  // the reader counts for itself
  }
  int status = 0;
  Headers headers;

 private:
  void on_request_impl(beast::http::verb, View, View, int, error_code&) override {}
  void on_response_impl(int code, View, int, error_code&) override { status = code; }
  void on_field_impl(beast::http::field, View name, View value, error_code&) override {
    if (is_header_done()) return;  // a trailer must not change what the head said
    headers.emplace_back(lower(name), std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(View body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code&) override {
    reader_.keep_chunk(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  AnswerReader& reader_;
};

AnswerReader::AnswerReader(Buffer& buffer, std::size_t filled, Limits limits, std::size_t expected, bool no_body)
    : buffer_(buffer), limits_(limits), expected_(expected), parser_(std::make_unique<Parser>(*this)) {
  parser_->skip(no_body);
  received(filled);
}

AnswerReader::~AnswerReader() = default;

int AnswerReader::status() const {
  return parser_->is_header_done() ? parser_->status : 0;
}

Headers AnswerReader::take_headers() {
  return std::move(parser_->headers);
}

std::size_t AnswerReader::limit() const {
  return parser_->status == 200 ? limits_.page : limits_.other;
}

bool AnswerReader::reusable() const {
  return state_ == State::done && parser_->keep_alive() && (!plain_ || length_) && filled_ == (plain_ ? body_end_ : parsed_);
}

std::span<char> AnswerReader::room() {
  if (plain_ && length_) return {buffer_.data() + filled_, body_begin_ + static_cast<std::size_t>(*length_) - filled_};
  close_gap();
  const std::size_t least = std::max(filled_ + kLeastRoom, expected_ + kMostHead / 16);
  if (buffer_.capacity() - filled_ < kLeastRoom) buffer_.grow(least, filled_);
  return {buffer_.data() + filled_, buffer_.capacity() - filled_};
}

void AnswerReader::received(std::size_t n) {
  filled_ += n;
  raw_ += n;
  plain_ ? take_plain() : parse();
}

void AnswerReader::ended() {
  if (state_ != State::more) return;
  state_ = plain_ && !length_ ? State::done : State::cut_off;
}

// The framing of chunks that were moved together would fill the buffer; only the rest that is not parsed yet is kept.
void AnswerReader::close_gap() {
  if (plain_ || !parser_->is_header_done() || parsed_ == body_end_) return;
  std::memmove(buffer_.data() + body_end_, buffer_.data() + parsed_, filled_ - parsed_);
  filled_ -= parsed_ - body_end_;
  parsed_ = body_end_;
}

void AnswerReader::keep_chunk(const char* bytes, std::size_t n) {
  const auto at = static_cast<std::size_t>(bytes - buffer_.data());
  if (body_begin_ == body_end_) body_begin_ = body_end_ = at;  // the page begins where its first chunk does: nothing to move
  if (body_end_ != at) std::memmove(buffer_.data() + body_end_, bytes, n);
  body_end_ += n;
}

// Beast waits for a whole line before it looks; a TLS alert or another protocol has none.
bool AnswerReader::begins_like_http() const {
  constexpr std::string_view kStart = "HTTP/";
  const auto n = std::min(filled_, kStart.size());
  return kStart.substr(0, n) == std::string_view(buffer_.data(), n);
}

void AnswerReader::parse() {
  if (!parser_->is_header_done() && !begins_like_http()) state_ = State::not_http;
  while (state_ == State::more && !plain_ && parsed_ < filled_) {
    const bool in_head = !parser_->is_header_done();
    if (!in_head && filled_ - parsed_ < kLeastChunkedRest) return;
    error_code ec;
    parsed_ += parser_->put(boost::asio::const_buffer(buffer_.data() + parsed_, filled_ - parsed_), ec);
    if (ec == beast::http::error::need_more) {
      if (in_head && filled_ - parsed_ > kMostHead) state_ = State::long_head;
      if (!in_head && filled_ - parsed_ > kMostFraming) state_ = State::bad_chunks;
      return;
    }
    if (ec == beast::http::error::header_limit) state_ = State::long_head;
    else if (ec) state_ = in_head ? State::not_http : State::bad_chunks;
    else if (in_head && parser_->is_header_done()) head_done();
    else if (body_end_ - body_begin_ > limit()) state_ = State::too_long;
    else if (parser_->is_done()) state_ = State::done;
  }
}

void AnswerReader::head_done() {
  body_begin_ = body_end_ = parsed_;
  if (parser_->is_done()) {
    state_ = State::done;  // 204, 304, or a length of 0
    return;
  }
  if (parser_->chunked()) return;
  plain_ = true;
  if (const auto length = parser_->content_length()) length_ = *length;
  if (length_ && *length_ > limit()) {
    body_end_ = std::min<std::size_t>(filled_, body_begin_ + limit());
    state_ = State::too_long;
    return;
  }
  if (length_) buffer_.grow(body_begin_ + static_cast<std::size_t>(*length_), filled_);
  take_plain();
}

void AnswerReader::take_plain() {
  const auto end = length_ ? body_begin_ + static_cast<std::size_t>(*length_) : body_begin_ + limit();
  body_end_ = std::min(filled_, end);
  if (length_ && filled_ >= end) state_ = State::done;
  if (!length_ && filled_ > end) state_ = State::too_long;
}

}  // namespace ghm::scrape
