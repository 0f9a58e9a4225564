#pragma once
#include <string>
#include <string_view>

#include "core/http.h"

namespace ghm::http {

/// What the connection adds to a response.
struct HeadFacts {
  std::string_view date;   // "Wed, 25 Nov 2026 17:30:40 GMT"
  bool keep_alive = true;  // else "Connection: close"
  bool http_1_0 = false;   // then keeping alive has to be said
};

/// Writes the status line and all headers, with the empty line, over `out`, whose room is used again. Line breaks in
/// header values become spaces: a value can never start a header of its own. O(size).
void write_head(const Response& response, const HeadFacts& facts, std::string& out);

/// A Date header's value for a moment in Unix seconds (RFC 9110, section 5.6.7).
std::string http_date(std::int64_t unix_seconds);

}  // namespace ghm::http
