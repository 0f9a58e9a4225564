#include "apps/agent/sources.h"

#include <cstdlib>

#include "adapters/host_facts/host_facts_source.h"
#include "adapters/job_attribution/kubelet_source.h"
#include "adapters/job_attribution/slurm_source.h"
#include "adapters/kernel_log/kernel_log_source.h"
#include "adapters/nvml/nvml_source.h"
#include "adapters/nvml/reader_main.h"

namespace ghm::agent {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<transport::AgentSource> make_kernel_log(const AgentConfig& config) {
  kernel_log::KernelLogConfig c;
  c.device = config.sources.kernel_log_device;
  c.boot_id = boot_id_file(config.sources.root);
  c.driver_version = fs::path(config.sources.root) / "proc/driver/nvidia/version";
  // Beside the spool's folder, not in it: that one is the spool's alone.
  c.state = config.sources.kernel_log_state.empty() ? fs::path(config.spool + ".kernel_log") : fs::path(config.sources.kernel_log_state);
  return std::make_unique<kernel_log::KernelLogSource>(std::move(c));
}

std::unique_ptr<nvml::NvmlSource> make_nvml(const AgentConfig& config) {
  nvml::NvmlConfig c;
  c.library = config.sources.nvml_library;
  c.reader = {"/proc/self/exe", nvml::kReaderWord};
  c.period = config.interval;
  c.call_timeout = config.sources.nvml_call_timeout;
  return std::make_unique<nvml::NvmlSource>(std::move(c));
}

std::unique_ptr<transport::AgentSource> make_host_facts(const AgentConfig& config) {
  host_facts::HostFactsConfig c;
  c.root = config.sources.root;
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY")) c.credentials = folder;
  return std::make_unique<host_facts::HostFactsSource>(std::move(c));
}

// nvml outlives its user: both live in one list, and neither is taken out of it.
std::unique_ptr<transport::AgentSource> make_kubelet(const AgentConfig& config, const nvml::NvmlSource* nvml) {
  job_attribution::KubeletConfig c;
  c.socket = config.sources.kubelet_socket;
  c.interval = config.sources.kubelet_interval;
  return std::make_unique<job_attribution::KubeletSource>(
      std::move(c), [nvml](std::string_view id) { return nvml ? nvml->find_device(id) : transport::GpuName(); });
}

std::unique_ptr<transport::AgentSource> make_slurm(const AgentConfig& config, const nvml::NvmlSource& nvml) {
  return std::make_unique<job_attribution::SlurmSource>(job_attribution::SlurmConfig{config.sources.root}, [&nvml] {
    std::vector<job_attribution::GpuProcess> all;
    for (const auto& p : nvml.processes()) all.push_back({p.gpu, p.pid});
    return all;
  });
}

}  // namespace

Agent::Sources make_sources(const AgentConfig& config, const Log&) {
  Agent::Sources all;
  const auto& wanted = config.sources;
  const nvml::NvmlSource* nvml = nullptr;
  if (wanted.nvml) {
    auto source = make_nvml(config);
    nvml = source.get();
    all.push_back(std::move(source));
  }
  if (wanted.kernel_log) all.push_back(make_kernel_log(config));
  if (wanted.host_facts) all.push_back(make_host_facts(config));
  if (wanted.kubelet) all.push_back(make_kubelet(config, nvml));
  if (wanted.slurm && nvml) all.push_back(make_slurm(config, *nvml));  // NVML tells whose processes are on the GPUs
  return all;
}

}  // namespace ghm::agent
