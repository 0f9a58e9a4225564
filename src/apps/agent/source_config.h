#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "adapters/yaml/config_reader.h"

namespace ghm::agent {

/// agent.yaml, section `sources`: what is watched beside the exporter's page. docs/agent.md has every key.
struct SourceConfig {
  bool kernel_log = true, nvml = true, host_facts = true, kubelet = true, slurm = true;
  std::string kernel_log_device = "/dev/kmsg";
  std::string kernel_log_state;  // where the last line told is remembered; beside the spool unless given
  std::string nvml_library = "libnvidia-ml.so.1";
  std::chrono::milliseconds nvml_call_timeout{10'000};
  std::string root = "/";  // below it are proc and sys: the host's, where the agent runs in a container
  std::string kubelet_socket = "/var/lib/kubelet/pod-resources/kubelet.sock";
  std::chrono::milliseconds kubelet_interval{30'000};
};

/// Of the host below `root`; the system's own where that one says nothing.
std::filesystem::path boot_id_file(const std::filesystem::path& root);

/// Relative paths start at `folder`.
void read_sources(config::Reader& in, const std::filesystem::path& folder, SourceConfig& out);

}  // namespace ghm::agent
