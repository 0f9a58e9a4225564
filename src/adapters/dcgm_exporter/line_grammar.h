#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/page.h"

/// The text exposition format, one line at a time. All paths agree on these cuts:
/// a sample's prefix runs to the last '}' (without one to the first blank, or, where labels were opened, to the end); what
/// follows is the value and, from proxies, a time stamp. A number never holds a '}', so the last one ends the labels even
/// where a label value holds any.
namespace ghm::dcgm_exporter {

inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Without blanks and carriage returns at both ends.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `f` with each line, trimmed and not empty; false from `f` ends it. Returns whether all lines were seen.
template <class F>
bool for_each_line(std::string_view page, F&& f) {
  const char* p = page.data();
  const char* const end = p + page.size();
  while (p != end) {
    const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    const char* const stop = newline ? newline : end;
    const auto line = trimmed({p, static_cast<std::size_t>(stop - p)});
    p = newline ? newline + 1 : end;
    if (!line.empty() && !f(line)) return false;
  }
  return true;
}

struct LineParts {
  std::string_view prefix;  // name{labels}
  std::string_view rest;    // value, perhaps a time stamp, or any other text
};
/// `line` is trimmed, not empty and no comment. O(length of rest) for a line with labels.
LineParts split_line(std::string_view line);

struct Label {
  std::string_view name;
  std::string value;  // escapes undone
};
struct ParsedPrefix {
  std::string_view name;      // empty when the line does not start with a metric's name
  std::vector<Label> labels;  // up to the fault, when there is one
  bool whole = true;          // false: a strict parser would reject the line (a quote inside a label value, a cut line)
};
/// Blanks around commas and braces (old builds) and a trailing comma are read. Of a repeated label the first counts.
ParsedPrefix parse_prefix(std::string_view prefix);

/// What stands after the prefix.
struct ValueText {
  std::optional<double> number;  // none: no number, or more text than a number and a time stamp
  std::optional<Timestamp> at;
};
ValueText parse_rest(std::string_view rest);

/// Why a value text that is no number is refused: DCGM's blank strings, its text for what it cannot print, or unparsable.
telemetry::Reason why_no_number(std::string_view rest);

/// `HELP` lines name a family and say its unit in prose. Empty name: the comment is something else.
struct HelpLine {
  std::string_view name, text;
};
HelpLine parse_help(std::string_view comment);

}  // namespace ghm::dcgm_exporter
