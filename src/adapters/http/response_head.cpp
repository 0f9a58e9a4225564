#include "adapters/http/response_head.h"

#include <fmt/format.h>

#include <ctime>
#include <iterator>

namespace ghm::http {
namespace {

void append_safely(std::string& out, std::string_view text) {
  if (text.find_first_of("\r\n") == text.npos) {
    out += text;
    return;
  }
  for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_safely(out, name);
  out += ": ";
  append_safely(out, value);
  out += "\r\n";
}

bool without_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

void write_head(const Response& r, const HeadFacts& facts, std::string& out) {
  out.clear();
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", r.status, reason_phrase(r.status), facts.date);
  if (!without_body(r.status)) {
    append_header(out, "Content-Type", r.content_type);
    if (!r.events) fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", r.bytes().size());
  }
  if (!facts.keep_alive) out += "Connection: close\r\n";
  else if (facts.http_1_0) out += "Connection: keep-alive\r\n";
  out += r.static_headers;
  for (const auto& [name, value] : r.headers) append_header(out, name, value);
  out += "\r\n";
}

std::string http_date(std::int64_t unix_seconds) {
  // Not strftime: its names follow the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t t = unix_seconds;
  std::tm tm{};
  gmtime_r(&t, &tm);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[tm.tm_wday], tm.tm_mday, kMonths[tm.tm_mon], tm.tm_year + 1900,
                     tm.tm_hour, tm.tm_min, tm.tm_sec);
}

}  // namespace ghm::http
