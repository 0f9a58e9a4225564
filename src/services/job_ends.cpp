#include "services/job_ends.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::services {
namespace {

using namespace faults;

constexpr auto kRemember = 10min;
constexpr std::size_t kMostSigns = 20'000;

std::string counted(std::size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

// On these boards nobody can see any longer whether the job still runs.
bool silences(const Sign& s) {
  const auto family = EvidenceTable::built_in()[s.what].family;
  return family == Family::silence || family == Family::pcie;
}

}  // namespace

std::string FaultyEnd::sentence() const {
  const auto gap = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::abs(at - sign.at)).count();
  const auto& says = EvidenceTable::built_in()[sign.what].says;
  return fmt::format("job {} ended on {}{}, {} s {} {} on {}; whether it failed or was ended is not told", job, counted(boards, "GPU"),
                     silent > 0 ? fmt::format(" ({} cannot say)", silent) : "", gap, at >= sign.at ? "after:" : "before:", says,
                     sign.board == BoardId::none ? "host " + sign.host : "GPU " + sign.gpu);
}

void JobEnds::runs(BoardId board, const std::string& host, std::set<std::string> jobs, Timestamp at) {
  auto& on = boards_[board];
  if (!host.empty()) on.host = host;
  const auto before = std::exchange(on.jobs, std::move(jobs));
  for (const auto& name : on.jobs) {
    auto& job = jobs_[name];
    if (job.told || (job.holding.empty() && at - job.newest > kRemember)) job = {};  // the name runs once more
    job.holding.insert(board);
    job.ended.erase(board);
    job.newest = std::max(job.newest, at);
  }
  for (const auto& name : before) {
    if (on.jobs.contains(name)) continue;
    auto& job = jobs_[name];
    job.holding.erase(board);
    job.ended[board] = at;
    job.newest = std::max(job.newest, at);
    look(name);
  }
  forget(at);
}

void JobEnds::hear(const Sign& sign) {
  static const auto job_failed = evidence("job_failed");
  if (sign.severity < Severity::error || sign.what == job_failed) return;
  signs_.push_back(sign);
  if (signs_.size() > kMostSigns) signs_.pop_front();
  for (const auto& [name, job] : jobs_) {
    const bool touched = std::ranges::any_of(job.ended, [&](const auto& e) { return is_on(sign, e.first); }) ||
                         std::ranges::any_of(job.holding, [&](BoardId b) { return is_on(sign, b); });
    if (touched && !job.ended.empty()) look(name);
  }
}

bool JobEnds::is_on(const Sign& sign, BoardId board) const {
  if (sign.board != BoardId::none) return sign.board == board;
  const auto on = boards_.find(board);
  return on != boards_.end() && !on->second.host.empty() && on->second.host == sign.host;
}

// The newest one before the end that hurt a board of the job.
const Sign* JobEnds::sign_before(const Job& job, Timestamp first_end, Timestamp last_end) const {
  const Sign* best = nullptr;
  for (const auto& s : signs_) {
    if (s.at > last_end + kLateSign || first_end - s.at > kAfterSign) continue;
    const bool of_job = std::ranges::any_of(job.ended, [&](const auto& e) { return is_on(s, e.first); }) ||
                        std::ranges::any_of(job.holding, [&](BoardId b) { return is_on(s, b); });
    if (of_job && (best == nullptr || s.severity > best->severity || (s.severity == best->severity && s.at < best->at))) best = &s;
  }
  return best;
}

void JobEnds::look(const std::string& name) {
  auto& job = jobs_[name];
  if (job.told || job.ended.empty()) return;
  auto first = job.ended.begin()->second, last = first;
  for (const auto& [board, at] : job.ended) {
    first = std::min(first, at);
    last = std::max(last, at);
  }
  if (last - first > kWithin) return;
  const auto* sign = sign_before(job, first, last);
  if (sign == nullptr) return;
  std::size_t silent = 0;
  for (const auto board : job.holding) {
    const bool mute = std::ranges::any_of(signs_, [&](const Sign& s) { return silences(s) && is_on(s, board); });
    if (!mute) return;  // it still runs there
    ++silent;
  }
  job.told = true;
  found_.push_back({name, last, *sign, job.ended.size() + job.holding.size(), silent});
}

std::vector<FaultyEnd> JobEnds::take() {
  return std::exchange(found_, {});
}

const std::set<std::string>& JobEnds::of(BoardId board) const {
  static const std::set<std::string> none;
  const auto on = boards_.find(board);
  return on == boards_.end() ? none : on->second.jobs;
}

void JobEnds::forget(Timestamp now) {
  while (!signs_.empty() && now - signs_.front().at > kRemember) signs_.pop_front();
  std::erase_if(jobs_, [&](const auto& j) { return j.second.holding.empty() && now - j.second.newest > kRemember; });
}

}  // namespace ghm::services
