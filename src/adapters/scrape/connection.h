#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/scrape/address.h"
#include "adapters/scrape/answer_reader.h"
#include "adapters/scrape/buffer_pool.h"
#include "adapters/scrape/name_lookup.h"
#include "adapters/scrape/tls.h"
#include "adapters/scrape/trouble.h"
#include "adapters/scrape/watched_file.h"
#include "core/time.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

/// What all connections of one event loop share.
struct Resources {
  explicit Resources(boost::asio::io_context& io) : names(io) {}
  NameLookup names;
  TlsContexts tls;
  SecretFiles secrets;
  BufferPool buffers;
};

struct Question {
  std::string_view method = "GET";
  std::string_view headers;  // whole lines "Name: value\r\n…"
  std::string_view body;
  AnswerReader::Limits limits{64u << 20, 64u << 10};
  std::chrono::milliseconds within{10'000};        // names the time-out in sentences
  std::chrono::steady_clock::time_point deadline;  // for everything from the name lookup to the last byte
  std::size_t expected = 0;                        // bytes the answer is likely to have
};

struct Answer {
  std::string error;  // one sentence; then there is no status
  int status = 0;
  std::string_view body;  // inflated; valid during the call
  Headers headers;
  Timestamp at{};  // of the answer's first byte; when there was none, of the failure
  std::size_t raw_bytes = 0;
  /// The last one of that name, empty when there is none.
  std::string_view header(std::string_view lower_case_name) const;
};

/// One HTTP/1.1 connection to one place, kept open between questions. A kept connection that turns out closed before the
/// first byte of an answer is replaced by a fresh one, once and silently: servers may close an idle one at any time.
/// Plain or TLS, it is a state machine over non-blocking calls that read straight into the answer's buffer.
/// All calls and callbacks on the io_context's thread. Owned by shared_ptr.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Done = std::function<void(const Answer&)>;
  Connection(boost::asio::io_context& io, std::shared_ptr<Resources> resources, Url url,
             std::shared_ptr<const telemetry::ScrapeAccess> access);

  /// One at a time: !asking(). `done` is called exactly once, unless close() comes first, never within ask().
  /// The views of `question` need to live until ask() returns.
  void ask(const Question& question, Done done);
  bool asking() const { return stage_ != Stage::idle; }
  const Url& url() const { return url_; }
  /// Ends the connection; a question that is under way is never answered.
  void close();

 private:
  using ErrorCode = boost::system::error_code;
  Result<std::string> request_text(const Question& question);
  Result<std::string> authorization();
  void fresh();
  void found(Result<NameLookup::Endpoints> endpoints);
  void connect_next(ErrorCode last);
  void connected();
  void run();
  bool shake_hands();
  bool send();
  bool receive();
  bool take(std::size_t n, std::span<const char> scratch);
  bool on_io(const IoResult& r);
  void peer_ended();
  void broken(const ErrorCode& ec);
  bool try_again();
  void wait(boost::asio::ip::tcp::socket::wait_type what);
  IoResult read(std::span<char> into);
  IoResult write(std::string_view bytes);
  void arm(std::chrono::steady_clock::time_point when);
  void on_timer();
  void answered();
  void fail(std::string sentence);
  void fail_later(std::string sentence);
  void deliver(Answer& answer);
  void drop_socket();

  boost::asio::io_context& io_;
  std::shared_ptr<Resources> resources_;
  Url url_;
  std::shared_ptr<const telemetry::ScrapeAccess> access_;
  boost::asio::ip::tcp::socket socket_;
  std::optional<TlsSession> tls_;
  boost::asio::steady_timer timer_;
  std::uint64_t generation_ = 0;  // of the socket: handlers of an earlier one do nothing

  Stage stage_ = Stage::idle;
  Done done_;
  std::string request_;
  std::size_t sent_ = 0;
  bool reused_ = false;  // the connection served a question before this one
  AnswerReader::Limits limits_{};
  std::chrono::milliseconds within_{};
  std::chrono::steady_clock::time_point deadline_;
  std::size_t expected_ = 0;
  bool no_body_ = false;
  NameLookup::Ticket lookup_ = 0;
  NameLookup::Endpoints endpoints_;
  std::size_t next_endpoint_ = 0;
  Buffer buffer_;
  std::optional<AnswerReader> reader_;
  Timestamp first_byte_{};
  ErrorCode wire_error_;
};

}  // namespace ghm::scrape
