#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/simulation/birth.h"
#include "domain/simulation/mode_facts.h"

/// What all hosts of a simulated archive share: sites, racks, lots, driver releases, hot spells, power sags. Everything is drawn
/// from the seed, so a host's life can be told without the others'.
namespace ghm::simulation {

struct ArchivePlan {
  int gpus = 96;
  std::uint64_t seed = 1;
  std::string scenario = "literature";
  Timestamp start{}, end{};
  friend bool operator==(const ArchivePlan&, const ArchivePlan&) = default;
};

struct Span {
  double from = 0, until = 0;  // Unix seconds
  bool holds(double t) const { return from <= t && t < until; }
};

struct DriverRelease {
  Span span;
  std::string version;
  bool bad = false;  // its GSP firmware hangs far more often
};

struct Lot {
  std::string name;
  double manufactured = 0, deployed = 0;  // Unix seconds
  bool bad = false;
};

/// Times at which software makes application faults this much more frequent.
struct Regime {
  Span span;
  double factor = 1;
};

class World {
 public:
  /// invalid_input: gpus not in 1 .. 100,000, an unknown scenario, or an end that is not behind the start.
  static Result<World> create(const ArchivePlan& plan);

  const ArchivePlan& plan() const { return plan_; }
  const Scenario& scenario() const { return scenario_; }
  double start() const { return start_; }
  double end() const { return end_; }
  /// Lives go on behind the archive's end, so that it holds signs of failures that it does not show: without them each sign in it
  /// would be followed by its failure, which no real archive promises.
  double horizon() const { return end_ + kLookAhead; }
  std::size_t hosts() const { return hosts_; }
  int gpus_of(std::size_t host) const;
  /// Something can be learnt: boards, hosts, places, lots and times differ.
  bool uneven() const { return scenario_.lemons; }
  bool failing() const { return failing_; }

  HostPlace place(std::size_t host) const;
  const Part& part(std::size_t host) const { return part_of(plan_.seed, host); }
  Lot lot(std::size_t host) const;
  bool lemon(std::size_t host) const;
  double site_factor(std::size_t host) const;
  double rack_factor(std::size_t host) const;
  /// 1.9 from the bottom host of a rack to its top one; 10 in a bad lot.
  double height_factor(std::size_t host, double top_over_bottom) const;
  std::optional<Span> hot_spell(std::size_t host) const;
  /// Moments at which the feed of this host sags.
  std::vector<double> sags(std::size_t host) const;
  const std::vector<DriverRelease>& drivers() const { return drivers_; }
  const std::vector<Regime>& regimes() const { return regimes_; }
  const std::vector<double>& bursts() const { return bursts_; }
  double missing_share() const { return scenario_.other_site ? facts::kMissingElsewhere : facts::kMissing; }

 private:
  static constexpr double kLookAhead = 400 * 86400.0;
  World() = default;
  void release_drivers();
  void shift_software();
  std::size_t racks() const { return (hosts_ + kHostsPerRack - 1) / kHostsPerRack; }

  ArchivePlan plan_;
  Scenario scenario_;
  double start_ = 0, end_ = 0;
  std::size_t hosts_ = 0;
  bool failing_ = true;
  std::vector<DriverRelease> drivers_;
  std::vector<Regime> regimes_;
  std::vector<double> bursts_;
};

inline constexpr double kSecondsOfDay = 86400, kSecondsOfHour = 3600, kSecondsOfYear = 365.25 * 86400;

}  // namespace ghm::simulation
