#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/transport/host_round.h"

namespace ghm::job_attribution {

/// Whose device is it? From a device plugin's id without its replica ("GPU-...", "MIG-...", "0", a DRA device "gpu-0") to the
/// GPU, as far as somebody on this host knows; all empty when nobody does.
using ResolveDevice = std::function<transport::GpuName(std::string_view device_id)>;

/// The pods that hold GPUs, from the kubelet's answer to List: "namespace/pod/container" per GPU, sorted, each once. Devices
/// of other vendors are passed over. Facts: resource (its name), device (where the id is not a GPU's UUID), claim (DRA).
/// Pure. invalid_input when it is no such answer.
Result<std::vector<transport::JobNow>> read_pod_list(std::string_view message, const ResolveDevice& resolve);

/// The id without what time slicing and MPS add to it: "GPU-...::3" -> "GPU-...".
std::string_view without_replica(std::string_view device_id);

}  // namespace ghm::job_attribution
