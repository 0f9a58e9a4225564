#include "adapters/http/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

namespace ghm::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using View = beast::string_view;

std::string_view view(View v) {
  return {v.data(), v.size()};
}

// A chunked body ends with "0\r\n\r\n" at least, so shorter rests are never the whole end. Beast 1.81 asserts so much where
// the first chunk is the last (basic_parser.ipp, parse_chunk_header): one client's single bytes would end the program.
constexpr std::size_t kLeastChunkedRest = 5;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `plus`: what + stands for, a space in a query and itself in a path.
bool percent_decode(std::string_view in, char plus, std::string& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out += in[i] == '+' ? plus : in[i];
      continue;
    }
    if (i + 2 >= in.size()) return false;
    const int high = hex_digit(in[i + 1]), low = hex_digit(in[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

bool parse_query(std::string_view query, Request& out) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    std::string name, value;
    if (!percent_decode(pair.substr(0, equals), ' ', name)) return false;
    if (equals != pair.npos && !percent_decode(pair.substr(equals + 1), ' ', value)) return false;
    out.query.emplace(std::move(name), std::move(value));
  }
  return true;
}

// "http://host:port/path" as proxies send it: what counts is the path.
std::string_view without_authority(std::string_view target) {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == target.npos) return target;
  const auto slash = target.find('/', scheme + 3);
  return slash == target.npos ? std::string_view("/") : target.substr(slash);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

bool parse_target(std::string_view target, Request& out) {
  target = without_authority(target);
  if (!target.starts_with('/') && target != "*") return false;
  const auto question = target.find('?');
  out.path.clear();
  if (!percent_decode(target.substr(0, question), '+', out.path)) return false;
  if (std::ranges::any_of(out.path, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) return false;
  return question == target.npos || parse_query(target.substr(question + 1), out);
}

// Beast's extension point: it calls these as it parses, so a request is built once, without Beast's own containers.
struct RequestReader::Parser {
  class Sink final : public beast::http::basic_parser<true> {
   public:
    explicit Sink(const Limits& limits) {
      header_limit(static_cast<std::uint32_t>(limits.header));
      body_limit(limits.body);
    }
    Request request;
    bool in_chunks() const { return is_header_done() && chunked(); }
    bool target_ok = true;
    int version = 11;

   private:
    void on_request_impl(beast::http::verb, View method, View target, int v, error_code&) override {
      version = v;
      request.method.assign(method.data(), method.size());
      target_ok = http::parse_target(view(target), request);
    }
    void on_field_impl(beast::http::field, View name, View value, error_code&) override {
      if (is_header_done()) return;  // a trailer must not change what the head said
      auto [at, fresh] = request.headers.try_emplace(lower(view(name)), view(value));
      if (!fresh) at->second.append(", ").append(view(value));
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
      // A length is only a claim: room is made for what is likely, the rest as it comes.
      if (length) request.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, 64u << 10)));
    }
    std::size_t on_body_impl(View body, error_code&) override { return keep(body); }
    std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code&) override { return keep(body); }
    void on_response_impl(int, View, int, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
    void on_finish_impl(error_code&) override {}

    std::size_t keep(View body) {
      request.body.append(body.data(), body.size());
      return body.size();
    }
  };

  explicit Parser(Limits l) : limits(l) {}
  Limits limits;
  std::optional<Sink> sink;
  int refused = 0;  // status
  std::string why;

  State refuse(int status, std::string sentence) {
    refused = status;
    why = std::move(sentence);
    return State::refused;
  }
  State refuse(const error_code& ec) {
    if (ec == beast::http::error::header_limit)
      return refuse(431, fmt::format("The request's head is over {} bytes: send fewer or shorter headers.", limits.header));
    if (ec == beast::http::error::body_limit)
      return refuse(413, fmt::format("The request's body is over {} bytes: send it in smaller parts.", limits.body));
    if (ec == beast::http::error::bad_version) return refuse(505, "The server speaks HTTP/1.1 and HTTP/1.0.");
    return refuse(400, fmt::format("This is not a request in HTTP/1.1 ({}).", ec.message()));
  }
  State check_head() {
    if (!sink->target_ok) return refuse(400, "The request's target cannot be read: expected a path such as /api/v1/gpus, escapes as %xx.");
    const auto host = sink->request.headers.find("host");
    if (host == sink->request.headers.end()) {
      if (sink->version == 11) return refuse(400, "A request in HTTP/1.1 needs a Host header.");
    } else if (host->second.find(',') != std::string::npos) {
      return refuse(400, "The request has more than one Host header.");
    }
    sink->eager(true);
    return State::need_more;
  }
};

RequestReader::RequestReader(Limits limits) : parser_(std::make_unique<Parser>(limits)) {}
RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::read(std::string_view bytes, std::size_t& used) {
  used = 0;
  auto& sink = parser_->sink;
  if (!sink) {
    // RFC 9112, section 2.2: an empty line before a request is to be ignored.
    while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
    if (used == bytes.size()) return State::need_more;
    sink.emplace(parser_->limits);
  }
  while (!sink->is_done()) {
    if (used == bytes.size() || (sink->in_chunks() && bytes.size() - used < kLeastChunkedRest)) return State::need_more;
    const bool in_head = !sink->is_header_done();
    error_code ec;
    used += sink->put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), ec);
    if (ec == beast::http::error::need_more) return State::need_more;
    if (ec) return parser_->refuse(ec);
    if (!in_head || !sink->is_header_done()) continue;
    if (parser_->check_head() == State::refused) return State::refused;
    if (!sink->is_done() && used == bytes.size() && beast::iequals(sink->request.header("expect"), "100-continue"))
      return State::wants_continue;
  }
  return State::done;
}

bool RequestReader::begun() const {
  return parser_->sink.has_value();
}
Request& RequestReader::request() {
  return parser_->sink->request;
}
bool RequestReader::keep_alive() const {
  return parser_->sink->keep_alive();
}
bool RequestReader::http_1_0() const {
  return parser_->sink && parser_->sink->version == 10;
}
Response RequestReader::refusal() const {
  return problem(parser_->refused, parser_->why);
}

void RequestReader::reset() {
  parser_->sink.reset();
}

}  // namespace ghm::http
