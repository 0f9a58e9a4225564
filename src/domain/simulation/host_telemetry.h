#pragma once
#include <vector>

#include "domain/simulation/archive_columns.h"
#include "domain/simulation/life.h"

namespace ghm::simulation {

/// A host's readings, step by step, as its life says: the live simulator's state machines of work, heat, memory and links, with
/// the life's effects on top. Deterministic; the steps must be taken in order of time, all of the same length.
class HostTelemetry {
 public:
  HostTelemetry(const World& world, HostLife life);

  struct Row {
    int stay = 0;  // of life().stays
    std::array<double, kArchiveColumns> values{};
  };
  /// Brings the host to `t` (Unix seconds), `dt` seconds behind the step before, and gives the rows that reach the archive.
  void step(std::int64_t t, double dt, std::vector<Row>& rows);
  /// Board-steps with a board in service so far, and rows of them that are lost; what a repair keeps away does not count.
  std::uint64_t expected() const { return expected_; }
  std::uint64_t missing() const { return missing_; }

  const HostLife& life() const { return life_; }

 private:
  struct Slot {
    int stay = -1;
    Board board;
    double resistance = 1;          // healthy
    std::vector<const Effect*> on;  // that last
  };

  void take_board(std::size_t slot, double t);
  void begin_effects(double t);
  void happen(const Effect& e, double t);
  void work(Slot& s, std::int64_t t, double dt);
  bool reaches_archive(const Slot& s, double t, bool host_scraped);

  const World& world_;
  HostLife life_;
  Surroundings around_;
  std::optional<Span> hot_;
  double inlet_ = 0;
  Random lost_;  // readings on their way
  std::vector<Slot> slots_;
  std::size_t next_effect_ = 0;
  bool begun_ = false;
  std::uint64_t expected_ = 0, missing_ = 0;
};

}  // namespace ghm::simulation
