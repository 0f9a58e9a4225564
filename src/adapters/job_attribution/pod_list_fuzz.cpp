// Any bytes as the kubelet's answer. Refusing is fine, crashing is not; what comes out is bounded and names a GPU.
#include <cstdint>
#include <cstdlib>

#include "adapters/job_attribution/pod_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm;
  const auto jobs = job_attribution::read_pod_list({reinterpret_cast<const char*>(data), size}, [](std::string_view id) {
    return transport::GpuName{{}, {}, std::string(id)};
  });
  if (!jobs) return 0;
  for (const auto& job : *jobs)
    if (job.gpu.is_host() || job.name.size() > 1024) std::abort();
  return 0;
}
