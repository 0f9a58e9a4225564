#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"

namespace ghm::telemetry {

/// One GPU model's fixed facts, from data/gpu_models.csv. An absent fact is nullopt, never 0.
struct ModelSpec {
  std::string name;                         // "H100-SXM5-80GB"
  std::vector<std::string> exporter_names;  // the exporter's modelName: "NVIDIA H100 80GB HBM3"
  std::string architecture;
  std::optional<double> memory_gib, memory_bandwidth_gbs, tdp_w, nvlink_gbs, slowdown_temp_c, shutdown_temp_c, max_mem_temp_c;
  std::optional<int> pcie_gen;
  int nvlinks = 0;      // links of the part on an HGX board: A100 12, H100/H200/B200 18; 0 where none
  bool has_fan = true;  // false on SXM and passive server boards
};

class ModelCatalogue {
 public:
  static Result<ModelCatalogue> parse(std::string_view csv, std::string_view file);
  static const ModelCatalogue& built_in();
  /// By the exporter's modelName or by `name`; case-insensitive. nullptr when unknown.
  const ModelSpec* find(std::string_view model_name) const;
  std::span<const ModelSpec> all() const { return models_; }

 private:
  std::vector<ModelSpec> models_;
  std::unordered_map<std::string, std::size_t> by_name_;  // in lower case, into models_
};

}  // namespace ghm::telemetry
