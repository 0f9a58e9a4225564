#include "api/params.h"

#include <fmt/format.h>

#include <charconv>

namespace ghm::api {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find(separator, from), text.size());
    if (to > from) parts.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

// What a person typed, short enough for a sentence.
std::string_view shown(std::string_view text) {
  return text.substr(0, 80);
}

}  // namespace

Result<void> check_params(const http::Request& request, std::string_view known) {
  if (request.query.empty()) return {};
  const auto names = split(known, ' ');
  for (auto it = request.query.begin(); it != request.query.end(); ++it) {
    const auto& name = it->first;
    if (std::find(names.begin(), names.end(), name) == names.end())
      return Error{Errc::invalid_input,
                   names.empty()
                       ? fmt::format("query parameter '{}' is not known: {} takes none", shown(name), request.path)
                       : fmt::format("query parameter '{}' is not known: {} takes {}", shown(name), request.path, fmt::join(names, ", "))};
    if (const auto after = std::next(it); after != request.query.end() && after->first == name)
      return Error{Errc::invalid_input, fmt::format("query parameter '{}' is given twice: give it once", name)};
  }
  return {};
}

Result<std::size_t> number_param(const http::Request& request, const std::string& name, std::size_t otherwise, std::size_t least,
                                 std::size_t most) {
  const auto text = request.param(name);
  if (!text) return otherwise;
  std::size_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, value);
  if (text->empty() || failed != std::errc() || stop != end || value < least || value > most)
    return Error{Errc::invalid_input, fmt::format("{}: '{}': expected a number from {} to {}", name, shown(*text), least, most)};
  return value;
}

Result<std::optional<bool>> bool_param(const http::Request& request, const std::string& name) {
  const auto text = request.param(name);
  if (!text) return std::optional<bool>();
  if (*text == "true") return std::optional(true);
  if (*text == "false") return std::optional(false);
  return Error{Errc::invalid_input, fmt::format("{}: '{}': expected true or false", name, shown(*text))};
}

std::vector<std::string> split_list(std::string_view text) {
  return split(text, ',');
}

Result<Timestamp> time_param(const http::Request& request, const std::string& name, Timestamp otherwise) {
  const auto text = request.param(name);
  if (!text) return otherwise;
  auto time = parse_time(*text);
  if (time) return time;
  return Error{Errc::invalid_input,
               fmt::format("{}: '{}': expected a time such as 2026-02-09T19:00:00Z, or Unix seconds", name, text->substr(0, 80))};
}

Result<TimeRange> range_param(const http::Request& request, Timestamp now, std::chrono::milliseconds otherwise, std::chrono::days longest) {
  const auto bad = [](std::string what) { return Error{Errc::invalid_input, std::move(what)}; };
  const auto end = time_param(request, "end", now);
  if (!end) return end.error();
  const auto start = time_param(request, "start", *end - otherwise);
  if (!start) return start.error();
  if (*start >= *end) return bad(fmt::format("start: {} is not before end: {}", format_rfc3339(*start), format_rfc3339(*end)));
  if (*end - *start > longest) return bad(fmt::format("start, end: the range is over {} days: ask for less", longest.count()));
  return TimeRange{*start, *end};
}

}  // namespace ghm::api
