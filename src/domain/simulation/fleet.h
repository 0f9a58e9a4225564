#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

/// A fleet that lives, ages and fails. State machines advanced by time, deterministic from a seed; failures are hazards,
/// signs are separate from causes, so that a sign can be absent and a cause silent.
namespace ghm::simulation {

struct FleetPlan {
  int gpus = 96;  // hosts of 8; the last host may have fewer
  std::uint64_t seed = 1;
  std::string scenario = "literature";  // literature optimistic pessimistic wearout noprecursor shifted healthy
  Timestamp start{};                    // simulated time of birth of the run; the epoch: each host's first advance()
  // Pages name the jobs, as dcgm-exporter's mapping of HPC jobs does; a job whose GPU fails then stands still on all of its hosts.
  bool job_names = false;
};

/// Where a simulated host stands; also the labels of its scrape target.
struct HostPlace {
  std::string host, region, datacenter, rack;
};

/// One GPU's (host's) exporter behaviour that is not a value on the page.
enum class PageFault { none, http_500, hang };

class Fleet {
 public:
  static Result<Fleet> create(const FleetPlan& plan);
  Fleet(Fleet&&) noexcept;
  ~Fleet();

  std::size_t hosts() const;
  const HostPlace& place(std::size_t host) const;
  /// Brings one host's state machines to `now` (monotone per host; a long jump is cut into steps of at most 60 s).
  void advance(std::size_t host, Timestamp now);
  /// Appends the host's page as dcgm-exporter prints it, byte for byte: 8 GPUs x >= 110 series.
  void render(std::size_t host, std::string& page) const;
  PageFault page_fault(std::size_t host) const;
  /// The same numbers without the page, for who lives through years of it: per GPU of the host one value per field, NaN where the page
  /// has none. Fields of single NVLinks are summed over the links that are up. A GPU that is gone says nothing.
  void read(std::size_t host, std::span<const int> fields, std::vector<double>& values) const;
  /// The same fleet once more, from here on with a fate of its own.
  Fleet twin() const;

  /// gpu: serial, UUID, "HOST/INDEX" or a global number. fault: the contract's words. Takes effect at the next advance() and
  /// stays. Faults of heat and power give the host full load, for without it they would not show. The result says, for
  /// people, which board and what; not_found and invalid_input say what was expected.
  Result<std::string> inject(std::string_view gpu, std::string_view fault, Timestamp now);
  static const std::vector<std::string_view>& faults();
  static const std::vector<std::string_view>& scenarios();

 private:
  struct Impl;
  explicit Fleet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ghm::simulation
