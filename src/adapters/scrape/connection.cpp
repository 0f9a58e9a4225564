#include "adapters/scrape/connection.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "adapters/scrape/gunzip.h"

namespace ghm::scrape {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

// The first bytes are read onto the stack, so that a connection that only waits for its answer holds no buffer.
constexpr std::size_t kFirstRead = 4096;
// After so many bytes other connections get their turn.
constexpr std::size_t kMostAtOnce = 2u << 20;

}  // namespace

std::string_view Answer::header(std::string_view lower_case_name) const {
  std::string_view value;
  for (const auto& [name, text] : headers)
    if (name == lower_case_name) value = text;
  return value;
}

Connection::Connection(asio::io_context& io, std::shared_ptr<Resources> resources, Url url,
                       std::shared_ptr<const telemetry::ScrapeAccess> access)
    : io_(io), resources_(std::move(resources)), url_(std::move(url)), access_(std::move(access)), socket_(io), timer_(io) {}

void Connection::ask(const Question& q, Done done) {
  done_ = std::move(done);
  limits_ = q.limits;
  within_ = q.within;
  deadline_ = q.deadline;
  expected_ = q.expected;
  no_body_ = q.method == "HEAD";
  first_byte_ = {};
  reused_ = socket_.is_open();
  stage_ = Stage::finding;
  auto text = request_text(q);
  if (!text) return fail_later(fmt::format("{}: {}", url_.text, text.error().what));
  request_ = std::move(*text);
  sent_ = 0;
  arm(deadline_);
  if (!reused_) return fresh();
  stage_ = Stage::sending;
  if (send()) wait(tcp::socket::wait_read);
}

// Never within ask(): a caller that asks again at once would recurse.
void Connection::fail_later(std::string sentence) {
  asio::post(io_, [self = shared_from_this(), g = ++generation_, sentence = std::move(sentence)]() mutable {
    if (g == self->generation_) self->fail(std::move(sentence));
  });
}

Result<std::string> Connection::authorization() {
  if (!access_->credentials_file.empty()) {
    const auto token = resources_->secrets.text(access_->credentials_file);
    if (!token) return Error{token.error().code, "authorization.credentials_file: " + token.error().what};
    return fmt::format("Authorization: Bearer {}\r\n", *token);
  }
  if (access_->username.empty()) return std::string();
  std::string pair = access_->username + ":";
  if (!access_->password_file.empty()) {
    const auto password = resources_->secrets.text(access_->password_file);
    if (!password) return Error{password.error().code, "basic_auth.password_file: " + password.error().what};
    pair += *password;
  }
  std::string encoded((pair.size() + 2) / 3 * 4 + 1, '\0');  // with the zero that OpenSSL adds
  encoded.resize(
      static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                               reinterpret_cast<const unsigned char*>(pair.data()), static_cast<int>(pair.size()))));
  return fmt::format("Authorization: Basic {}\r\n", encoded);
}

Result<std::string> Connection::request_text(const Question& q) {
  auto auth = authorization();
  if (!auth) return auth;
  const auto length = q.body.empty() ? std::string() : fmt::format("Content-Length: {}\r\n", q.body.size());
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ghm/{}\r\n{}{}{}{}\r\n{}", q.method, url_.path, url_.authority, GHM_VERSION,
                     access_->accept_gzip ? "Accept-Encoding: gzip\r\n" : "", *auth, q.headers, length, q.body);
}

void Connection::fresh() {
  drop_socket();
  reused_ = false;
  sent_ = 0;
  stage_ = Stage::finding;
  lookup_ =
      resources_->names.find(url_.host, url_.port, [weak = weak_from_this(), g = generation_](Result<NameLookup::Endpoints> endpoints) {
        if (const auto self = weak.lock(); self && self->generation_ == g) self->found(std::move(endpoints));
      });
}

void Connection::found(Result<NameLookup::Endpoints> endpoints) {
  lookup_ = 0;
  if (!endpoints) return fail(name_trouble(url_, endpoints.error().what));
  if (endpoints->empty()) return fail(name_trouble(url_, "no address"));
  endpoints_ = std::move(*endpoints);
  next_endpoint_ = 0;
  connect_next({});
}

// One address after the other; each gets an equal part of the time that is left, so that a dead first one (IPv6 without a
// route, say) does not use up the whole time-out.
void Connection::connect_next(ErrorCode last) {
  drop_socket();
  stage_ = Stage::connecting;
  const auto left = endpoints_.size() - next_endpoint_;
  if (left == 0) return fail(socket_trouble(url_, last));
  const auto now = steady_clock::now();
  arm(now + (deadline_ - now) / static_cast<int>(left));
  const auto& endpoint = endpoints_[next_endpoint_++];
  ErrorCode ec;
  socket_.open(endpoint.protocol(), ec);
  if (ec) return fail(socket_trouble(url_, ec));
  ErrorCode ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.async_connect(endpoint, [self = shared_from_this(), g = generation_](const ErrorCode& failed) {
    if (g != self->generation_) return;
    failed ? self->connect_next(failed) : self->connected();
  });
}

void Connection::connected() {
  arm(deadline_);
  ErrorCode ec;
  socket_.non_blocking(true, ec);
  if (!url_.tls) {
    stage_ = Stage::sending;
    return run();
  }
  auto context = resources_->tls.get(*access_);
  if (!context) return fail(fmt::format("{}: {}", url_.text, context.error().what));
  auto session = TlsSession::open(**context, socket_.native_handle(), url_, *access_);
  if (!session) return fail(fmt::format("{}: {}", url_.text, session.error().what));
  tls_.emplace(std::move(*session));
  stage_ = Stage::handshaking;
  run();
}

void Connection::run() {
  if (stage_ == Stage::handshaking && !shake_hands()) return;
  if (stage_ == Stage::sending && !send()) return;
  if (stage_ == Stage::receiving) receive();
}

IoResult Connection::read(std::span<char> into) {
  if (tls_) return tls_->read(into);
  const auto n = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (n > 0) return {Io::done, static_cast<std::size_t>(n)};
  if (n == 0) return {Io::ended};
  if (errno == EAGAIN || errno == EINTR) return {Io::want_read};
  wire_error_.assign(errno, boost::system::system_category());
  return {Io::failed};
}

IoResult Connection::write(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0) return {Io::done, static_cast<std::size_t>(n)};
  if (errno == EAGAIN || errno == EINTR) return {Io::want_write};
  wire_error_.assign(errno, boost::system::system_category());
  return {Io::failed};
}

// True when the call was done; otherwise what follows is arranged.
bool Connection::on_io(const IoResult& r) {
  switch (r.io) {
    case Io::done: return true;
    case Io::want_read: wait(tcp::socket::wait_read); return false;
    case Io::want_write: wait(tcp::socket::wait_write); return false;
    case Io::ended: peer_ended(); return false;
    case Io::failed: break;
  }
  if (try_again()) return false;
  if (tls_) fail(fmt::format("{}: {}", url_.text, tls_->why()));
  else broken(wire_error_);
  return false;
}

bool Connection::shake_hands() {
  if (!on_io(tls_->handshake())) return false;
  stage_ = Stage::sending;
  return true;
}

bool Connection::send() {
  while (sent_ < request_.size()) {
    const auto r = write(std::string_view(request_).substr(sent_));
    if (!on_io(r)) return false;
    sent_ += r.n;
  }
  stage_ = Stage::receiving;
  return true;
}

bool Connection::receive() {
  std::array<char, kFirstRead> scratch;
  std::size_t taken = 0;
  while (taken < kMostAtOnce) {
    const bool first = !reader_;
    const auto r = read(first ? std::span<char>(scratch) : reader_->room());
    if (!on_io(r)) return false;
    taken += r.n;
    if (!take(r.n, first ? std::span<const char>(scratch.data(), r.n) : std::span<const char>())) return false;
  }
  // TLS may hold decrypted bytes that the socket will not announce again: so not wait(), but come back.
  asio::post(io_, [self = shared_from_this(), g = generation_] {
    if (g == self->generation_) self->run();
  });
  return false;
}

// False when the answer is complete, well or badly.
bool Connection::take(std::size_t n, std::span<const char> scratch) {
  if (reader_) {
    reader_->received(n);
  } else {
    first_byte_ = SystemClock().now();
    buffer_ = resources_->buffers.take();
    buffer_.grow(std::max(kFirstRead, expected_), 0);
    std::memcpy(buffer_.data(), scratch.data(), n);
    reader_.emplace(buffer_, n, limits_, expected_, no_body_);
  }
  if (reader_->state() == AnswerReader::State::more) return true;
  answered();
  return false;
}

void Connection::peer_ended() {
  if (try_again()) return;
  if (reader_) {
    reader_->ended();
    return answered();
  }
  if (stage_ == Stage::handshaking)
    return fail(fmt::format("{}: the connection was closed during the TLS handshake: check the server's TLS settings", url_.text));
  fail(fmt::format("{}: the connection was closed without an answer: look into the log of the program there", url_.text));
}

void Connection::broken(const ErrorCode& ec) {
  fail(broken_trouble(url_, ec, reader_ ? reader_->raw_bytes() : 0));
}

bool Connection::try_again() {
  if (!reused_ || reader_) return false;
  fresh();
  return true;
}

void Connection::wait(tcp::socket::wait_type what) {
  socket_.async_wait(what, [self = shared_from_this(), g = generation_](const ErrorCode& ec) {
    if (g == self->generation_ && !ec) self->run();
  });
}

void Connection::arm(steady_clock::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](const ErrorCode& cancelled) {
    if (!cancelled) self->on_timer();
  });
}

void Connection::on_timer() {
  // A timer that was armed anew while this call was already queued is not due yet.
  if (stage_ == Stage::idle || steady_clock::now() < timer_.expiry()) return;
  if (stage_ == Stage::connecting && next_endpoint_ < endpoints_.size() && steady_clock::now() < deadline_)
    return connect_next(asio::error::timed_out);
  fail(late_trouble(url_, stage_, within_, reader_ ? reader_->raw_bytes() : 0));
}

void Connection::answered() {
  const auto state = reader_->state();
  const bool only_first_line = state == AnswerReader::State::too_long && reader_->status() != 200;
  if (state != AnswerReader::State::done && !only_first_line) return fail(answer_trouble(url_, *reader_, limits_.page));
  Answer answer;
  answer.status = reader_->status();
  answer.body = reader_->body();
  answer.at = first_byte_;
  answer.raw_bytes = reader_->raw_bytes();
  if (!reader_->reusable()) drop_socket();
  answer.headers = reader_->take_headers();
  Buffer inflated;
  if (const auto encoding = answer.header("content-encoding"); encoding == "gzip" || encoding == "x-gzip") {
    inflated = resources_->buffers.take();
    bool too_long = false;
    const auto page = gunzip(answer.body, inflated, limits_.page, too_long);
    if (!page) return fail(gzip_trouble(url_, too_long, limits_.page));
    answer.body = *page;
  }
  deliver(answer);
  resources_->buffers.give(std::move(inflated));
}

void Connection::fail(std::string sentence) {
  drop_socket();
  Answer answer;
  answer.error = std::move(sentence);
  answer.at = first_byte_ == Timestamp{} ? SystemClock().now() : first_byte_;
  deliver(answer);
}

// The callback may ask again or close: the answer's memory is no longer this connection's when it runs.
void Connection::deliver(Answer& answer) {
  const auto self = shared_from_this();
  timer_.cancel();
  stage_ = Stage::idle;
  const auto done = std::exchange(done_, nullptr);
  Buffer buffer = std::move(buffer_);
  reader_.reset();
  done(answer);
  resources_->buffers.give(std::move(buffer));
}

void Connection::close() {
  timer_.cancel();
  stage_ = Stage::idle;
  done_ = nullptr;
  reader_.reset();
  resources_->buffers.give(std::move(buffer_));
  drop_socket();
}

void Connection::drop_socket() {
  ++generation_;
  resources_->names.cancel(std::exchange(lookup_, 0));
  tls_.reset();
  ErrorCode ignored;
  socket_.close(ignored);
}

}  // namespace ghm::scrape
