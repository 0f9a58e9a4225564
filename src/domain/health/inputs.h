#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "domain/health/measures.h"

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
/// The first so many are metrics of the GPU, then the links.
inline constexpr std::size_t kMetricInputs = static_cast<std::size_t>(Of::nvlinks);

/// The metric that speaks for an input, and the one where the first has no reading at all; the window of its presence, s.
struct Spoken {
  std::string_view metric, otherwise = {};
  double window_s = kDay;
};
const Spoken& spoken(Of metric);

/// What is known of an input whose readings are not at hand.
struct Seen {
  std::string_view name;
  bool listed = true;
  double readings = 0;  // within its window; of the links, times at which any was read
};
using AllSeen = std::array<Seen, kMetricInputs + 1>;

/// One board's inputs, looked up once: which metric speaks for each, whether the part has it, whether it is present. Refers to
/// the Input, which must outlive it.
class Evidence {
 public:
  explicit Evidence(const Input& input);
  /// Without readings: somebody kept the numbers that they come to.
  Evidence(const Input& input, const AllSeen& seen, const Measures& measures);

  const Input& input() const { return input_; }
  double t() const { return input_.t; }
  const Metric& operator[](Of of) const { return facts_[static_cast<std::size_t>(of)].metric; }
  /// Counts for coverage: the part has it.
  bool listed(Of of) const { return facts_[static_cast<std::size_t>(of)].listed; }
  /// There for at least 0.60 of its window; what is not listed is not present.
  bool present(Of of) const { return facts_[static_cast<std::size_t>(of)].present; }
  /// What the readings come to, worked out when it is first asked for. Rules look at these, so that they judge a board alike
  /// whoever worked the numbers out.
  const Measures& measures() const {
    if (!measures_) measures_ = measure(*this);
    return *measures_;
  }
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
  void look_up_records();
  void set(Of of, std::string_view name, bool listed, bool present);
  bool answered() const;

  const Input& input_;
  std::array<Fact, kInputs> facts_;
  std::vector<Metric> links_;
  mutable std::optional<Measures> measures_;
};

}  // namespace ghm::health
