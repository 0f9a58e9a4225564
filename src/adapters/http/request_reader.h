#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/http.h"

namespace ghm::http {

/// Splits "/a%20b?c=d&e" into the decoded path and query of `out`. Absolute form ("http://host/a") and "*" are fine.
/// False for a target that cannot be decoded: bad %xx, a control character in the path, no leading slash.
bool parse_target(std::string_view target, Request& out);

/// The bytes of one connection to requests, one after the other. Parsing is Beast's; this keeps what it finds.
class RequestReader {
 public:
  struct Limits {
    std::size_t header = 16u << 10;
    std::size_t body = 16u << 20;
  };
  enum class State { need_more, wants_continue, done, refused };

  explicit RequestReader(Limits limits);
  ~RequestReader();

  /// Takes what it can of `bytes` and says in `used` how many; the rest comes again, longer, with the next call (a head is
  /// parsed in one piece). wants_continue: the client waits for 100 before it sends the body. Not after done or refused.
  State read(std::string_view bytes, std::size_t& used);

  /// Something of a request has come, and not all of it.
  bool begun() const;
  /// After done: it stays until reset().
  Request& request();
  /// After done: may another request follow on this connection.
  bool keep_alive() const;
  /// HTTP/1.0 clients keep a connection only when told so.
  bool http_1_0() const;
  /// After refused: what to answer before closing.
  Response refusal() const;
  void reset();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace ghm::http
