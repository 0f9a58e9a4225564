#include "domain/simulation/archive_columns.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "domain/simulation/catalogue.h"

namespace ghm::simulation {
namespace {

// Field ids, in the order of the catalogue; 1211 is Blackwell's counter of NVLink recoveries, which its live pages leave to
// the counters of single links.
constexpr int kFields[kArchiveColumns] = {100, 101, 112, 113, 140, 150, 155,  156,  163,  164,  202,  203, 204, 235,
                                          236, 237, 238, 240, 241, 252, 310,  311,  312,  313,  389,  393, 394, 395,
                                          396, 409, 429, 449, 497, 499, 1001, 1002, 1004, 1005, 1211, 1424};
constexpr int kBlackwellRecoveries = 1211;
constexpr int kRatioDecimals = 4, kPowerDecimals = 3;
constexpr double kScale[] = {1, 10, 100, 1000, 10000};

double blackwell_recoveries(const Board& b) {
  if (b.spec->architecture != "Blackwell") return std::numeric_limits<double>::quiet_NaN();
  return b.links.recoveries + std::floor(b.links.crc / 10);
}

ArchiveColumn column_of(int field) {
  if (field == kBlackwellRecoveries) return {"DCGM_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_SUCCESSFUL_EVENTS", blackwell_recoveries};
  const auto all = families();
  const auto it = std::ranges::find(all, field, &Family::field);
  assert(it != all.end() && it->value != nullptr);
  return {it->name, it->value, !it->decimals ? 0 : it->profiling ? kRatioDecimals : kPowerDecimals, it->profiling};
}

}  // namespace

std::span<const ArchiveColumn, kArchiveColumns> archive_columns() {
  static const auto columns = [] {
    std::array<ArchiveColumn, kArchiveColumns> out;
    std::ranges::transform(kFields, out.begin(), column_of);
    return out;
  }();
  return columns;
}

void read_columns(const Board& b, std::span<double, kArchiveColumns> out) {
  const auto columns = archive_columns();
  for (std::size_t c = 0; c < kArchiveColumns; ++c) {
    if (columns[c].profiling && b.ill.profiling_blank) {
      out[c] = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    const double v = columns[c].value(b), scale = kScale[columns[c].decimals];
    out[c] = columns[c].decimals == 0 ? v : std::round(v * scale) / scale;
  }
}

}  // namespace ghm::simulation
