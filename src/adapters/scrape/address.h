#pragma once
#include <string>
#include <string_view>

#include "core/result.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

inline constexpr unsigned short kExporterPort = 9400;  // dcgm-exporter's own default

/// "gpu-host-1:9400", "[::1]:9400". A host without a port gets 9400. The error is one sentence that quotes the text; it has
/// no scheme or path, and only characters that host names have (so nothing can be smuggled into a request).
Result<std::string> normalize_address(std::string_view text);

/// Where a request goes.
struct Url {
  bool tls = false;
  std::string host;  // "gpu-host-1", "::1": without brackets
  unsigned short port = 0;
  std::string authority;  // "gpu-host-1:9400", "[::1]:9400": the Host header
  std::string path;       // with the query: "/metrics"
  std::string text;       // as a person writes it; names the place in every sentence
};

/// http:// or https://; no user name in it, no fragment. The port defaults to 80 or 443.
Result<Url> parse_url(std::string_view text);

/// True when `path` can stand in a request line: starts with '/', no blanks or control characters.
bool is_request_path(std::string_view path);

}  // namespace ghm::scrape
