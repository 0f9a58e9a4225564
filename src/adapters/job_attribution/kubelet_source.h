#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/job_attribution/grpc_call.h"
#include "adapters/job_attribution/pod_list.h"
#include "domain/transport/host_round.h"

namespace ghm::job_attribution {

struct KubeletConfig {
  std::filesystem::path socket = "/var/lib/kubelet/pod-resources/kubelet.sock";
  std::chrono::milliseconds interval{30'000};  // the kubelet is asked no oftener
  GrpcCall::Limits limits;
};

/// The pods that hold GPUs, by the kubelet's PodResources service. Asked in the background; until an answer has come, and
/// when none comes, nothing is said about jobs. A host without that socket runs no kubelet: no trouble.
class KubeletSource final : public transport::AgentSource {
 public:
  KubeletSource(KubeletConfig config, ResolveDevice resolve);
  std::string_view name() const override { return "kubelet"; }
  transport::SourceRound collect(Timestamp now) override;
  std::vector<transport::AgentEvent> listen(Timestamp now) override;

 private:
  using Steady = std::chrono::steady_clock;
  void start_if_due();
  void step();
  void fail(const Error& error);

  KubeletConfig config_;
  ResolveDevice resolve_;
  std::unique_ptr<GrpcCall> call_;
  std::optional<std::vector<transport::JobNow>> jobs_;
  std::string trouble_;
  Steady::time_point next_{};
};

}  // namespace ghm::job_attribution
