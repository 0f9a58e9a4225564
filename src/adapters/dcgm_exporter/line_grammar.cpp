#include "adapters/dcgm_exporter/line_grammar.h"

#include <algorithm>
#include <charconv>

#include "core/decimal.h"

namespace ghm::dcgm_exporter {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_name_char(char c) {
  return is_name_start(c) || is_digit(c);
}

/// Walks over a prefix; every step says whether the text was as expected.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view take_name() {
    skip_blanks();
    const auto from = at_;
    if (!at_end() && is_name_start(text_[at_]))
      while (!at_end() && is_name_char(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  bool take_quoted(std::string& out) {
    if (!take('"')) return false;
    for (;;) {
      const auto stop = next_quote_or_backslash();
      if (stop == text_.size()) return false;
      out.append(text_, at_, stop - at_);
      at_ = stop + 1;
      if (text_[stop] == '"') return true;
      if (!take_escaped(out)) return false;
    }
  }

 private:
  // Only \n, \" and \\ are escapes; exporters print label values raw, so any other backslash is one of the value's own.
  bool take_escaped(std::string& out) {
    if (at_end()) return false;
    const char c = text_[at_++];
    if (c == 'n') out += '\n';
    else if (c == '"' || c == '\\') out += c;
    else (out += '\\') += c;
    return true;
  }

  std::size_t next_quote_or_backslash() const {
    auto at = at_;
    while (at < text_.size() && text_[at] != '"' && text_[at] != '\\') ++at;
    return at;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool take_label(Cursor& in, std::vector<Label>& labels) {
  Label label;
  label.name = in.take_name();
  if (label.name.empty() || !in.take('=') || !in.take_quoted(label.value)) return false;
  const bool repeated = std::ranges::any_of(labels, [&](const Label& l) { return l.name == label.name; });
  if (!repeated) labels.push_back(std::move(label));
  return true;
}

bool take_labels(Cursor& in, std::vector<Label>& labels) {
  if (in.at_end()) return true;  // a metric without labels
  if (!in.take('{')) return false;
  while (!in.take('}')) {
    if (!take_label(in, labels)) return false;
    if (in.take(',')) continue;
    if (!in.take('}')) return false;
    break;
  }
  return in.at_end();
}

std::optional<Timestamp> parse_stamp(std::string_view text) {
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return from_unix_ms(ms);
}

std::size_t token_length(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if(text, is_blank) - text.begin());
}

}  // namespace

LineParts split_line(std::string_view line) {
  const auto brace = line.rfind('}');
  if (brace == line.npos && line.find('{') != line.npos) return {line, line.substr(line.size())};  // cut off inside its labels
  const auto length = brace == line.npos ? token_length(line) : brace + 1;
  return {line.substr(0, length), trimmed(line.substr(length))};
}

ParsedPrefix parse_prefix(std::string_view prefix) {
  ParsedPrefix out;
  Cursor in(prefix);
  out.name = in.take_name();
  out.whole = !out.name.empty() && take_labels(in, out.labels);
  return out;
}

ValueText parse_rest(std::string_view rest) {
  const auto token = rest.substr(0, token_length(rest));
  ValueText out{parse_float(token), std::nullopt};
  if (token.size() == rest.size()) return out;
  out.at = parse_stamp(trimmed(rest.substr(token.size())));
  if (!out.at) out.number.reset();
  return out;
}

telemetry::Reason why_no_number(std::string_view rest) {
  constexpr std::string_view kBlanks[] = {"<<<NULL>>>", "<<<NOT_FOUND>>>", "<<<NOT_SUPPORTED>>>", "<<<NOT_PERM>>>",
                                          "<<<NOT_PERMISSIONED>>>"};
  if (std::ranges::find(kBlanks, rest) != std::end(kBlanks)) return telemetry::Reason::sentinel;
  if (rest.find("FAILED TO CONVERT") != rest.npos) return telemetry::Reason::conversion_error;
  return telemetry::Reason::unparsable;
}

HelpLine parse_help(std::string_view comment) {
  if (!comment.starts_with('#')) return {};
  auto text = trimmed(comment.substr(1));
  if (!text.starts_with("HELP") || text.size() < 6 || !is_blank(text[4])) return {};
  text = trimmed(text.substr(4));
  const auto length = token_length(text);
  return {text.substr(0, length), trimmed(text.substr(length))};
}

}  // namespace ghm::dcgm_exporter
