#include "pipeline/remote_labels.h"

#include <algorithm>

#include "adapters/dcgm_exporter/byte_hash.h"

namespace ghm::pipeline {
namespace {

using remote_write::Label;

constexpr std::string_view kExported = "exported_";

const Label* find(const std::vector<Label>& labels, std::string_view name) {
  const auto it = std::ranges::find(labels, name, &Label::name);
  return it == labels.end() ? nullptr : &*it;
}

bool is_exported(const std::vector<Label>& labels, const std::string& name) {
  return std::ranges::any_of(labels, [&](const Label& l) {
    return l.name.size() == kExported.size() + name.size() && l.name.starts_with(kExported) && l.name.ends_with(name);
  });
}

bool is_servers(std::string_view name) {
  return name == "__name__" || name == "instance" || name == "job" || name == "ghm_simulated";
}

}  // namespace

RemoteName name_of(const std::vector<Label>& labels) {
  RemoteName out;
  std::string_view hostname;
  for (const auto& [name, value] : labels) {
    if (name == "__name__") out.metric = value;
    else if (name == "instance") out.instance = value;
    else if (name == "host") out.host = value;
    else if (name == "Hostname" || name == "hostname") hostname = value;
  }
  if (out.host.empty() && hostname != "localhost") out.host = hostname;
  return out;
}

std::uint64_t key_of(const std::vector<Label>& labels) {
  std::uint64_t h = 0;
  for (const auto& [name, value] : labels)
    h = dcgm_exporter::mix(h ^ dcgm_exporter::hash_bytes(name), dcgm_exporter::hash_bytes(value) ^ dcgm_exporter::kHashSeeds[1]);
  return h;
}

RemoteSeries series_of(const std::vector<Label>& labels) {
  RemoteSeries out;
  if (const auto* name = find(labels, "__name__")) out.exporter.name = name->value;
  for (const auto& [name, value] : labels) {
    if (name == "host" || name == "region" || name == "datacenter" || name == "rack") out.target.emplace(name, value);
    if (name == "ghm_simulated") out.simulated = value != "false" && value != "0";
    if (is_servers(name)) continue;
    if (name.starts_with(kExported)) out.exporter.labels.push_back({std::string_view(name).substr(kExported.size()), value});
    else if (!is_exported(labels, name)) out.exporter.labels.push_back({name, value});
  }
  return out;
}

}  // namespace ghm::pipeline
