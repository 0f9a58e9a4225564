#include "adapters/scrape/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace ghm::scrape {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035, as text

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_host_char(char c) {
  return is_alnum(c) || c == '.' || c == '-' || c == '_';
}
bool is_v6_char(char c) {
  return is_alnum(c) || c == '.' || c == ':' || c == '%' || c == '-';
}  // '%eth0' is a zone

// "[::1]:9400" falls into host "::1" and rest ":9400"; "h:9400" into "h" and ":9400".
struct Authority {
  std::string_view host, rest;
  bool v6 = false;
};

Authority split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return {text.substr(1), {}, true};
    return {text.substr(1, close - 1), text.substr(close + 1), true};
  }
  const auto colon = text.find(':');
  return {text.substr(0, colon), colon == text.npos ? std::string_view() : text.substr(colon), false};
}

std::optional<unsigned short> read_port(std::string_view text) {
  unsigned short port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out(text.substr(0, kMost));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return "'" + out + (text.size() > kMost ? "…'" : "'");
}

Error wrong(std::string_view text, std::string_view what) {
  return {Errc::invalid_input, fmt::format("target {}: {}", quoted(text), what)};
}

std::string why_wrong_host(const Authority& a) {
  if (a.host.empty()) return "the host is missing: expected HOST:PORT such as gpu-host-1:9400";
  if (a.host.size() > kLongestHost)
    return fmt::format("the host has {} characters, a host name has at most {}", a.host.size(), kLongestHost);
  if (!std::ranges::all_of(a.host, a.v6 ? is_v6_char : is_host_char))
    return "the host has a character that host names do not have: expected HOST:PORT such as gpu-host-1:9400";
  return {};
}

}  // namespace

Result<std::string> normalize_address(std::string_view text) {
  if (text.find("://") != text.npos) return wrong(text, "give HOST:PORT without a scheme; https is set by `scheme: https`");
  if (text.find('/') != text.npos) return wrong(text, "give HOST:PORT without a path; the path is set by `metrics_path`");
  if (!text.starts_with('[') && std::ranges::count(text, ':') > 1)
    return wrong(text, "an IPv6 address is written in brackets, such as [::1]:9400");
  const auto a = split(text);
  if (auto why = why_wrong_host(a); !why.empty()) return wrong(text, why);
  if (text.starts_with('[') && !text.substr(a.host.size() + 1).starts_with(']'))
    return wrong(text, "the closing bracket is missing, as in [::1]:9400");
  const auto host = a.v6 ? fmt::format("[{}]", a.host) : std::string(a.host);
  if (a.rest.empty()) return fmt::format("{}:{}", host, kExporterPort);
  const auto port = a.rest.starts_with(':') ? read_port(a.rest.substr(1)) : std::nullopt;
  if (!port) return wrong(text, "the port is a number from 1 to 65535, as in gpu-host-1:9400");
  return fmt::format("{}:{}", host, *port);
}

bool is_request_path(std::string_view path) {
  return path.starts_with('/') && std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
}

Result<Url> parse_url(std::string_view text) {
  const auto bad = [&](std::string_view what) { return Error{Errc::invalid_input, fmt::format("URL {}: {}", quoted(text), what)}; };
  Url url;
  url.text = text;
  url.tls = text.starts_with("https://");
  if (!url.tls && !text.starts_with("http://")) return bad("expected http:// or https://");
  auto rest = text.substr(url.tls ? 8 : 7);
  const auto slash = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = rest.substr(0, slash);
  url.path = rest.substr(slash).starts_with('/') ? std::string(rest.substr(slash)) : "/" + std::string(rest.substr(slash));
  if (authority.find('@') != authority.npos) return bad("a user name or password does not belong into a URL");
  if (!is_request_path(url.path)) return bad("the path has a blank or a character that must be %-encoded");
  const auto a = split(authority);
  if (auto why = why_wrong_host(a); !why.empty()) return bad("the host is missing or no host name");
  const auto port = a.rest.empty()            ? std::optional<unsigned short>(url.tls ? 443 : 80)
                    : a.rest.starts_with(':') ? read_port(a.rest.substr(1))
                                              : std::nullopt;
  if (!port) return bad("the port is a number from 1 to 65535");
  url.host = a.host;
  url.port = *port;
  url.authority = authority;
  return url;
}

}  // namespace ghm::scrape
