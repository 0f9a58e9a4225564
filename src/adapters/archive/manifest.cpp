#include "adapters/archive/manifest.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace ghm::archive {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kLongestInterval = 366 * 86400.0;

/// Reads members one by one and remembers the first complaint.
class Members {
 public:
  Members(const Json& in, std::string_view file) : in_(in), file_(file) {}

  std::string text(const char* key) {
    const auto it = in_.find(key);
    if (it == in_.end() || it->is_null()) return {};
    if (it->is_string()) return it->get<std::string>();
    complain(key, "expected a text");
    return {};
  }
  bool flag(const char* key) {
    const auto it = in_.find(key);
    if (it == in_.end() || it->is_null()) return false;
    if (it->is_boolean()) return it->get<bool>();
    complain(key, "expected true or false");
    return false;
  }
  double number(const char* key) {
    const auto it = in_.find(key);
    if (it == in_.end()) complain(key, "is missing");
    else if (it->is_number()) return it->get<double>();
    else complain(key, "expected a number");
    return 0;
  }
  Timestamp time(const char* key) {
    const auto it = in_.find(key);
    if (it == in_.end()) complain(key, "is missing");
    else if (const auto t = parse_time(it->is_string() ? it->get<std::string>() : it->dump())) return *t;
    else complain(key, "expected a time such as 2026-02-09T19:00:00Z");
    return {};
  }
  void complain(const char* key, std::string_view what) {
    if (error.what.empty()) error = {Errc::invalid_input, fmt::format("{}: {}: {}", file_, key, what)};
  }

  Error error{Errc::invalid_input, {}};

 private:
  const Json& in_;
  std::string_view file_;
};

}  // namespace

Result<Manifest> parse_manifest(std::string_view json, std::string_view file) {
  const Json in = Json::parse(json, nullptr, false);
  if (!in.is_object()) return Error{Errc::invalid_input, fmt::format("{}: is not a JSON object", file)};
  Members read(in, file);
  if (const auto format = read.text("format"); format != "fleet-archive") read.complain("format", "expected \"fleet-archive\"");
  if (read.number("version") != 1) read.complain("version", "expected 1; a newer ghm may read it");
  Manifest m;
  m.start = read.time("start");
  m.end = read.time("end");
  const double seconds = read.number("interval_s");
  if (!(seconds >= 0 && seconds <= kLongestInterval)) read.complain("interval_s", "expected seconds, 0 for no telemetry");
  if (m.end < m.start) read.complain("end", "lies before start");
  m.name = read.text("name");
  m.generator = read.text("generator");
  m.timezone = read.text("timezone");
  m.notes = read.text("notes");
  m.simulated = read.flag("simulated");
  if (!read.error.what.empty()) return read.error;
  m.interval = std::chrono::milliseconds(std::llround(seconds * 1000));
  return m;
}

std::string format_manifest(const Manifest& m) {
  Json out{{"format", "fleet-archive"}, {"version", 1}, {"start", format_rfc3339(m.start)}, {"end", format_rfc3339(m.end)}};
  if (m.interval % std::chrono::seconds(1) == std::chrono::milliseconds(0)) out["interval_s"] = m.interval.count() / 1000;
  else out["interval_s"] = static_cast<double>(m.interval.count()) / 1000;
  const std::pair<const char*, const std::string*> texts[] = {
      {"name", &m.name}, {"generator", &m.generator}, {"timezone", &m.timezone}, {"notes", &m.notes}};
  for (const auto& [key, text] : texts)
    if (!text->empty()) out[key] = *text;
  out["simulated"] = m.simulated;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ghm::archive
