#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "domain/views/fleet_snapshot.h"

/// Single facts of a board as clients see them; every view, list and table takes them from here.
namespace ghm::views {

using Json = nlohmann::ordered_json;

/// What a client names a board by: serial, else UUID, else "board-17".
std::string id_of(const fleet::Board& board);
/// Where it is, for people: "gpu-host-3 · GPU 5"; the PCI address where DCGM's index is not known.
std::string name_of(const fleet::Board& board);

/// nullopt: not scored yet, or not enough data for a score.
std::optional<double> score_of(const BoardView& board);
/// "healthy" from 80, "watch" from 70, "degraded" from 50, "critical" below; "no_data" without a score.
std::string_view band_of_score(std::optional<double> score);
/// The finding that a person should read first: critical rules before others, then most points of the whole score.
/// nullptr: none.
const health::Finding* top_finding(const BoardView& board);
/// Points of the whole score that a point of this dimension costs: its weight among the dimensions that have a score.
double share_of(const health::Dimension& dimension, const health::Report& report);
bool is_critical(const health::Report& report, std::string_view rule);

/// One row of GET gpus.
Json gpu_row(const BoardView& board);

/// null where there is nothing: an empty text, an unset number, a moment that never was.
Json or_null(std::string_view text);
Json or_null(std::optional<double> number);
Json or_null(Timestamp moment);

/// As health::percentile; nullopt for no values.
std::optional<double> percentile(const std::vector<double>& values, double p);

}  // namespace ghm::views
