#pragma once
#include "domain/simulation/life.h"

namespace ghm::simulation {

/// What a site does about a failed board, and what the archive says of it. Remedies climb a ladder (reset, reboot, reseat,
/// replace) from the mode's first one until one works. Times and chances: failure statistics, section 7 (`repair`).
class Repair {
 public:
  Repair(const World& world, std::size_t host);

  /// Writes when and by what `f` is resolved; returns when the board, or its slot's next one, is back in service.
  double restore(HostLife& life, Failure& f, Random& random) const;
  double replace(HostLife& life, Failure& f, Random& random) const;
  /// All boards of the host are gone for `seconds`; their counters start again.
  void reboot_all(HostLife& life, double at, double seconds, std::string why) const;

 private:
  double hours_offline(Random& random) const;
  void resolve(HostLife& life, Failure& f, double at, std::string_view how) const;

  const World& world_;
  const double median_hours_;
};

}  // namespace ghm::simulation
