#include "adapters/http/connection.h"

#include <boost/asio/post.hpp>

#include "adapters/http/response_head.h"

namespace ghm::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kFirstRead = 4096;  // a browser's request fits
constexpr std::size_t kBodyRead = 64u << 10;
constexpr std::chrono::seconds kLinger{2};

// Answers exactly once, whatever the handler does: twice is ignored, never is a 500.
class Ticket {
 public:
  explicit Ticket(std::shared_ptr<Connection> c) : connection_(std::move(c)) {}
  ~Ticket() {
    if (!answered_) answer(problem(500, "The server gave no answer to this request."));
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  void answer(Response response) {
    if (answered_.exchange(true)) return;
    auto& io = connection_->io();
    if (io.get_executor().running_in_this_thread()) return connection_->answer(std::move(response));
    asio::post(io, [c = std::move(connection_), r = std::move(response)]() mutable { c->answer(std::move(r)); });
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::atomic<bool> answered_{false};
};

}  // namespace

Connection::Connection(std::shared_ptr<Hub> hub, Peer peer)
    : hub_(std::move(hub)), peer_(std::move(peer)), reader_({hub_->settings.max_header, hub_->settings.max_body}) {
  place_ = hub_->open.insert(hub_->open.end(), this);
  ++hub_->connections;
  ++hub_->open_connections;
}

Connection::~Connection() {
  hub_->open.erase(place_);
  --hub_->open_connections;
  if (hub_->stopping && hub_->open.empty() && hub_->emptied) hub_->emptied();
}

void Connection::start() {
  allow(hub_->settings.request_timeout);
  do_open();
}

void Connection::opened(bool ok) {
  if (state_ == State::closed) return;
  if (!ok || hub_->stopping) return close();
  process();
}

void Connection::showed(const ClientCertificate& certificate) {
  peer_.certificate = certificate.name;
  peer_.certificate_trouble = certificate.trouble;
  certificate_ends_ = certificate.ends;
}

void Connection::come_again() {
  if (certificate_ends_ == 0) return;
  keep_alive_ = false;
  finish();
}

void Connection::tick() {
  const bool ended = certificate_ends_ != 0 && peer_.certificate_trouble.empty() && certificate_ends_ <= std::time(nullptr);
  if (ended) return come_again();
  if (late()) {
    if (state_ != State::reading || sending_) return close();
    keep_alive_ = false;
    return answer(problem(408, "The request did not arrive in time."));
  }
  if (state_ == State::streaming) pull_events();
}

void Connection::finish() {
  if (state_ == State::streaming) return end();
  if (state_ != State::handling && state_ != State::writing) close();
}

void Connection::receive() {
  if (receiving_) return;
  receiving_ = true;
  do_receive(input_.prepare(reader_.begun() ? kBodyRead : kFirstRead));
}

void Connection::wait_for_bytes() {
  if (!reader_.begun()) {
    state_ = State::idle;
    allow(hub_->settings.idle_timeout);
  } else if (state_ != State::reading) {
    // From a request's first byte on one deadline stands for all of it: a client that drips bytes gains nothing.
    state_ = State::reading;
    allow(hub_->settings.request_timeout);
  }
  receive();
}

void Connection::received(const error_code& ec, std::size_t n) {
  receiving_ = false;
  if (state_ == State::closed || state_ == State::writing) return;  // writing: a 408 overtook this read
  if (ec) return close();
  if (state_ == State::streaming || state_ == State::ending) return receive();  // nothing more is expected: dropped
  input_.commit(n);
  process();
}

void Connection::process() {
  const auto bytes = input_.data();
  std::size_t used = 0;
  const auto found = reader_.read({static_cast<const char*>(bytes.data()), bytes.size()}, used);
  input_.consume(used);
  switch (found) {
    case RequestReader::State::need_more: return wait_for_bytes();
    case RequestReader::State::wants_continue: return send("HTTP/1.1 100 Continue\r\n\r\n", {});
    case RequestReader::State::done: return handle();
    case RequestReader::State::refused: break;
  }
  keep_alive_ = false;
  answer(reader_.refusal());
}

void Connection::handle() {
  state_ = State::handling;
  deadline_ = kNever;
  ++hub_->requests;
  Request& request = reader_.request();
  request.peer = peer_;
  keep_alive_ = reader_.keep_alive();
  head_only_ = request.method == "HEAD";
  const auto ticket = std::make_shared<Ticket>(shared_from_this());
  try {
    hub_->handler(request, [ticket](Response r) { ticket->answer(std::move(r)); });
  } catch (const std::exception& e) {
    hub_->log.error("http.handler_failed", {{"method", request.method}, {"path", request.path}, {"error", e.what()}});
    ticket->answer(problem(500, "The server failed at this request; its log says why."));
  }
}

void Connection::answer(Response response) {
  if (state_ == State::closed) return;
  response_ = std::move(response);
  if (response_.events || hub_->stopping) keep_alive_ = false;  // a stream ends with its connection
  state_ = State::writing;
  write_head(response_, {hub_->date, keep_alive_, reader_.http_1_0()}, head_);
  send(head_, head_only_ || response_.events ? std::string_view() : response_.bytes());
}

void Connection::send(std::string_view first, std::string_view second) {
  sending_ = true;
  progressed();
  do_send({asio::buffer(first.data(), first.size()), asio::buffer(second.data(), second.size())});
}

void Connection::sent(const error_code& ec) {
  sending_ = false;
  if (state_ == State::closed) return;
  if (ec) return close();
  if (state_ == State::writing) return next();
  if (state_ == State::streaming) return event_sent();
  if (state_ == State::idle || state_ == State::reading) wait_for_bytes();  // 100 Continue is out
}

void Connection::event_sent() {
  deadline_ = kNever;
  if (std::exchange(pull_again_, false)) pull_events();
}

void Connection::next() {
  if (response_.events && !head_only_ && !hub_->stopping) {
    state_ = State::streaming;
    deadline_ = kNever;
    receive();  // to notice that the client left
    return pull_events();
  }
  if (!keep_alive_ || hub_->stopping) return end();
  response_ = {};
  reader_.reset();
  process();
}

void Connection::pull_events() {
  if (state_ != State::streaming) return;
  if (sending_) {
    pull_again_ = true;  // once, however often it is asked for meanwhile: a slow client skips
    return;
  }
  std::optional<std::string> text;
  try {
    text = response_.events->pull();
  } catch (const std::exception& e) {
    hub_->log.error("http.stream_failed", {{"error", e.what()}});
  }
  if (!text) return end();
  if (text->empty()) return;
  head_ = std::move(*text);
  send(head_, {});
}

// A close with unread bytes would make the kernel send a reset, which can overtake the answer: so first say that nothing
// more comes, then wait shortly for the client to leave.
void Connection::end() {
  state_ = State::ending;
  response_ = {};
  allow(kLinger);
  do_shut();
}

void Connection::shut(bool clean) {
  if (state_ == State::closed) return;
  clean ? receive() : close();
}

void Connection::close() {
  state_ = State::closed;
  deadline_ = kNever;
  do_close();
}

}  // namespace ghm::http
