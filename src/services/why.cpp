#include "services/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "domain/faults/known_then.h"
#include "domain/store/subjects.h"
#include "pipeline/ledger_records.h"
#include "services/incident_records.h"
#include "services/job_runs.h"
#include "services/score_history.h"

namespace ghm::services {
namespace {

using fleet::BoardId;
using views::AboutKind, views::CausalFacts, views::CausalJob;

constexpr std::size_t kMostEvents = 20'000, kMostEventsEach = 5'000, kMostIncidents = 500, kMostIncidentsEach = 200;
constexpr std::size_t kMostBoards = 4096, kMostOtherBoards = 64, kMostWholeJobs = 12, kMostIntervals = 2'000;
constexpr auto kAround = 30min;     // behind the moment in question: what it brought about
constexpr auto kBeforeJob = 15min;  // what was wrong with its boards before it began
constexpr auto kLongestJob = std::chrono::days(30);
constexpr double kFall = 5;  // points

class Gathering {
 public:
  Gathering(const store::RecordStore& records, const store::TelemetryStore& telemetry, const views::FleetSnapshot& fleet,
            const WhyQuestion& question, Timestamp now)
      : records_(records), telemetry_(telemetry), fleet_(fleet), q_(question), now_(now) {}

  Result<CausalFacts> gather() {
    out_.as_of = fleet_.as_of;
    if (auto done = q_.board ? about_board() : q_.job.empty() ? about_host() : about_job(); !done) return done.error();
    for (const auto step :
         {&Gathering::read_events, &Gathering::read_incidents, &Gathering::read_jobs, &Gathering::read_scores, &Gathering::read_agents})
      if (auto done = (this->*step)(); !done) return done.error();
    read_maintenance();
    return std::move(out_);
  }

 private:
  // ---- what it is about

  void set_range() {
    out_.about.at = std::min(q_.at.value_or(now_), now_);
    out_.about.as_then = q_.at.has_value();
    out_.about.range = {out_.about.at - std::chrono::days(q_.days), std::min(out_.about.at + kAround, now_ + 1ms)};
  }

  void add_board(const fleet::Board& b) {
    out_.boards.push_back({b.id, b.serial.empty() ? b.uuid : b.serial, b.host, b.place.rack, b.driver_version, b.first_seen});
    if (out_.boards.back().gpu.empty()) out_.boards.back().gpu = fmt::format("board-{}", static_cast<std::uint32_t>(b.id));
  }

  Result<void> about_board() {
    const auto& b = fleet_.boards[*q_.board].board;
    out_.about.what = AboutKind::gpu;
    set_range();
    add_board(b);
    // Where it stood, not only where it stands.
    const auto slots = pipeline::board_intervals(records_, b.id, "slot");
    if (!slots) return slots.error();
    out_.about.host = b.host;
    for (const auto& s : *slots) {
      const auto host = s.facts.find("host");
      if (host == s.facts.end() || s.from >= out_.about.range.to || (s.to && *s.to < out_.about.range.from)) continue;
      out_.hosts.insert(host->second);
      if (s.from <= out_.about.at && (!s.to || *s.to > out_.about.at)) out_.about.host = host->second;
    }
    if (!out_.about.host.empty()) out_.hosts.insert(out_.about.host);
    out_.boards.back().host = out_.about.host;
    out_.about.gpu = out_.boards.back().gpu;
    return {};
  }

  Result<void> about_host() {
    out_.about.what = AboutKind::host;
    out_.about.host = q_.host;
    set_range();
    const auto known = std::ranges::find(fleet_.hosts, q_.host, [](const views::HostView& h) { return h.host.name; });
    if (known == fleet_.hosts.end()) {
      const auto once = records_.about("event", store::host_subject(q_.host), {Timestamp(), now_ + std::chrono::days(2)}, 1);
      if (!once) return once.error();
      if (once->empty()) return no_such_host();
    } else {
      for (const auto b : known->boards) add_board(fleet_.boards[b].board);
    }
    out_.hosts.insert(q_.host);
    return {};
  }

  Error no_such_host() const {
    std::string some;
    for (std::size_t n = 0; n < std::min<std::size_t>(3, fleet_.hosts.size()); ++n)
      some += (n == 0 ? "" : ", ") + fleet_.hosts[n].host.name;
    return {Errc::not_found,
            fmt::format("There is no host '{}' in the ledger{}; GET /api/v1/fleet/layout lists all.", q_.host.substr(0, 80),
                        some.empty() ? std::string() : ": hosts are " + some + (fleet_.hosts.size() > 3 ? ", …" : ""))};
  }

  Result<void> about_job() {
    out_.about.what = AboutKind::job;
    out_.about.job = q_.job;
    auto run = job_run(records_, fleet_, q_.job, q_.at, now_);
    if (!run) return run.error();
    out_.job = std::move(*run);
    const auto end = out_.job->to.value_or(now_);
    out_.about.at = std::min(q_.at.value_or(end), now_);
    out_.about.as_then = q_.at.has_value();
    out_.about.range.from = std::max(out_.job->from - kBeforeJob, out_.about.at - std::chrono::days(q_.days));
    out_.about.range.to = std::min(out_.about.at + kAround, now_ + 1ms);
    if (out_.about.as_then && end >= out_.about.range.to) out_.job->to = std::nullopt;  // it ran then
    for (const auto& v : fleet_.boards)
      if (out_.job->boards.contains(v.board.id) && out_.boards.size() < kMostBoards) add_board(v.board);
    for (const auto& b : out_.boards)
      if (!b.host.empty()) out_.hosts.insert(b.host);
    out_.job->hosts = out_.hosts;
    out_.jobs_known = true;
    return {};
  }

  // ---- what was heard

  Result<void> read_events() {
    std::vector<std::string> subjects;
    if (out_.about.what == AboutKind::host) subjects.push_back(store::host_subject(out_.about.host));
    else {
      for (const auto& b : out_.boards) subjects.push_back(store::board_subject(b.id));
      for (const auto& h : out_.hosts) subjects.push_back(store::host_itself_subject(h));
    }
    const auto most = out_.about.what == AboutKind::host ? kMostEvents : kMostEventsEach;
    for (const auto& subject : subjects) {
      const auto found = records_.about("event", subject, out_.about.range, most + 1);
      if (!found) return found.error();
      for (std::size_t n = 0; n < found->size(); ++n) {
        if (n == most || out_.events.size() == kMostEvents) {
          out_.events_left += found->size() - n;
          break;
        }
        take_event((*found)[n]);
      }
    }
    return {};
  }

  void take_event(const store::Record& r) {
    auto h = heard(r);
    if (!h) return;
    if (const auto* gpu = gpu_name(h->board)) out_.gpu_of[h->id] = *gpu;
    out_.events.push_back(std::move(*h));
  }

  const std::string* gpu_name(BoardId id) {
    if (names_.empty())
      for (const auto& v : fleet_.boards) names_[v.board.id] = v.board.serial.empty() ? v.board.uuid : v.board.serial;
    const auto found = names_.find(id);
    return found == names_.end() || found->second.empty() ? nullptr : &found->second;
  }

  Result<void> read_incidents() {
    std::vector<std::string> subjects;
    for (const auto& b : out_.boards) subjects.push_back(store::board_subject(b.id));
    const bool of_host = out_.about.what == AboutKind::host;
    for (const auto& h : out_.hosts) subjects.push_back(of_host ? store::host_subject(h) : store::host_itself_subject(h));
    if (out_.job) subjects.push_back(store::job_subject(out_.job->job));
    std::unordered_set<std::string> seen;
    // A record carries its newest step: what began in the range may have changed behind it.
    const TimeRange changed{out_.about.range.from, now_ + std::chrono::days(2)};
    for (const auto& subject : subjects) {
      const auto found = records_.about("incident", subject, changed, kMostIncidentsEach);
      if (!found) return found.error();
      for (const auto& r : *found)
        if (out_.incidents.size() < kMostIncidents && seen.insert(r.key).second) take_incident(r);
    }
    return open_ones_before(subjects, seen);
  }

  // An incident that is open for longer than the range still says what is wrong now.
  Result<void> open_ones_before(const std::vector<std::string>& subjects, std::unordered_set<std::string>& seen) {
    if (out_.about.what == AboutKind::job) return {};
    for (const auto& subject : subjects) {
      const auto found = records_.about("incident", subject, {Timestamp(), out_.about.range.from}, kMostIncidentsEach);
      if (!found) return found.error();
      for (const auto& r : *found)
        if (r.body.find("\"state\":\"open\"") != r.body.npos && out_.incidents.size() < kMostIncidents && seen.insert(r.key).second)
          take_incident(r);
    }
    return {};
  }

  void take_incident(const store::Record& r) {
    auto body = views::Json::parse(r.body, nullptr, false);
    const auto time = [&](const char* name) {
      return body.value(name, views::Json()).is_number() ? from_unix_ms(body[name].get<std::int64_t>()) : Timestamp();
    };
    if (!body.is_object() || body.value("state", "") == "merged" || time("opened") >= out_.about.range.to) return;
    if (out_.job) {
      // What was over before the job began, or began long after its end, is not its story.
      const auto end = out_.job->to.value_or(now_);
      if (time("last") < out_.job->from - kBeforeJob || time("opened") > end + kAround) return;
    }
    if (out_.about.as_then && time("changed") > out_.about.range.to) body = as_known_then(r);
    if (body.is_object()) out_.incidents.push_back(std::move(body));
  }

  views::Json as_known_then(const store::Record& r) const {
    const auto incident = parse_incident(r);
    if (!incident) return nullptr;
    const auto then = faults::known_at(*incident, out_.about.range.to);
    if (!then) return nullptr;
    const auto& causes = faults::CauseTable::built_in();
    return views::Json::parse(to_record(*then, faults::rank(causes, faults::facts_of(*then)), causes).body);
  }

  // ---- what ran there

  Result<void> read_jobs() {
    std::map<std::string, std::vector<fleet::Interval>> by_job;
    std::size_t boards = 0;
    for (const auto& b : out_.boards) {
      if (out_.job && ++boards > kMostOtherBoards) break;
      for (const auto* kind : {"job", "pod"})
        if (auto done = read_intervals(b.id, kind, by_job); !done) return done;
    }
    out_.jobs_known |= !by_job.empty();
    for (auto& [name, intervals] : by_job)
      if (name != q_.job && !(out_.job && name.starts_with(q_.job + "/"))) out_.jobs.push_back(job_of(name, intervals));
    for (auto& j : out_.jobs)
      for (const auto& b : out_.boards)
        if (j.boards.contains(b.id)) j.hosts.insert(b.host);
    std::ranges::stable_sort(out_.jobs, std::greater<>(), &CausalJob::from);
    return whole_jobs();
  }

  // Ended intervals of a board stand in the order of their beginnings: those of a month before the range on are read.
  Result<void> read_intervals(BoardId board, const char* kind, std::map<std::string, std::vector<fleet::Interval>>& by_job) {
    const auto prefix = fmt::format("{:010}/{}/", static_cast<std::uint32_t>(board), kind);
    const auto since = std::max(out_.about.range.from - kLongestJob, Timestamp());
    auto ended = records_.scan("interval", prefix, fmt::format("{}{:015}", prefix, to_unix_ms(since)), kMostIntervals);
    if (!ended) return ended.error();
    const auto open = records_.get("open", fmt::format("{:010}", static_cast<std::uint32_t>(board)));
    if (!open) return open.error();
    if (*open) ended->push_back(**open);
    for (const auto& r : *ended) {
      const auto intervals = pipeline::parse_intervals(r);
      if (!intervals) continue;
      for (const auto& i : *intervals) {
        if (i.kind != kind) continue;
        out_.jobs_known = true;
        if (i.from < out_.about.range.to && (!i.to || *i.to >= out_.about.range.from)) by_job[i.value].push_back(i);
      }
    }
    return {};
  }

  // How large the jobs around the moment in question were, beyond these boards.
  Result<void> whole_jobs() {
    std::vector<CausalJob*> near;
    for (auto& j : out_.jobs) near.push_back(&j);
    std::ranges::stable_sort(near, {}, [&](const CausalJob* j) {
      const auto end = j->to.value_or(now_);
      return out_.about.at < j->from ? j->from - out_.about.at : out_.about.at > end ? out_.about.at - end : 0ms;
    });
    for (std::size_t n = 0; n < std::min(near.size(), kMostWholeJobs); ++n) {
      auto whole = job_run(records_, fleet_, near[n]->job, near[n]->from, now_);
      if (!whole) continue;
      for (const auto board : whole->boards)
        if (const auto* host = host_of(board)) whole->hosts.insert(*host);
      if (out_.about.as_then && whole->to && *whole->to >= out_.about.range.to) whole->to = std::nullopt;  // it ran then
      *near[n] = std::move(*whole);
    }
    return {};
  }

  const std::string* host_of(BoardId id) {
    if (hosts_.empty())
      for (const auto& v : fleet_.boards) hosts_[v.board.id] = &v.board.host;
    const auto found = hosts_.find(id);
    return found == hosts_.end() || found->second->empty() ? nullptr : found->second;
  }

  // ---- the rest

  Result<void> read_scores() {
    if (out_.about.what != AboutKind::gpu) return {};
    const auto board = out_.boards.front().id;
    const auto points = score_history(telemetry_, board, out_.about.range);
    if (!points) return points.error();
    std::optional<double> before;
    for (const auto& p : *points) {
      if (p.overall && before && *before - *p.overall >= kFall) out_.falls.push_back({p.at, board, *before, *p.overall});
      if (p.overall) before = p.overall;
    }
    return {};
  }

  Result<void> read_agents() {
    for (const auto& a : fleet_.agents)
      if (out_.hosts.contains(a.host)) out_.agents.insert(a.host);
    for (const auto& h : out_.hosts) {
      if (out_.agents.contains(h)) continue;
      const auto facts = records_.get("host_facts", h);
      if (!facts) return facts.error();
      if (*facts) out_.agents.insert(h);
    }
    return {};
  }

  void read_maintenance() {
    std::set<std::string> gpus, racks;
    for (const auto& b : out_.boards) {
      gpus.insert(b.gpu);
      racks.insert(b.rack);
    }
    for (const auto& h : fleet_.hosts)
      if (out_.hosts.contains(h.host.name)) racks.insert(h.host.place.rack);
    for (const auto& m : fleet_.maintenance.all()) {
      const auto& named = m.scope == fleet::Maintenance::Scope::gpu    ? gpus
                          : m.scope == fleet::Maintenance::Scope::host ? out_.hosts
                                                                       : racks;
      const bool overlaps = m.from < out_.about.range.to && (!m.until || *m.until > out_.about.range.from);
      if (named.contains(m.target) && overlaps) out_.maintenance.push_back(m);
    }
  }

  const store::RecordStore& records_;
  const store::TelemetryStore& telemetry_;
  const views::FleetSnapshot& fleet_;
  const WhyQuestion& q_;
  Timestamp now_;
  CausalFacts out_;
  std::map<BoardId, std::string> names_;
  std::map<BoardId, const std::string*> hosts_;
};

}  // namespace

Result<CausalFacts> why_facts(const store::RecordStore& records, const store::TelemetryStore& telemetry, const views::FleetSnapshot& fleet,
                              const WhyQuestion& question, Timestamp now) {
  return Gathering(records, telemetry, fleet, question, now).gather();
}

}  // namespace ghm::services
