#include "adapters/kernel_log/sign_folder.h"

#include <fmt/format.h>

namespace ghm::kernel_log {
namespace {

std::string key_of(const transport::AgentEvent& e) {
  const auto pid = e.fields.find("pid");
  return fmt::format("{} {} {} {}", e.kind, e.gpu.pci_bus_id, e.code, pid == e.fields.end() ? "" : pid->second);
}

}  // namespace

void SignFolder::flush(std::chrono::microseconds now, std::vector<transport::AgentEvent>& out) {
  for (auto at = windows_.begin(); at != windows_.end();) {
    auto& window = at->second;
    if (now - window.since < kWindow) {
      ++at;
      continue;
    }
    if (window.folded > 0) {
      window.latest.fields["repeats"] = std::to_string(window.folded);
      out.push_back(std::move(window.latest));
    }
    at = windows_.erase(at);
  }
}

void SignFolder::add(transport::AgentEvent event, std::chrono::microseconds at, std::vector<transport::AgentEvent>& out) {
  flush(at, out);
  auto key = key_of(event);
  const bool crowded = windows_.size() >= kMostKeys && !windows_.contains(key);
  if (crowded) return out.push_back(std::move(event));
  auto& window = windows_[std::move(key)];
  if (window.told == 0) window.since = at;
  if (window.told < kTold) {
    ++window.told;
    return out.push_back(std::move(event));
  }
  ++window.folded;
  window.latest = std::move(event);
}

}  // namespace ghm::kernel_log
