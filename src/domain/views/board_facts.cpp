#include "domain/views/board_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "domain/health/windows.h"
#include "domain/views/json_views.h"

namespace ghm::views {
namespace {

constexpr std::string_view kBoardPrefix = "board-";

std::optional<std::size_t> find_by_number(const FleetSnapshot& fleet, std::string_view digits) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const auto found = std::ranges::find(fleet.boards, fleet::BoardId{number}, [](const BoardView& b) { return b.board.id; });
  if (found == fleet.boards.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fleet.boards.begin());
}

// "gpu-host-7:3", the board that stands there now: what somebody reads off a job's error at night.
std::optional<std::size_t> find_by_place(const FleetSnapshot& fleet, std::string_view place) {
  const auto colon = place.rfind(':');
  if (colon == place.npos) return std::nullopt;
  const auto slot = place.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(slot.data(), slot.data() + slot.size(), number);
  if (error != std::errc() || end != slot.data() + slot.size()) return std::nullopt;
  const auto host = std::ranges::find(fleet.hosts, place.substr(0, colon), [](const HostView& h) { return std::string_view(h.host.name); });
  if (host == fleet.hosts.end()) return std::nullopt;
  for (const auto board : host->boards)
    if (fleet.boards[board].board.slot == number && fleet.boards[board].board.in_service) return board;
  return std::nullopt;
}

Json slot_of(const fleet::Board& board) {
  return board.slot < 0 ? Json() : Json(board.slot);
}

Json dimension_scores(const BoardView& view) {
  Json scores = Json::object();
  for (const auto& spec : health::dimensions()) scores[std::string(spec.name)] = nullptr;
  if (view.health)
    for (const auto& d : view.health->dimensions) scores[d.name] = or_null(d.score);
  return scores;
}

void add_identity(Json& row, const fleet::Board& b) {
  row["id"] = id_of(b);
  row["serial"] = or_null(b.serial);
  row["uuid"] = or_null(b.uuid);
  row["name"] = name_of(b);
  row["model"] = or_null(b.model);
  row["host"] = b.host;
  row["slot"] = slot_of(b);
  row["pci_bus_id"] = or_null(b.pci_bus_id);
  row["rack"] = or_null(b.place.rack);
  row["datacenter"] = or_null(b.place.datacenter);
  row["region"] = or_null(b.place.region);
  row["driver_version"] = or_null(b.driver_version);
  row["vbios_version"] = or_null(b.vbios_version);
}

void add_state(Json& row, const BoardView& view) {
  row["simulated"] = view.board.simulated;
  row["in_service"] = view.board.in_service;
  row["silent"] = view.silent;
  row["first_seen"] = or_null(view.board.first_seen);
  row["last_seen"] = or_null(view.board.last_seen);
}

void add_health(Json& row, const BoardView& view) {
  const auto* report = view.health.get();
  const auto* finding = top_finding(view);
  row["score"] = or_null(score_of(view));
  row["class"] = report ? or_null(report->class_name) : Json();
  row["band"] = band_of(view);
  row["risk"] = report ? or_null(report->risk) : Json();
  row["coverage"] = report ? Json(report->coverage) : Json();
  row["top_finding"] = finding ? Json(health::sentence(*finding)) : Json();
  row["dimensions"] = dimension_scores(view);
}

}  // namespace

std::optional<std::size_t> find_board(const FleetSnapshot& fleet, std::string_view id) {
  if (const auto found = fleet.by_name->find(id); found != fleet.by_name->end()) return found->second;
  if (id.starts_with(kBoardPrefix)) return find_by_number(fleet, id.substr(kBoardPrefix.size()));
  return find_by_place(fleet, id);
}

std::string id_of(const fleet::Board& board) {
  if (!board.serial.empty()) return board.serial;
  if (!board.uuid.empty()) return board.uuid;
  return fmt::format("{}{}", kBoardPrefix, static_cast<std::uint32_t>(board.id));
}

std::string name_of(const fleet::Board& board) {
  if (board.slot >= 0) return fmt::format("{} · GPU {}", board.host, board.slot);
  return fmt::format("{} · {}", board.host, board.pci_bus_id.empty() ? id_of(board) : board.pci_bus_id);
}

std::optional<double> score_of(const BoardView& board) {
  return board.health ? board.health->overall : std::nullopt;
}

std::string_view band_of_score(std::optional<double> score) {
  if (!score) return "no_data";
  if (*score >= 80) return "healthy";
  if (*score >= 70) return "watch";
  return *score >= 50 ? "degraded" : "critical";
}

std::string band_of(const BoardView& b) {
  return b.board.in_service ? std::string(band_of_score(score_of(b))) : "out_of_service";
}

bool is_critical(const health::Report& report, std::string_view rule) {
  return std::ranges::find(report.critical, rule) != report.critical.end();
}

double share_of(const health::Dimension& dimension, const health::Report& report) {
  int available = 0;
  for (const auto& d : report.dimensions) available += d.score ? d.weight_percent : 0;
  return available == 0 ? 0 : static_cast<double>(dimension.weight_percent) / available;
}

const health::Finding* top_finding(const BoardView& board) {
  if (!board.health) return nullptr;
  const health::Finding* top = nullptr;
  std::tuple<bool, double> highest{};
  for (const auto& d : board.health->dimensions)
    for (const auto& f : d.findings) {
      const std::tuple rank{is_critical(*board.health, f.rule), d.weight_percent * f.lost};
      if (top && rank <= highest) continue;
      top = &f;
      highest = rank;
    }
  return top;
}

Json gpu_row(const BoardView& view) {
  Json row = Json::object();
  add_identity(row, view.board);
  add_state(row, view);
  add_health(row, view);
  row["temperature"] = or_null(view.temperature);
  row["memory_temperature"] = or_null(view.memory_temperature);
  row["power"] = or_null(view.power);
  row["utilisation"] = or_null(view.utilisation);
  row["sm_clock"] = or_null(view.sm_clock);
  return row;
}

Json or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}
Json or_null(std::optional<double> number) {
  return number ? Json(*number) : Json();
}
Json or_null(Timestamp moment) {
  return moment == Timestamp{} ? Json() : Json(format_rfc3339(moment));
}

std::optional<double> percentile(const std::vector<double>& values, double p) {
  return values.empty() ? std::nullopt : std::optional(health::percentile(values, p));
}

}  // namespace ghm::views
