#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "scenario.h"

namespace ghm::scenarios {
namespace {

const Timestamp kStart = from_unix_ms(1'772'409'600'000);  // 2026-03-02, a Monday

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line.substr(0, line.find('#')));
  for (std::string word; in >> word;) {
    if (word.front() == '"') {  // up to the closing quote
      std::string rest;
      while (word.size() < 2 || word.back() != '"') {
        if (!(in >> rest)) break;
        word += " " + rest;
      }
    }
    words.push_back(std::move(word));
  }
  return words;
}

bool number(std::string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

// "03:04", "03:04:05", "d2 03:04" is written "2d03:04".
Result<Timestamp> time_of(const std::string& text) {
  const Error wrong{Errc::invalid_input, fmt::format("'{}' is no time: expected HH:MM, HH:MM:SS, or with the day in front, 2d03:04", text)};
  std::string_view rest = text;
  int day = 1, parts[3] = {0, 0, 0};
  if (const auto d = rest.find('d'); d != rest.npos) {
    if (!number(rest.substr(0, d), day) || day < 1) return wrong;
    rest.remove_prefix(d + 1);
  }
  int n = 0;
  for (; n < 3; ++n) {
    const auto colon = std::min(rest.find(':'), rest.size());
    if (!number(rest.substr(0, colon), parts[n])) return wrong;
    if (colon == rest.size()) break;
    rest.remove_prefix(colon + 1);
  }
  if (n < 1 || n > 2 || parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return wrong;
  return kStart + std::chrono::days(day - 1) + std::chrono::hours(parts[0]) + std::chrono::minutes(parts[1]) +
         std::chrono::seconds(parts[2]);
}

// "site 8 hosts of 8 gpus racks of 4 feeds of 2 fabric rack driver 570"
Result<void> read_site(const std::vector<std::string>& words, Site& site) {
  const Error wrong{Errc::invalid_input,
                    "expected: site N hosts of N gpus [racks of N hosts] [feeds of N racks] [fabric rack] [driver VERSION]"};
  std::size_t i = 1;
  const auto next = [&]() { return i < words.size() ? words[i++] : std::string(); };
  if (!number(next(), site.hosts) || next() != "hosts" || next() != "of" || !number(next(), site.gpus) || next() != "gpus") return wrong;
  while (i < words.size()) {
    const auto what = next();
    if (what == "racks" && next() == "of" && number(next(), site.rack) && next() == "hosts") continue;
    if (what == "feeds" && next() == "of" && number(next(), site.feed) && next() == "racks") continue;
    if (what == "fabric" && next() == "rack") {
      site.fabric = true;
      continue;
    }
    if (what == "driver") {
      site.driver = next();
      continue;
    }
    return wrong;
  }
  if (site.hosts < 1 || site.hosts > 1000 || site.gpus < 1 || site.gpus > 72 || site.rack < 1) return wrong;
  return {};
}

}  // namespace

Result<Scenario> parse(std::string_view text, std::string_view file) {
  Scenario out;
  out.file = file;
  std::string complaints;
  const auto complain = [&](std::size_t line, const std::string& what) {
    complaints += fmt::format("{}{}:{}: {}", complaints.empty() ? "" : "\n", file, line, what);
  };
  std::istringstream in{std::string(text)};
  std::size_t n = 0;
  for (std::string raw; std::getline(in, raw);) {
    ++n;
    auto words = words_of(raw);
    if (words.empty()) continue;
    if (words[0] == "site") {
      if (!out.lines.empty()) complain(n, "the site must come before what happens there");
      else if (auto done = read_site(words, out.site); !done) complain(n, done.error().what);
      continue;
    }
    const auto at = time_of(words[0]);
    if (!at) {
      complain(n, at.error().what);
      continue;
    }
    if (words.size() < 3) {
      complain(n, "expected what happens where behind the time: h1/0 xid 79, or expect …, or operator …");
      continue;
    }
    Line line{n, raw, *at, Line::Kind::happens, {words.begin() + 1, words.end()}};
    if (words[1] == "expect") line.kind = Line::Kind::expect;
    if (words[1] == "operator") line.kind = Line::Kind::operator_says;
    if (!out.lines.empty() && *at < out.lines.back().at)
      complain(n, fmt::format("{} is before the line above: a story goes forward", words[0]));
    out.lines.push_back(std::move(line));
  }
  if (out.lines.empty() && complaints.empty()) complain(1, "nothing happens in this file");
  if (!complaints.empty()) return Error{Errc::invalid_input, complaints};
  return out;
}

}  // namespace ghm::scenarios
