#include "adapters/job_attribution/pod_list.h"

#include <algorithm>

#include <pod_resources.pb.h>
#include "domain/telemetry/identity.h"

namespace ghm::job_attribution {
namespace {

using transport::GpuName;
using transport::JobNow;

constexpr std::size_t kMostJobs = 1024;  // 16 GPUs with 64 replicas each
constexpr std::size_t kMostName = 512;   // names of namespaces, pods and containers have 253 characters at most

bool is_ours(std::string_view resource) {
  return resource.starts_with("nvidia.com/");
}

// "MIG-GPU-<uuid>/<gi>/<ci>" of drivers before 470 names its GPU itself.
GpuName named_in(std::string_view id) {
  constexpr std::string_view kOldMig = "MIG-GPU-";
  const bool old_mig = id.starts_with(kOldMig);
  if (old_mig) id = id.substr(kOldMig.size() - 4, id.find('/') - (kOldMig.size() - 4));
  GpuName name;
  if (id.starts_with("GPU-") && telemetry::is_gpu_uuid(id)) name.uuid = id;
  return name;
}

class PodReader {
 public:
  explicit PodReader(const ResolveDevice& resolve) : resolve_(resolve) {}

  void read(const kubelet::PodResources& pod) {
    for (const auto& container : pod.containers()) {
      const auto name = pod.namespace_() + "/" + pod.name() + "/" + container.name();
      if (name.size() > kMostName) continue;
      for (const auto& devices : container.devices())
        if (is_ours(devices.resource_name()))
          for (const auto& id : devices.device_ids()) add(name, id, {{"resource", devices.resource_name()}});
      for (const auto& claim : container.dynamic_resources()) read(name, claim);
    }
  }
  std::vector<JobNow> done() {
    std::ranges::sort(jobs_);
    jobs_.erase(std::unique(jobs_.begin(), jobs_.end()), jobs_.end());  // replicas of one GPU in one container
    return std::move(jobs_);
  }

 private:
  void read(const std::string& name, const kubelet::DynamicResource& claim) {
    for (const auto& resource : claim.claim_resources())
      if (resource.driver_name().find("nvidia.com") != std::string::npos)
        add(name, resource.device_name(), {{"claim", claim.claim_namespace() + "/" + claim.claim_name()}});
  }
  void add(const std::string& name, std::string_view device_id, telemetry::LabelMap facts) {
    const auto id = without_replica(device_id);
    JobNow job;
    job.gpu = named_in(id);
    if (job.gpu.uuid.empty()) {
      job.gpu = resolve_ ? resolve_(id) : GpuName();
      facts["device"] = id.substr(0, kMostName);
    }
    // Somebody holds a GPU and nobody knows which: saying so of the host would be a guess about all of them.
    if (job.gpu.is_host() || jobs_.size() >= kMostJobs) return;
    job.kind = "pod";
    job.name = name;
    job.facts = std::move(facts);
    jobs_.push_back(std::move(job));
  }

  const ResolveDevice& resolve_;
  std::vector<JobNow> jobs_;
};

}  // namespace

std::string_view without_replica(std::string_view id) {
  return id.substr(0, id.find("::"));
}

Result<std::vector<JobNow>> read_pod_list(std::string_view message, const ResolveDevice& resolve) {
  kubelet::ListPodResourcesResponse answer;
  if (!answer.ParseFromArray(message.data(), static_cast<int>(message.size())))
    return Error{Errc::invalid_input, "the kubelet's answer is no list of pod resources: is it a kubelet that answers there?"};
  PodReader reader(resolve);
  for (const auto& pod : answer.pod_resources()) reader.read(pod);
  return reader.done();
}

}  // namespace ghm::job_attribution
