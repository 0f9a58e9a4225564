#include "domain/telemetry/model_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/embedded.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::telemetry {
namespace {

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(by, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string lower(std::string_view name) {
  std::string out(name);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

ModelSpec parse_model(CatalogueRow& row) {
  ModelSpec m;
  m.name = row.text("model");
  m.exporter_names = split(row.text("exporter_names"), '|');
  m.architecture = row.text("architecture");
  m.memory_gib = row.number("memory_gib");
  m.memory_bandwidth_gbs = row.number("memory_bandwidth_gbs");
  m.tdp_w = row.number("tdp_w");
  m.nvlink_gbs = row.number("nvlink_gbs");
  m.slowdown_temp_c = row.number("slowdown_temp_c");
  m.shutdown_temp_c = row.number("shutdown_temp_c");
  m.max_mem_temp_c = row.number("max_mem_temp_c");
  if (const auto gen = row.number("pcie_gen")) m.pcie_gen = static_cast<int>(*gen);
  m.nvlinks = static_cast<int>(row.number("nvlinks").value_or(0));
  m.has_fan = row.text("has_fan") == "1";
  return m;
}

}  // namespace

Result<ModelCatalogue> ModelCatalogue::parse(std::string_view csv, std::string_view file) {
  auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  for (const auto* column : {"model", "exporter_names", "architecture", "memory_gib", "memory_bandwidth_gbs", "tdp_w", "nvlink_gbs",
                             "pcie_gen", "slowdown_temp_c", "shutdown_temp_c", "max_mem_temp_c", "nvlinks", "has_fan"})
    if (!table->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, column)};
  ModelCatalogue out;
  for (std::size_t r = 0; r < table->size(); ++r) {
    CatalogueRow row(*table, r, std::string(file));
    auto model = parse_model(row);
    if (row.error()) return *row.error();
    for (const auto& name : model.exporter_names) out.by_name_.try_emplace(lower(name), r);
    out.by_name_.try_emplace(lower(model.name), r);
    out.models_.push_back(std::move(model));
  }
  return out;
}

const ModelCatalogue& ModelCatalogue::built_in() {
  static const ModelCatalogue catalogue = [] {
    auto parsed = parse(embedded::file("data/gpu_models.csv"), "data/gpu_models.csv");
    if (!parsed) {
      fmt::print(stderr, "{}\n", parsed.error().what);
      std::abort();  // the binary was built with a broken catalogue
    }
    return std::move(*parsed);
  }();
  return catalogue;
}

const ModelSpec* ModelCatalogue::find(std::string_view name) const {
  const auto found = by_name_.find(lower(name));
  return found == by_name_.end() ? nullptr : &models_[found->second];
}

}  // namespace ghm::telemetry
