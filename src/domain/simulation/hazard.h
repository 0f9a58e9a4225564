#pragma once
#include <array>

#include "domain/simulation/life.h"

namespace ghm::simulation {

inline constexpr std::size_t kModes = 12;

/// What hits a board by itself on one day, in failures per day: per mode, what the bad lot adds, and what its past adds.
struct DayHazard {
  std::array<double, kModes> mode{};
  double bad_lot = 0, history = 0;
  double driver_share = 0;  // of gsp_hang's, that a bad driver causes
  double total() const;
};

/// Hazards of one host's boards. Means are kept: what history, repeats and neighbours add is taken off what comes by itself,
/// so that a fleet's mean is the table's rate. A bad lot, a bad driver and the infant's extra come on top of it.
class Hazards {
 public:
  Hazards(const World& world, std::size_t host);

  DayHazard at(const Stay& stay, double t, double last_failure) const;
  /// The mode of a failure out of `day`, u in [0, 1), and why.
  std::pair<std::size_t, Cause> pick(const DayHazard& day, double u, Random& random) const;
  /// Failures per day of mode `m` at the table's rate.
  double table(std::size_t m) const { return table_[m]; }

 private:
  double age_factor(const Stay& stay, double t) const;
  double bad_lot(const Stay& stay, double t) const;

  const World& world_;
  const std::size_t host_;
  std::array<double, kModes> table_{}, own_{}, heated_{};  // per day: the table's; what comes by itself here; heat's factor
  double table_total_ = 0;
  double lot_height_ = 1;
  std::optional<Span> hot_;
};

}  // namespace ghm::simulation
