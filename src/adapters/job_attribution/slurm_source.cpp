#include "adapters/job_attribution/slurm_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

namespace ghm::job_attribution {
namespace {

std::string read_some(const std::filesystem::path& path, std::size_t most) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return {};
  std::string text(most, '\0');
  const auto size = ::read(file, text.data(), most);
  ::close(file);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

}  // namespace

std::optional<SlurmJob> SlurmSource::look(std::uint32_t pid) const {
  constexpr std::size_t kCgroup = 16 << 10;
  const auto folder = config_.root / "proc" / std::to_string(pid);
  const auto id = slurm_job_in_cgroup(read_some(folder / "cgroup", kCgroup));
  auto said = slurm_job_in_environment(read_some(folder / "environ", kMostEnvironment));
  // The environment is the program's own word: it adds to the group's, and speaks alone only where Slurm makes no groups.
  if (said && (id.empty() || said->id == id)) return said;
  if (!id.empty()) return SlurmJob{id, {}};
  return std::nullopt;
}

transport::SourceRound SlurmSource::collect(Timestamp) {
  constexpr std::size_t kStat = 1024;
  transport::SourceRound round;
  std::vector<transport::JobNow> jobs;
  std::set<Key> alive;
  std::size_t looks = 0;
  for (const auto& process : processes_()) {
    const auto start = start_time(read_some(config_.root / "proc" / std::to_string(process.pid) / "stat", kStat));
    if (!start) continue;  // it has ended
    const Key key{process.pid, *start};
    alive.insert(key);
    auto found = known_.find(key);
    if (found == known_.end()) {
      if (looks++ >= kMostLooks || known_.size() >= kMostKnown) continue;
      found = known_.emplace(key, look(process.pid)).first;
    }
    if (found->second) jobs.push_back({process.gpu, "job", found->second->id, found->second->facts});
  }
  std::erase_if(known_, [&](const auto& entry) { return !alive.contains(entry.first); });
  std::ranges::sort(jobs);
  // One job's processes on one GPU are one job on it, whatever each may have made of its environment.
  jobs.erase(std::unique(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.gpu == b.gpu && a.name == b.name; }),
             jobs.end());
  is_slurm_host_ = is_slurm_host_ || !jobs.empty();
  if (is_slurm_host_) round.jobs = std::move(jobs);
  return round;
}

}  // namespace ghm::job_attribution
