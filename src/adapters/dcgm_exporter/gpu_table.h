#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/telemetry/page.h"

namespace ghm::dcgm_exporter {

/// Which GPUs a page speaks of. Rows name a GPU in different ways (GPU rows by UUID, some link rows only by index), so
/// all rows are heard first and joined then: by UUID, else by PCI address, else by index, the last two within a host
/// name. The outcome does not depend on the order of rows, since an exporter's order is random.
class GpuTable {
 public:
  void add(const telemetry::GpuIdentity& said);
  /// After the last add. GPUs sorted by index, host name, PCI address, UUID. O(n log n) of the distinct identities.
  void join();

  /// The GPU's number in gpus(), also for what was not added but names one of them (a line cut off); -1: none of them.
  int find(const telemetry::GpuIdentity& said) const;
  const std::vector<telemetry::GpuIdentity>& gpus() const { return gpus_; }

 private:
  using Said = std::tuple<std::string, std::string, int, std::string>;  // UUID, PCI address, index, host name
  using Place = std::pair<std::string, std::string>;                    // host name; UUID, PCI address or index

  using Groups = std::map<Place, std::pair<telemetry::GpuIdentity, std::vector<Said>>>;

  Place group_of(const Said& said) const;
  void learn(const Said& said, const Place& group);
  void number(const Groups& groups);

  std::map<Said, telemetry::GpuIdentity> said_;
  std::map<Place, Place> by_pci_, by_index_;  // -> group
  std::map<Said, int> number_;
  std::map<Place, int> number_of_group_;
  std::vector<telemetry::GpuIdentity> gpus_;
};

}  // namespace ghm::dcgm_exporter
