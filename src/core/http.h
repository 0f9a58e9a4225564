#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// HTTP messages as plain values: who answers a request need not know the server that carried it.
namespace ghm::http {

struct Peer {
  std::string address;    // "127.0.0.1"
  bool loopback = false;  // the connection came from 127/8 or ::1
  bool tls = false;
  unsigned short local_port = 0;         // the port the request came in on
  std::string certificate = {};          // the name in the certificate that the client showed; empty: it showed none
  std::string certificate_trouble = {};  // why it does not count, one sentence; empty: it counts
};

struct Request {
  std::string method;                             // "GET"
  std::string path;                               // percent-decoded, no query: "/api/v1/gpus"
  std::multimap<std::string, std::string> query;  // percent-decoded
  std::map<std::string, std::string> headers;     // names in lower case; repeated ones joined by ", "
  std::string body;
  Peer peer;

  /// Empty when absent.
  std::string_view header(const std::string& lower_case_name) const;
  std::optional<std::string> param(const std::string& name) const;
};

/// A body without an end (SSE). The server pulls about once a second and when notified, only while the client keeps
/// up: a slow client skips, nothing queues.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// Bytes to send now, may be empty; nullopt ends the response.
  virtual std::optional<std::string> pull() = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view static_headers;  // whole lines "Name: value\r\n…" that live as long as the program
  std::string body;
  std::string_view static_body;                    // used instead of `body` when not empty; lives as long as the program
  std::shared_ptr<const std::string> shared_body;  // used instead of both when set: one answer for many clients
  std::shared_ptr<EventSource> events;             // when set, the body is this stream

  /// The body that is sent; a view into this response.
  std::string_view bytes() const;
};

/// Called exactly once per request, at once or later, from any thread.
using Reply = std::function<void(Response)>;
/// Must not block for long: it runs on the server's event loop. The request stays as it is until its reply was called.
using Handler = std::function<void(const Request&, Reply)>;

/// RFC 9457: {"type":"about:blank","title":…,"status":…,"detail":…,"trace_id":…}.
Response problem(int status, std::string_view detail);
std::string_view reason_phrase(int status);

}  // namespace ghm::http
