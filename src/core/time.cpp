#include "core/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace ghm {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  milliseconds span;
};
// Longest first, so that format_duration takes the largest unit; "ms" is tried before "m" by length of match.
constexpr std::array kUnits = {Unit{"y", 24h * 365}, Unit{"w", 24h * 7}, Unit{"d", 24h}, Unit{"h", 1h},
                               Unit{"m", 1min},      Unit{"s", 1s},      Unit{"ms", 1ms}};

bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits || out < 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, milliseconds& out) {
  out = 0ms;
  if (!take_char(text, ".")) return true;
  double value = 0, scale = 0.1;
  std::size_t n = 0;
  for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n, scale /= 10) value += (text[n] - '0') * scale;
  text.remove_prefix(n);
  out = milliseconds(static_cast<std::int64_t>(value * 1000 + 1e-6));
  return n > 0;
}

bool take_offset(std::string_view& text, std::chrono::minutes& out) {
  out = 0min;
  if (take_char(text, "Zz")) return true;
  const bool west = !text.empty() && text.front() == '-';
  int hours = 0, minutes = 0;
  if (!take_char(text, "+-") || !take_number(text, 2, hours)) return false;
  take_char(text, ":");
  if (!take_number(text, 2, minutes) || hours > 23 || minutes > 59) return false;
  out = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  if (west) out = -out;
  return true;
}

std::optional<Timestamp> read_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  milliseconds fraction{};
  std::chrono::minutes offset{};
  const bool fits = take_number(text, 4, year) && take_char(text, "-") && take_number(text, 2, month) && take_char(text, "-") &&
                    take_number(text, 2, day) && take_char(text, "Tt ") && take_number(text, 2, hour) && take_char(text, ":") &&
                    take_number(text, 2, minute) && take_char(text, ":") && take_number(text, 2, second) && take_fraction(text, fraction) &&
                    take_offset(text, offset) && text.empty();
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!fits || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return Timestamp(sys_days(date) + hours(hour) + minutes(minute) + seconds(std::min(second, 59)) + fraction - offset);
}

std::optional<Timestamp> read_unix_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(std::abs(seconds) < 1e11)) return std::nullopt;
  return from_unix_ms(std::llround(seconds * 1000));
}

}  // namespace

std::string format_rfc3339(Timestamp t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{t - day};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
  if (const auto ms = time.subseconds().count(); ms != 0) text += fmt::format(".{:03}", ms);
  return text + "Z";
}

Result<Timestamp> parse_time(std::string_view text) {
  if (const auto t = read_rfc3339(text)) return *t;
  if (const auto t = read_unix_seconds(text)) return *t;
  return Error{Errc::invalid_input, fmt::format("time '{}': expected RFC 3339 such as 2026-02-09T19:00:00Z, or Unix seconds", text)};
}

Result<milliseconds> parse_duration(std::string_view text) {
  const Error bad{Errc::invalid_input, fmt::format("duration '{}': expected a form such as 500ms, 10s, 5m, 1h30m or 7d", text)};
  if (text == "0") return 0ms;
  if (text.empty()) return bad;
  milliseconds total{}, smallest = milliseconds::max();
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || count < 0 || count > 1'000'000'000) return bad;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* best = nullptr;
    for (const Unit& unit : kUnits)
      if (text.starts_with(unit.name) && (!best || unit.name.size() > best->name.size())) best = &unit;
    if (!best || best->span >= smallest) return bad;  // the largest first, each once
    smallest = best->span;
    text.remove_prefix(best->name.size());
    total += count * best->span;
  }
  return total;
}

std::string format_duration(milliseconds d) {
  if (d <= 0ms) return "0";
  std::string text;
  for (const Unit& unit : kUnits) {
    // Weeks and years read badly in operators' tables: "100d" beats "14w2d".
    if (unit.name == "y" || unit.name == "w") continue;
    if (const auto count = d / unit.span; count > 0) {
      text += fmt::format("{}{}", count, unit.name);
      d -= count * unit.span;
    }
  }
  return text;
}

Timestamp SystemClock::now() const {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

bool SystemClock::sleep_until(Timestamp t, std::stop_token stop) {
  std::mutex guards_only_the_wait;
  std::condition_variable_any wake;
  std::unique_lock lock(guards_only_the_wait);
  // By the steady clock: were the wall clock set back an hour meanwhile, a tenth of a second would take an hour.
  wake.wait_for(lock, stop, t - now(), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace ghm
