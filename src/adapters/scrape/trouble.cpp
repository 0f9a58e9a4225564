#include "adapters/scrape/trouble.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <cerrno>

#include "core/time.h"

namespace ghm::scrape {
namespace {

std::string too_many_files(const Url& url) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return fmt::format("{}: too many open files (limit {}): raise it with LimitNOFILE= in the service file or `ulimit -n`", url.text,
                     limit.rlim_cur);
}

// The resolver does not say that it had no file left to ask with, so this asks for one itself.
bool files_are_left() {
  const int probe = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (probe < 0) return errno != EMFILE && errno != ENFILE;
  ::close(probe);
  return true;
}

// The first line of an error's body for people: printable, of a bounded length.
std::string first_line(std::string_view body) {
  constexpr std::size_t kMost = 200;
  const auto start = body.find_first_not_of(" \r\n\t");
  if (start == body.npos) return {};
  body.remove_prefix(start);
  std::string line(body.substr(0, std::min(body.find_first_of("\r\n"), kMost)));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return line;
}

std::string advice(int status) {
  if (status == 401 || status == 403) return "check basic_auth or authorization of this target group";
  if (status == 404) return "check metrics_path";
  if (status == 400) return "check scheme and metrics_path";
  if (status >= 500) return "look into the exporter's log; a dead GPU can do this to dcgm-exporter";
  return "expected 200 with the page";
}

}  // namespace

std::string size_text(std::size_t bytes) {
  constexpr std::size_t kMiB = 1u << 20;
  return bytes >= kMiB && bytes % kMiB == 0 ? fmt::format("{} MiB", bytes / kMiB) : fmt::format("{} bytes", bytes);
}

std::string socket_trouble(const Url& url, const boost::system::error_code& ec) {
  switch (ec.value()) {
    case EMFILE:
    case ENFILE: return too_many_files(url);
    case ECONNREFUSED: return fmt::format("{}: connection refused: start the exporter or server there, or mend the port", url.text);
    case EHOSTUNREACH:
    case ENETUNREACH: return fmt::format("{}: the host cannot be reached ({}): check its power, address and route", url.text, ec.message());
    case ETIMEDOUT: return fmt::format("{}: the host does not answer: check its power and the firewall", url.text);
    default: return fmt::format("{}: no connection ({}): check the address", url.text, ec.message());
  }
}

std::string name_trouble(const Url& url, std::string_view resolver_says) {
  if (!files_are_left()) return too_many_files(url);
  return fmt::format("{}: the name '{}' has no address ({}): mend the name or the DNS", url.text, url.host, resolver_says);
}

std::string broken_trouble(const Url& url, const boost::system::error_code& ec, std::size_t received) {
  return fmt::format("{}: the connection broke after {} bytes of the answer ({}): look into the log of the program there", url.text,
                     received, ec.message());
}

std::string late_trouble(const Url& url, Stage stage, std::chrono::milliseconds within, std::size_t received) {
  const auto time = format_duration(within);
  if (stage == Stage::finding) return fmt::format("{}: the name '{}' was not resolved within {}: check the DNS", url.text, url.host, time);
  if (stage == Stage::connecting)
    return fmt::format("{}: no connection within {}: check the host's power and the firewall", url.text, time);
  if (stage == Stage::handshaking) return fmt::format("{}: no TLS handshake within {}: check that this port speaks TLS", url.text, time);
  if (received == 0) return fmt::format("{}: connected, but no answer within {}: the program there hangs, restart it", url.text, time);
  return fmt::format(
      "{}: the answer was not complete within {} ({} bytes came): look for a slow exporter or network, or raise the time-out", url.text,
      time, received);
}

std::string answer_trouble(const Url& url, const AnswerReader& answer, std::size_t limit) {
  switch (answer.state()) {
    case AnswerReader::State::not_http:
      return fmt::format("{}: the answer is not HTTP: mend the port, or set scheme to https if it speaks TLS", url.text);
    case AnswerReader::State::long_head:
      return fmt::format("{}: the answer's head is over {} bytes: check that this is an exporter", url.text, AnswerReader::kMostHead);
    case AnswerReader::State::bad_chunks:
      return fmt::format("{}: the answer's chunks are broken: look at the exporter or the proxy in between", url.text);
    case AnswerReader::State::too_long:
      return fmt::format("{}: the answer is over {}: check that address and path name an exporter", url.text, size_text(limit));
    default: break;
  }
  if (answer.raw_bytes() == 0)
    return fmt::format("{}: the connection was closed without an answer: look into the log of the program there", url.text);
  const auto length = answer.body_length();
  return fmt::format("{}: the answer was cut off after {}{} bytes: look at the exporter or the proxy in between", url.text,
                     answer.body().size(), length ? fmt::format(" of {}", *length) : std::string());
}

std::string gzip_trouble(const Url& url, bool too_long, std::size_t limit) {
  if (too_long)
    return fmt::format("{}: the answer is over {} when inflated: check that address and path name an exporter", url.text, size_text(limit));
  return fmt::format("{}: the answer is broken gzip: look at the exporter or the proxy in between", url.text);
}

std::string status_trouble(const Url& url, int status, std::string_view body, std::string_view location) {
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  const auto said = fmt::format("{}: answered {} {}", url.text, status, std::string_view(reason.data(), reason.size()));
  if (status >= 300 && status < 400 && !location.empty())
    return fmt::format("{} to {}: redirects are not followed, so name the final address in the target", said, first_line(location));
  const auto line = first_line(body);
  if (line.empty()) return fmt::format("{}: {}", said, advice(status));
  return fmt::format("{} ('{}'): {}", said, line, advice(status));
}

std::string page_trouble(const Url& url, std::string_view page) {
  constexpr std::size_t kLook = 1024;  // a damaged line further down is the page reader's business
  const auto start = page.substr(0, kLook);
  const auto binary = [](unsigned char c) { return c < 0x20 && c != '\n' && c != '\r' && c != '\t'; };
  if (std::ranges::any_of(start, binary))
    return fmt::format("{}: the answer is binary, not an exporter's page: check the port and metrics_path", url.text);
  const auto first = start.find_first_not_of(" \r\n\t");
  if (first == start.npos || start[first] != '<') return {};
  return fmt::format("{}: the answer is HTML, not an exporter's page: check the port and metrics_path", url.text);
}

}  // namespace ghm::scrape
