#include "adapters/scrape/http_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <algorithm>
#include <cctype>

namespace ghm::scrape {
namespace {

namespace beast = boost::beast;
using boost::asio::ip::tcp;

struct Url {
  std::string host, port, path;
};

Result<Url> parse_url(const std::string& url) {
  constexpr std::string_view kHttp = "http://";
  if (!url.starts_with(kHttp)) return Error{Errc::invalid_input, fmt::format("{}: expected an address that starts with http://", url)};
  const auto rest = url.substr(kHttp.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  Url out{has_port ? authority.substr(0, colon) : authority, has_port ? authority.substr(colon + 1) : "80", slash == rest.size() ? "/" : rest.substr(slash)};
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.empty() || out.port.empty()) return Error{Errc::invalid_input, fmt::format("{}: expected http://HOST:PORT/PATH", url)};
  return out;
}

/// Runs `start`'s one asynchronous step to its end; the stream's own time-out ends it at the latest.
template <class Start>
beast::error_code wait(boost::asio::io_context& io, Start start) {
  beast::error_code result = boost::asio::error::would_block;
  start([&](const beast::error_code& error, auto&&...) { result = error; });
  io.restart();
  io.run();
  return result;
}

Error unreachable(const std::string& url, const beast::error_code& error) {
  const auto why = error == beast::error::timeout ? std::string("it took too long") : error.message();
  return Error{Errc::unavailable, fmt::format("{} cannot be read ({}): is it running, and is the address right?", url, why)};
}

}  // namespace

Result<HttpAnswer> http_request(const std::string& method, const std::string& url, const telemetry::ScrapeAccess& access,
                                const std::map<std::string, std::string>& headers, const std::string& body, std::chrono::milliseconds timeout, std::size_t max_body) {
  if (!(access == telemetry::ScrapeAccess{})) return Error{Errc::invalid_input, url + ": TLS and authorization are not supported yet: use plain http"};
  const auto target = parse_url(url);
  if (!target) return target.error();
  boost::asio::io_context io;
  beast::error_code error;
  const auto endpoints = tcp::resolver(io).resolve(target->host, target->port, error);
  if (error) return unreachable(url, error);
  beast::tcp_stream stream(io);
  stream.expires_after(timeout);
  if (error = wait(io, [&](auto done) { stream.async_connect(endpoints, done); }); error) return unreachable(url, error);

  beast::http::request<beast::http::string_body> request(beast::http::string_to_verb(method), target->path, 11);
  request.set(beast::http::field::host, target->host + ":" + target->port);
  request.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  if (error = wait(io, [&](auto done) { beast::http::async_write(stream, request, done); }); error) return unreachable(url, error);

  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(max_body);
  if (error = wait(io, [&](auto done) { beast::http::async_read(stream, buffer, parser, done); }); error) return unreachable(url, error);
  HttpAnswer answer{static_cast<int>(parser.get().result_int()), {}, std::move(parser.get().body())};
  for (const auto& field : parser.get()) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers.emplace(std::move(name), std::string(field.value()));
  }
  return answer;
}

}  // namespace ghm::scrape
