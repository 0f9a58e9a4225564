#include "adapters/job_attribution/slurm_process.h"

#include <algorithm>
#include <charconv>

namespace ghm::job_attribution {
namespace {

using std::string_view;

constexpr std::size_t kMostValue = 100;

bool is_number(string_view text) {
  return !text.empty() && text.size() <= 10 && text.find_first_not_of("0123456789") == text.npos;
}

std::string plain(string_view text) {
  std::string out(text.substr(0, kMostValue));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

string_view value_of(string_view environment, string_view name) {
  while (!environment.empty()) {
    const auto end = environment.find('\0');
    const auto entry = environment.substr(0, end);
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) return entry.substr(name.size() + 1);
    if (end == environment.npos) break;
    environment.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

std::string slurm_job_in_cgroup(string_view cgroup) {
  constexpr string_view kJob = "/job_";
  while (!cgroup.empty()) {
    const auto end = cgroup.find('\n');
    const auto line = cgroup.substr(0, end);
    const auto slurm = line.find("slurm");
    const auto job = slurm == line.npos ? line.npos : line.find(kJob, slurm);
    if (job != line.npos) {
      const auto id = line.substr(job + kJob.size(), line.find('/', job + kJob.size()) - (job + kJob.size()));
      if (is_number(id)) return std::string(id);
    }
    if (end == cgroup.npos) break;
    cgroup.remove_prefix(end + 1);
  }
  return {};
}

std::optional<SlurmJob> slurm_job_in_environment(string_view environment) {
  const auto id = value_of(environment, "SLURM_JOB_ID");
  if (!is_number(id)) return std::nullopt;
  SlurmJob job{std::string(id), {}};
  constexpr std::pair<const char*, const char*> kFacts[] = {
      {"user", "SLURM_JOB_USER"}, {"partition", "SLURM_JOB_PARTITION"}, {"job_name", "SLURM_JOB_NAME"}};
  for (const auto& [fact, variable] : kFacts)
    if (const auto value = value_of(environment, variable); !value.empty()) job.facts[fact] = plain(value);
  const auto array = value_of(environment, "SLURM_ARRAY_JOB_ID"), task = value_of(environment, "SLURM_ARRAY_TASK_ID");
  if (is_number(array) && is_number(task)) job.facts["array"] = std::string(array) + "_" + std::string(task);
  return job;
}

std::optional<std::uint64_t> start_time(string_view stat) {
  constexpr int kFieldsAfterName = 20;  // the name, field 2, stands in brackets and may hold anything
  const auto name_end = stat.rfind(") ");
  if (name_end == stat.npos) return std::nullopt;
  auto rest = stat.substr(name_end + 2);
  for (int field = 1; field < kFieldsAfterName; ++field) {
    const auto blank = rest.find(' ');
    if (blank == rest.npos) return std::nullopt;
    rest.remove_prefix(blank + 1);
  }
  std::uint64_t ticks = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
  return error == std::errc() ? std::optional(ticks) : std::nullopt;
}

}  // namespace ghm::job_attribution
