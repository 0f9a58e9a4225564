#include "pipeline/sighting_of.h"

namespace ghm::pipeline {
namespace {

std::string label(const telemetry::Target& target, const char* name) {
  const auto it = target.labels.find(name);
  return it == target.labels.end() ? std::string() : it->second;
}

// Old exporters print "localhost" (or nothing) for Hostname: then the target's own host is the better name.
std::string host_name(const telemetry::Target& target, const std::vector<telemetry::GpuIdentity>* gpus) {
  if (const auto it = target.labels.find("host"); it != target.labels.end()) return it->second;
  if (gpus != nullptr)
    for (const auto& gpu : *gpus)
      if (!gpu.hostname.empty() && gpu.hostname != "localhost") return gpu.hostname;
  return host_of_address(target.address);
}

}  // namespace

std::string host_of_address(std::string_view address) {
  const auto colon = address.rfind(':');
  auto host = colon == std::string_view::npos ? address : address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

fleet::Sighting sighting_of(const telemetry::Target& target, const std::vector<telemetry::GpuIdentity>* gpus, bool simulated,
                            std::chrono::milliseconds interval, Timestamp at) {
  return {target.address,
          host_name(target, gpus),
          {label(target, "region"), label(target, "datacenter"), label(target, "rack")},
          simulated,
          interval,
          at};
}

}  // namespace ghm::pipeline
