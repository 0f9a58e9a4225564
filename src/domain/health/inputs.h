#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "domain/health/windows.h"

namespace ghm::health {

/// What rules look at. A new input is a new word here and a new row in inputs.cpp.
enum class Of {
  // metrics
  reasons,
  temperature,
  activity,
  fan,
  sbe,
  dbe,
  remap_pending,
  remap_failure,
  banks,
  power,
  sm_clock,
  max_sm_clock,
  limit_default,
  limit_enforced,
  energy,
  pcie_width,
  pcie_max_width,
  pcie_gen,
  pcie_max_gen,
  remapped_corrected,
  remapped_uncorrected,
  pcie_replays,
  nvlink_crc,
  nvlink_replays,
  // what is not one series of readings
  nvlinks,
  bandwidth_record,
  reporting,
  events,
  jobs,
};
inline constexpr std::size_t kInputs = static_cast<std::size_t>(Of::jobs) + 1;

/// One board's inputs, looked up once: which metric speaks for each, whether the part has it, whether it is present. Refers to
/// the Input, which must outlive it.
class Evidence {
 public:
  explicit Evidence(const Input& input);

  const Input& input() const { return input_; }
  double t() const { return input_.t; }
  const Metric& operator[](Of of) const { return facts_[static_cast<std::size_t>(of)].metric; }
  /// Counts for coverage: the part has it.
  bool listed(Of of) const { return facts_[static_cast<std::size_t>(of)].listed; }
  /// There for at least 0.60 of its window; what is not listed is not present.
  bool present(Of of) const { return facts_[static_cast<std::size_t>(of)].present; }
  /// For people: the metric's name, or what the input is.
  std::string_view name(Of of) const { return (*this)[of].name; }

  /// The state of each NVLink that was ever read, up to t.
  const std::vector<Metric>& links() const { return links_; }

 private:
  struct Fact {
    Metric metric;
    bool listed = false, present = false;
  };
  void look_up_links();
  void set(Of of, std::string_view name, bool listed, bool present);
  bool answered() const;

  const Input& input_;
  std::array<Fact, kInputs> facts_;
  std::vector<Metric> links_;
};

}  // namespace ghm::health
