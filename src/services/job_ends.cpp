#include "services/job_ends.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::services {
namespace {

using namespace faults;

constexpr auto kRemember = 10min;
constexpr std::size_t kMostSigns = 64;  // of a board or a host: a storm of one adds nothing

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
    on.before.insert(name);
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
  std::set<std::string> touched;
  const auto touch = [&](const OnBoard& on) {
    touched.insert(on.jobs.begin(), on.jobs.end());
    touched.insert(on.before.begin(), on.before.end());
  };
  auto& signs = sign.board != BoardId::none ? boards_[sign.board].signs : of_hosts_[sign.host];
  signs.push_back(sign);
  if (signs.size() > kMostSigns) signs.pop_front();
  if (sign.board != BoardId::none) touch(boards_[sign.board]);
  else
    for (const auto& [board, on] : boards_)
      if (on.host == sign.host) touch(on);
  for (const auto& name : touched) look(name);
}

// Signs of the board, and of the host under it.
template <class Visit>
void JobEnds::each_sign(BoardId board, Visit visit) const {
  const auto on = boards_.find(board);
  if (on == boards_.end()) return;
  for (const auto& s : on->second.signs) visit(s);
  if (const auto host = of_hosts_.find(on->second.host); host != of_hosts_.end())
    for (const auto& s : host->second) visit(s);
}

bool JobEnds::is_mute(BoardId board) const {
  bool mute = false;
  each_sign(board, [&](const Sign& s) { mute |= silences(s); });
  return mute;
}

// The heaviest one shortly before the end on a board of the job; of these the first.
const Sign* JobEnds::sign_before(const Job& job, Timestamp first_end, Timestamp last_end) const {
  const Sign* best = nullptr;
  const auto visit = [&](const Sign& s) {
    if (s.at > last_end + kLateSign || first_end - s.at > kAfterSign) return;
    if (best == nullptr || s.severity > best->severity || (s.severity == best->severity && s.at < best->at)) best = &s;
  };
  for (const auto& [board, at] : job.ended) each_sign(board, visit);
  for (const auto board : job.holding) each_sign(board, visit);
  return best;
}

void JobEnds::look(const std::string& name) {
  const auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  auto& job = found->second;
  if (job.told || job.ended.empty()) return;
  if (!std::ranges::all_of(job.holding, [this](BoardId b) { return is_mute(b); })) return;  // it still runs there
  auto first = job.ended.begin()->second, last = first;
  for (const auto& [board, at] : job.ended) {
    first = std::min(first, at);
    last = std::max(last, at);
  }
  if (last - first > kWithin) return;
  const auto* sign = sign_before(job, first, last);
  if (sign == nullptr) return;
  job.told = true;
  found_.push_back({name, last, *sign, job.ended.size() + job.holding.size(), job.holding.size()});
}

std::vector<FaultyEnd> JobEnds::take() {
  return std::exchange(found_, {});
}

void JobEnds::forget(Timestamp now) {
  if (now < next_sweep_ && next_sweep_ - now <= kRemember) return;
  next_sweep_ = now + kRemember / 2;
  const auto old = [&](const Sign& s) { return now - s.at > kRemember; };
  std::erase_if(jobs_, [&](const auto& j) { return j.second.holding.empty() && now - j.second.newest > kRemember; });
  for (auto& [board, on] : boards_) {
    std::erase_if(on.signs, old);
    std::erase_if(on.before, [&](const std::string& name) { return !jobs_.contains(name); });
  }
  std::erase_if(boards_, [](const auto& b) { return b.second.jobs.empty() && b.second.before.empty() && b.second.signs.empty(); });
  for (auto& [host, signs] : of_hosts_) std::erase_if(signs, old);
  std::erase_if(of_hosts_, [](const auto& h) { return h.second.empty(); });
}

}  // namespace ghm::services
