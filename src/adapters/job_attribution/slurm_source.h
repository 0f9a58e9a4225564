#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "adapters/job_attribution/slurm_process.h"
#include "domain/transport/host_round.h"

namespace ghm::job_attribution {

/// A process that computes on a GPU now, as another source says.
struct GpuProcess {
  transport::GpuName gpu;
  std::uint32_t pid = 0;
};

struct SlurmConfig {
  std::filesystem::path root = "/";  // below it: proc/PID/...
};

/// The Slurm jobs of the processes on the GPUs. A process is looked at once: its cgroup tells the job, its environment
/// (where it may be read: same user, root, or CAP_SYS_PTRACE) the user, partition and name. At most kMostLooks new processes
/// a round, each with three small reads; the others wait for the next.
class SlurmSource final : public transport::AgentSource {
 public:
  static constexpr std::size_t kMostLooks = 64, kMostKnown = 4096, kMostEnvironment = 64 << 10;
  using Processes = std::function<std::vector<GpuProcess>()>;

  SlurmSource(SlurmConfig config, Processes processes) : config_(std::move(config)), processes_(std::move(processes)) {}
  std::string_view name() const override { return "slurm"; }
  transport::SourceRound collect(Timestamp now) override;

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;  // number and start
  std::optional<SlurmJob> look(std::uint32_t pid) const;

  SlurmConfig config_;
  Processes processes_;
  std::map<Key, std::optional<SlurmJob>> known_;
  bool is_slurm_host_ = false;
};

}  // namespace ghm::job_attribution
