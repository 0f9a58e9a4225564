// One byte per board, so that 100,000 of them fit into one small answer; the layout says whose byte it is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>

#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

static_assert(std::endian::native == std::endian::little, "the head is written as the machine holds it");

constexpr std::uint8_t kOutOfService = 254, kNoData = 255;
constexpr double kScaleSteps = 250;

struct Range {
  double min = 0, max = 0;
};

struct Colour {
  std::string_view name;
  std::function<std::optional<double>(const BoardView&)> value;
  std::optional<Range> fixed;  // nullopt: from the values that are there
};

std::optional<double> coverage_of(const BoardView& b) {
  return b.health ? std::optional(b.health->coverage) : std::nullopt;
}

const std::vector<Colour>& colours() {
  static const std::vector<Colour> all = {
      {"health", score_of, Range{0, 100}},        {"temperature", &BoardView::temperature, std::nullopt},
      {"power", &BoardView::power, std::nullopt}, {"utilisation", &BoardView::utilisation, Range{0, 100}},
      {"coverage", coverage_of, Range{0, 1}},
  };
  return all;
}

Range range_of(const FleetSnapshot& fleet, const Colour& colour) {
  if (colour.fixed) return *colour.fixed;
  std::optional<Range> seen;
  for (const auto& b : fleet.boards)
    if (const auto v = colour.value(b); v && b.board.in_service)
      seen = seen ? Range{std::min(seen->min, *v), std::max(seen->max, *v)} : Range{*v, *v};
  return seen.value_or(Range{});
}

// Whole points rounded down: 69.9 is not yet 70, so a cell's colour is its board's band.
std::uint8_t score_byte(double score) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(score), 0.0, 100.0));
}

std::uint8_t scaled_byte(double v, Range r) {
  if (r.max <= r.min) return 0;
  return static_cast<std::uint8_t>(std::lround(std::clamp((v - r.min) / (r.max - r.min), 0.0, 1.0) * kScaleSteps));
}

std::uint8_t cell(const BoardView& b, const Colour& colour, Range range) {
  if (!b.board.in_service) return kOutOfService;
  const auto v = colour.value(b);
  if (!v) return kNoData;
  return colour.name == "health" ? score_byte(*v) : scaled_byte(*v, range);
}

template <class T>
void append(std::string& out, T value) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  out.append(bytes.data(), bytes.size());
}

std::string head(const FleetSnapshot& fleet, Range range) {
  std::string out = "GHMC";
  append(out, layout_version(fleet));
  append(out, to_unix_ms(fleet.as_of));
  append(out, static_cast<float>(range.min));
  append(out, static_cast<float>(range.max));
  return out;
}

// FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0);
  }
  std::uint32_t value() const { return hash_; }

 private:
  void add_byte(unsigned char c) { hash_ = (hash_ ^ c) * 16777619u; }
  std::uint32_t hash_ = 2166136261u;
};

void add_place(Fingerprint& print, const fleet::Place& p, const std::string& host) {
  for (const auto* part : {&p.region, &p.datacenter, &p.rack, &host}) print.add(*part);
}

}  // namespace

Result<std::string> fleet_cells(const FleetSnapshot& fleet, const std::string& colour) {
  const auto found = std::ranges::find(colours(), colour, &Colour::name);
  if (found == colours().end())
    return Error{Errc::invalid_input, fmt::format("colour '{}': expected health, temperature, power, utilisation or coverage", colour)};
  const auto range = range_of(fleet, *found);
  std::string out = head(fleet, range);
  out.reserve(out.size() + fleet.boards.size());
  for (const auto& b : fleet.boards) out += static_cast<char>(cell(b, *found, range));
  return out;
}

std::uint32_t layout_version(const FleetSnapshot& fleet) {
  Fingerprint print;
  for (const auto& b : fleet.boards) {
    add_place(print, b.board.place, b.board.host);
    print.add(id_of(b.board));
  }
  for (const auto& h : fleet.hosts) {
    add_place(print, h.host.place, h.host.name);
    print.add(h.silent ? "silent" : "");
  }
  return print.value();
}

}  // namespace ghm::views
