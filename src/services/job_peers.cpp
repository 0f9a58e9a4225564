#include "services/job_peers.h"

#include <unordered_map>

#include "pipeline/ledger_records.h"

namespace ghm::services {
namespace {

constexpr auto kEvery = 15min;
constexpr auto kMostOfADay = 12h;   // a job that runs for less has no part in most of the mean
constexpr auto kReportStands = 1h;  // an older report is of a board that nobody hears
constexpr std::size_t kMostPeers = 64;

std::vector<fleet::Interval> jobs_in(const store::Record& record, Timestamp now) {
  if (record.body.find("\"job\"") == std::string::npos) return {};
  auto intervals = pipeline::parse_intervals(record);
  if (!intervals) return {};
  std::erase_if(*intervals, [&](const fleet::Interval& i) { return i.kind != "job" || i.from > now - kMostOfADay; });
  return std::move(*intervals);
}

}  // namespace

void JobPeers::refresh(const views::FleetSnapshot& fleet, Timestamp now) {
  if (now < next_ && next_ - now <= kEvery) return;  // unless the clock went back
  next_ = now + kEvery;
  read_jobs(fleet, now);
}

void JobPeers::read_jobs(const views::FleetSnapshot& fleet, Timestamp now) {
  constexpr std::size_t kPage = 1000;
  std::unordered_map<fleet::BoardId, const views::BoardView*> views;
  for (const auto& view : fleet.boards) views[view.board.id] = &view;
  std::map<std::string, std::vector<Worker>> jobs;
  std::map<fleet::BoardId, std::vector<std::string>> jobs_of;
  for (std::string after;;) {
    const auto page = records_.scan("open", "", after, kPage);
    if (!page) return;
    for (const auto& record : *page) {
      after = record.key;
      for (const auto& job : jobs_in(record, now)) {
        const auto view = views.find(job.board);
        if (view == views.end() || !view->second->board.in_service) continue;
        jobs_of[job.board].push_back(job.value);
        const auto& report = view->second->health;
        const bool stands = report && report->busy_clock && report->at >= to_unix_seconds(now - kReportStands);
        if (stands) jobs[job.value].push_back({job.board, view->second->board.model, *report->busy_clock});
      }
    }
    if (page->size() < kPage) break;
  }
  jobs_ = std::move(jobs);
  jobs_of_ = std::move(jobs_of);
}

std::vector<health::Peer> JobPeers::of(const fleet::Board& board) const {
  std::vector<health::Peer> out;
  const auto mine = jobs_of_.find(board.id);
  if (mine == jobs_of_.end()) return out;
  for (const auto& job : mine->second) {
    const auto found = jobs_.find(job);
    if (found == jobs_.end()) continue;
    const auto& workers = found->second;
    const auto stride = workers.size() / kMostPeers + 1;
    for (std::size_t n = 0; n < workers.size() && out.size() < kMostPeers; n += stride)
      if (workers[n].board != board.id && workers[n].model == board.model) out.push_back({{}, false, true, workers[n].busy_clock});
  }
  return out;
}

}  // namespace ghm::services
