#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "adapters/http/server.h"

namespace ghm::http::test {

struct RawResponse {
  int status = 0;  // 0: the server closed without one
  std::string head, body;
  std::string header(const std::string& lower_name) const {
    for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
      const auto colon = head.find(':', at), end = head.find("\r\n", at + 2);
      if (colon == head.npos || end == head.npos || colon > end) continue;
      std::string name = head.substr(at + 2, colon - at - 2);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      if (name == lower_name) return head.substr(colon + 2, end - colon - 2);
    }
    return {};
  }
};

/// A client that sends any bytes, right or wrong, and reads with a time-out of 6 s.
class RawClient {
 public:
  explicit RawClient(unsigned short port) : RawClient() { connect_to(port); }
  RawClient() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval patience{6, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void connect_to(unsigned short port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  void receive_buffer(int bytes) { ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }
  bool send(std::string_view bytes) { return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()); }

  /// Up to and with `end`; what came when the connection ended or the time ran out.
  std::string read_until(std::string_view end) {
    std::size_t at;
    while ((at = kept_.find(end)) == kept_.npos)
      if (!more()) return std::exchange(kept_, {});
    auto text = kept_.substr(0, at + end.size());
    kept_.erase(0, at + end.size());
    return text;
  }
  RawResponse read_response(bool head_only = false) {
    RawResponse r;
    r.head = read_until("\r\n\r\n");
    if (r.head.size() < 12) return r;
    r.status = std::stoi(r.head.substr(9, 3));
    const auto length = r.header("content-length");
    const std::size_t want = head_only || length.empty() ? 0 : std::stoul(length);
    while (kept_.size() < want && more()) {
    }
    r.body = kept_.substr(0, want);
    kept_.erase(0, want);
    return r;
  }
  /// True when the server closed within the time-out and nothing else came.
  bool closed() { return kept_.empty() && !more() && ended_; }
  int fd() const { return fd_; }

 private:
  bool more() {
    char buffer[16384];
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) kept_.append(buffer, static_cast<std::size_t>(n));
    ended_ = n == 0 || (n < 0 && errno == ECONNRESET);
    return n > 0;
  }
  int fd_;
  std::string kept_;
  bool ended_ = false;
};

/// A server on a free port with an event loop in its own thread.
class RunningServer {
 public:
  explicit RunningServer(Handler handler, ServerSettings settings = {})
      : server_(std::make_unique<Server>(io_, std::move(settings), std::move(handler), Log::to_memory(lines))) {
    auto got = server_->listen("127.0.0.1:0");
    EXPECT_TRUE(got) << got.error().what;
    port = got ? *got : 0;
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~RunningServer() { stop(); }
  /// Returns when the loop has run out: a graceful stop leaves nothing behind.
  void stop() {
    server_->stop();
    if (thread_.joinable()) thread_.join();
  }
  Server& server() { return *server_; }

  std::vector<std::string> lines;  // of the log; read after stop()
  unsigned short port = 0;

 private:
  boost::asio::io_context io_{1};
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

inline std::string get(const std::string& path, const std::string& more = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

}  // namespace ghm::http::test
