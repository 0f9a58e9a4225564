#include "adapters/dcgm_exporter/naive_line.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace ghm::dcgm_exporter {
namespace {

constexpr const char* kBlanks = " \t\r";

std::string trim(const std::string& s) {
  const auto from = s.find_first_not_of(kBlanks);
  if (from == std::string::npos) return "";
  return s.substr(from, s.find_last_not_of(kBlanks) - from + 1);
}

std::string lower(std::string s) {
  for (auto& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// strtod reads more than Go does: a signed NaN, NaN with a payload, hexadecimal without an exponent, leading space.
bool is_go_float(const std::string& s) {
  const auto l = lower(s);
  if (l.find("nan") != std::string::npos) return l == "nan";
  const bool hex = l.find('x') != std::string::npos;
  return hex == (l.find('p') != std::string::npos);
}

bool to_double(const std::string& s, double& out) {
  if (s.empty() || std::isspace(static_cast<unsigned char>(s[0])) || !is_go_float(s)) return false;
  char* end = nullptr;
  out = std::strtod(s.c_str(), &end);
  return end == s.c_str() + s.size();
}

bool to_stamp(const std::string& s, std::int64_t& out) {
  if (s.empty() || !(std::isdigit(static_cast<unsigned char>(s[0])) || (s[0] == '-' && s.size() > 1))) return false;
  if (s.find_first_not_of("0123456789", 1) != std::string::npos) return false;
  errno = 0;
  out = std::strtoll(s.c_str(), nullptr, 10);
  return errno == 0;
}

bool name_char(char c, bool first) {
  const auto u = static_cast<unsigned char>(c);
  return (u < 128 && std::isalpha(u)) || c == '_' || c == ':' || (!first && u < 128 && std::isdigit(u));
}

std::string read_name(const std::string& s, std::size_t& at) {
  std::string name;
  while (at < s.size() && name_char(s[at], name.empty())) name += s[at++];
  return name;
}

void skip(const std::string& s, std::size_t& at) {
  at = std::min(s.find_first_not_of(kBlanks, at), s.size());
}

bool read_char(const std::string& s, std::size_t& at, char c) {
  skip(s, at);
  if (at >= s.size() || s[at] != c) return false;
  ++at;
  return true;
}

bool read_quoted(const std::string& s, std::size_t& at, std::string& out) {
  if (!read_char(s, at, '"')) return false;
  while (at < s.size() && s[at] != '"') {
    if (s[at] == '\\') {
      if (++at == s.size()) return false;
      if (s[at] == 'n') out += '\n';
      else if (s[at] == '"' || s[at] == '\\') out += s[at];
      else out += std::string("\\") + s[at];
      ++at;
    } else {
      out += s[at++];
    }
  }
  return at++ < s.size();
}

bool read_labels(const std::string& s, std::size_t at, std::map<std::string, std::string>& labels) {
  skip(s, at);
  if (at == s.size()) return true;
  if (!read_char(s, at, '{')) return false;
  while (!read_char(s, at, '}')) {
    skip(s, at);
    const auto name = read_name(s, at);
    std::string value;
    if (name.empty() || !read_char(s, at, '=') || !read_quoted(s, at, value)) return false;
    labels.emplace(name, value);
    if (read_char(s, at, ',')) continue;
    if (!read_char(s, at, '}')) return false;
    break;
  }
  return at == s.size();
}

void read_value(NaiveLine& line) {
  const auto space = line.rest.find_first_of(kBlanks);
  line.is_number = to_double(line.rest.substr(0, space), line.value);
  if (space == std::string::npos) return;
  line.has_stamp = to_stamp(trim(line.rest.substr(space)), line.stamp);
  line.is_number = line.is_number && line.has_stamp;
}

}  // namespace

std::vector<std::string> naive_lines(std::string_view page) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < page.size();) {
    const auto end = std::min(page.find('\n', at), page.size());
    if (auto text = trim(std::string(page.substr(at, end - at))); !text.empty()) lines.push_back(std::move(text));
    at = end + 1;
  }
  return lines;
}

NaiveLine parse_naive_line(const std::string& text) {
  NaiveLine line;
  line.text = text;
  auto cut = text.rfind('}');
  if (cut != std::string::npos) ++cut;
  else if (text.find('{') == std::string::npos) cut = text.find_first_of(kBlanks);
  const auto prefix = text.substr(0, cut);
  if (cut < text.size()) line.rest = trim(text.substr(cut));
  std::size_t at = 0;
  line.name = read_name(prefix, at);
  line.whole = !line.name.empty() && read_labels(prefix, at, line.labels);
  read_value(line);
  return line;
}

}  // namespace ghm::dcgm_exporter
