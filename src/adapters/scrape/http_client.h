#pragma once
#include <chrono>
#include <map>
#include <string>

#include "core/result.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

/// One blocking request for the CLI: `ghm read URL`, `ghm status --server`. Redirects are not followed.
/// url: http:// or https://HOST:PORT/PATH; `access` brings the TLS files and credentials (its scheme and path are not used).
/// `headers` are one line each. The error is one sentence that names the URL and what to do; any status is an answer.
Result<HttpAnswer> http_request(const std::string& method, const std::string& url, const telemetry::ScrapeAccess& access,
                                const std::map<std::string, std::string>& headers, const std::string& body,
                                std::chrono::milliseconds timeout, std::size_t max_body = 64u << 20);

}  // namespace ghm::scrape
