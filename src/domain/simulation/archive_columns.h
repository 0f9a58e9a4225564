#pragma once
#include <array>
#include <span>
#include <string_view>

#include "domain/simulation/board.h"

namespace ghm::simulation {

inline constexpr std::size_t kArchiveColumns = 40;

/// One telemetry column of a simulated archive: a DCGM name of the live simulator's exporter, and its value as printed there.
struct ArchiveColumn {
  std::string_view name;
  double (*value)(const Board&) = nullptr;  // NaN: the part does not have it
  int decimals = 0;                         // at most that many are written
  bool profiling = false;                   // taken away when the driver hangs
};

/// What health scores read, then what signs of failures show in. All needs of the scores are here but two: the fan, which no
/// simulated part has, and the state of each of up to 18 NVLinks, which would take half of the columns; that a link is down
/// shows in the bandwidth of all.
std::span<const ArchiveColumn, kArchiveColumns> archive_columns();

/// The values of one board, in the order of the columns, rounded to their decimals.
void read_columns(const Board& b, std::span<double, kArchiveColumns> out);

}  // namespace ghm::simulation
