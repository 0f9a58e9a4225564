#include "adapters/scrape/http_client.h"

#include <fmt/format.h>

#include "adapters/scrape/connection.h"

namespace ghm::scrape {
namespace {

bool is_field(std::string_view text) {
  return text.find_first_of("\r\n") == text.npos && text.find('\0') == text.npos;
}

Result<std::string> header_lines(const std::map<std::string, std::string>& headers) {
  std::string lines;
  for (const auto& [name, value] : headers) {
    if (!is_field(name) || !is_field(value)) return Error{Errc::invalid_input, fmt::format("the header {} must be one line", name)};
    lines += fmt::format("{}: {}\r\n", name, value);
  }
  return lines;
}

HttpAnswer copy_of(const Answer& a) {
  HttpAnswer copy{a.status, {}, std::string(a.body)};
  for (const auto& [name, value] : a.headers) copy.headers[name] = value;
  return copy;
}

}  // namespace

Result<HttpAnswer> http_request(const std::string& method, const std::string& url, const telemetry::ScrapeAccess& access,
                                const std::map<std::string, std::string>& headers, const std::string& body,
                                std::chrono::milliseconds timeout, std::size_t max_body) {
  auto place = parse_url(url);
  if (!place) return place.error();
  const auto lines = header_lines(headers);
  if (!lines) return lines.error();
  boost::asio::io_context io(1);
  auto resources = std::make_shared<Resources>(io);
  auto connection = std::make_shared<Connection>(io, resources, std::move(*place), std::make_shared<telemetry::ScrapeAccess>(access));
  Question q;
  q.method = method;
  q.headers = *lines;
  q.body = body;
  q.limits = {max_body, max_body};
  q.within = timeout;
  q.deadline = std::chrono::steady_clock::now() + timeout;
  Result<HttpAnswer> result = Error{Errc::unavailable, url + ": no answer"};
  connection->ask(q, [&](const Answer& a) {
    if (a.error.empty()) result = copy_of(a);
    else result = Error{Errc::unavailable, a.error};
  });
  io.run();
  connection->close();
  resources->names.stop();
  return result;
}

}  // namespace ghm::scrape
