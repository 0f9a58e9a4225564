#include "domain/views/gpu_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "domain/views/board_facts.h"

namespace ghm::views {
namespace {

constexpr std::string_view kFields[] = {"score", "urgency", "serial", "host", "model", "temperature", "power", "last_seen"};
constexpr std::string_view kBands[] = {"healthy", "watch", "degraded", "critical", "out_of_service", "no_data"};
constexpr std::size_t kMostPerPage = 1000;

// ASCII only: serials, host names and models have no other letters.
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool contains(std::string_view text, std::string_view lower_case_part) {
  return std::search(text.begin(), text.end(), lower_case_part.begin(), lower_case_part.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

bool found_by(const fleet::Board& b, std::string_view part) {
  return part.empty() || contains(b.serial, part) || contains(b.uuid, part) || contains(b.host, part) || contains(b.place.rack, part) ||
         contains(b.model, part);
}

bool is_or_any(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

bool passes(const BoardView& view, const GpuQuery& q, std::string_view part) {
  const auto& b = view.board;
  return is_or_any(q.host, b.host) && is_or_any(q.rack, b.place.rack) && is_or_any(q.datacenter, b.place.datacenter) &&
         is_or_any(q.region, b.place.region) && is_or_any(q.model, b.model) && is_or_any(q.driver, b.driver_version) &&
         (q.batch.empty() || (b.asset && b.asset->batch == q.batch)) && (!q.silent || *q.silent == view.silent) &&
         (q.band.empty() || q.band == band_of(view)) && found_by(b, part);
}

SortKey number_key(std::optional<double> value) {
  return {!value, {}, value.value_or(0), 0};
}
SortKey text_key(std::string_view text, double then = 0) {
  return {text.empty(), text, then, 0};
}

// A critical rule can strike a board that still scores well: it comes before all that are merely worn.
SortKey urgency_key(const BoardView& v) {
  constexpr double kBeforeAnyScore = -1000;
  const auto score = score_of(v);
  const bool acts = v.board.in_service && v.health && v.health->risk == "critical";
  return {!acts && !score, {}, (acts ? kBeforeAnyScore : 0) + score.value_or(0), 0};
}

SortKey value_key(std::string_view field, const BoardView& v) {
  if (field == "score") return number_key(score_of(v));
  if (field == "urgency") return urgency_key(v);
  if (field == "serial") return text_key(v.board.serial);
  if (field == "host") return text_key(v.board.host, v.board.slot);
  if (field == "model") return text_key(v.board.model);
  if (field == "temperature") return number_key(v.temperature);
  if (field == "power") return number_key(v.power);
  return {v.board.last_seen == Timestamp{}, {}, static_cast<double>(to_unix_ms(v.board.last_seen)), 0};
}

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5, without padding: safe in a query string.
std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[held << (6 - bits) & 63];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(digit);
    if ((bits += 6) < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 255);
  }
  return out;
}

// The fixed part of a cursor before decoding: one byte flag, 8 bytes number, 4 bytes id; then sort, NUL, text.
constexpr std::size_t kFixed = 13;

}  // namespace

Result<void> check_query(const GpuQuery& query) {
  if (const auto order = SortOrder::parse(query.sort); !order) return order.error();
  if (query.limit < 1 || query.limit > kMostPerPage)
    return Error{Errc::invalid_input, fmt::format("limit {}: expected 1 to {}", query.limit, kMostPerPage)};
  if (!query.band.empty() && std::ranges::find(kBands, query.band) == std::end(kBands))
    return Error{Errc::invalid_input, fmt::format("band '{}': expected one of {}", query.band, fmt::join(kBands, ", "))};
  if (query.cursor.empty()) return {};
  if (const auto cursor = read_cursor(query.cursor, query.sort); !cursor) return cursor.error();
  return {};
}

Result<SortOrder> SortOrder::parse(std::string_view sort) {
  SortOrder order;
  order.descending_ = sort.starts_with('-');
  order.field_ = sort.substr(order.descending_ ? 1 : 0);
  if (std::ranges::find(kFields, order.field_) == std::end(kFields))
    return Error{Errc::invalid_input,
                 fmt::format("sort '{}': expected one of {}, or one of these after a minus sign", sort, fmt::join(kFields, ", "))};
  return order;
}

SortKey SortOrder::key(const BoardView& board) const {
  auto k = value_key(field_, board);
  k.id = static_cast<std::uint32_t>(board.board.id);
  return k;
}

bool SortOrder::before(const SortKey& a, const SortKey& b) const {
  if (a.missing != b.missing) return b.missing;
  if (a.text != b.text) return (a.text < b.text) != descending_;
  if (a.number != b.number) return (a.number < b.number) != descending_;
  return a.id < b.id;
}

std::vector<std::size_t> matching(const FleetSnapshot& fleet, const GpuQuery& query) {
  std::string part = query.search;
  std::ranges::transform(part, part.begin(), lower);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < fleet.boards.size(); ++i)
    if (passes(fleet.boards[i], query, part)) found.push_back(i);
  return found;
}

std::string write_cursor(std::string_view sort, const SortKey& key) {
  const auto number = std::bit_cast<std::array<char, 8>>(key.number);
  const auto id = std::bit_cast<std::array<char, 4>>(key.id);
  std::string bytes(1, key.missing ? '\1' : '\0');
  bytes.append(number.data(), number.size()).append(id.data(), id.size()).append(sort);
  bytes += '\0';
  return to_base64url(bytes.append(key.text));
}

Result<Cursor> read_cursor(std::string_view cursor, std::string_view sort) {
  const Error bad{Errc::invalid_input, "cursor: expected `next` of the answer before, with the same sort"};
  const auto bytes = from_base64url(cursor);
  const auto head = kFixed + sort.size() + 1;
  if (!bytes || bytes->size() < head || std::string_view(*bytes).substr(kFixed, sort.size()) != sort || (*bytes)[head - 1] != '\0')
    return bad;
  Cursor c;
  c.missing = (*bytes)[0] != '\0';
  std::memcpy(&c.number, bytes->data() + 1, sizeof c.number);
  std::memcpy(&c.id, bytes->data() + 9, sizeof c.id);
  c.text = bytes->substr(head);
  if (!std::isfinite(c.number)) return bad;
  return c;
}

}  // namespace ghm::views
