// The line of time: everything that was heard, in lanes, with the first abnormal sign marked.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/views/causal.h"
#include "domain/views/json_fields.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostMoments = 1000, kMostJobs = 200;
constexpr std::array<const char*, 4> kSeverities = {"info", "warning", "error", "critical"};
constexpr auto kNear = 15min;  // a cascade on one board is over within this time: docs/incidents.md

Timestamp moment(const Json& j, const char* name) {
  return from_unix_ms(whole(j, name));
}

bool is_ours(const CausalFacts& f, std::int64_t board) {
  return board != 0 && std::ranges::any_of(f.boards, [&](const CausalBoard& b) { return static_cast<std::int64_t>(b.id) == board; });
}

// ---- incidents

bool is_direct(const CausalFacts& f, const Json& part) {
  if (is_ours(f, whole(part, "board"))) return true;
  if (f.about.what == AboutKind::host && text(part, "host") == f.about.host) return true;
  return f.about.what == AboutKind::job && text(part, "job") == f.about.job;
}

bool is_of_the_host(const CausalFacts& f, const Json& part) {
  return whole(part, "board") == 0 && f.hosts.contains(text(part, "host"));
}

// Its newest opening: what was cleared months ago is another episode.
Timestamp begin_of(const Json& body) {
  auto begins = moment(body, "opened");
  for (const auto& h : at(body, "history"))
    if (text(h, "what") == "reopened") begins = moment(h, "at");
  return begins;
}

void find_first_sign(const CausalFacts& f, CausalIncident& i) {
  const Json* first = nullptr;
  bool ours = false;
  for (const auto& line : at(*i.body, "lines")) {
    if (moment(line, "at") < i.begins) continue;
    const bool here = is_ours(f, whole(line, "board"));
    // A sign of the board that is asked about goes before an earlier one elsewhere; a host or job is all of its boards.
    if (first != nullptr && (ours && !here)) continue;
    if (first != nullptr && ours == here && moment(line, "at") >= moment(*first, "at")) continue;
    first = &line;
    ours = here;
  }
  i.first_sign = first != nullptr ? moment(*first, "at") : i.begins;
  if (first != nullptr) i.first_event = text(*first, "id");
}

double matter(const CausalFacts& f, const CausalIncident& i) {
  const bool open = text(*i.body, "state") == "open";
  const auto until = open && f.about.what != AboutKind::job ? std::max(i.last, f.about.at) : i.last;
  std::chrono::milliseconds away{};
  if (f.about.at < i.begins) away = i.begins - f.about.at;
  else if (f.about.at > until) away = f.about.at - until;
  const double days = std::chrono::duration<double>(away).count() / 86400;
  return (away <= kNear ? 8 : 0) + (open ? 4 : 0) + static_cast<double>(whole(*i.body, "severity")) + (i.direct ? 2 : 0) +
         (at(at(*i.body, "ranking"), "cannot_tell") == false ? 1 : 0) - std::min(3.0, days / 3);
}

std::optional<CausalIncident> read_incident(const CausalFacts& f, const Json& body) {
  CausalIncident i;
  i.body = &body;
  bool touched = false;
  for (const auto& p : at(body, "parts")) {
    i.direct |= is_direct(f, p);
    touched |= is_of_the_host(f, p);
  }
  if (!i.direct && !touched) return std::nullopt;
  i.begins = begin_of(body);
  i.last = moment(body, "last");
  find_first_sign(f, i);
  i.matter = matter(f, i);
  return i;
}

// ---- moments

constexpr std::string_view kLedgerKinds[] = {"gpu_appeared", "gpu_moved",     "gpu_returned", "gpu_replaced",     "gpu_retired",
                                             "gpu_back",     "driver_change", "vbios_change", "identity_conflict"};

faults::Severity severity_of(const faults::Heard& h, const std::string& driver) {
  faults::Where where;
  where.driver = driver;
  const auto reading = faults::read(h, where);
  const auto* sign = std::get_if<faults::Sign>(&reading);
  return sign != nullptr ? sign->severity : faults::Severity::info;
}

class Line {
 public:
  Line(const CausalFacts& facts, const std::vector<CausalIncident>& incidents) : f_(facts), incidents_(incidents) {
    for (const auto& b : f_.boards) by_id_[b.id] = &b;
    for (const auto& i : incidents_)
      for (const auto& line : at(*i.body, "lines")) incident_of_.emplace(text(line, "id"), number_of(i));
  }

  std::vector<Moment> moments() {
    for (const auto& h : f_.events) add_event(h);
    for (const auto& i : incidents_) add_incident(i);
    add_jobs();
    for (const auto& s : f_.falls) add_fall(s);
    for (const auto& m : f_.maintenance) add_maintenance(m);
    mark_first();
    return std::move(all_);
  }

 private:
  void add(Moment m) {
    if (f_.about.range.contains(m.at)) all_.push_back(std::move(m));
  }

  void add_event(const faults::Heard& h) {
    Moment m;
    const auto board = by_id_.find(h.board);
    m.at = h.at;
    m.id = h.id;
    m.kind = h.kind;
    m.code = h.code;
    m.detail = h.detail;
    m.host = h.host;
    m.job = h.job;
    if (board != by_id_.end()) m.gpu = board->second->gpu;
    else if (const auto named = f_.gpu_of.find(h.id); named != f_.gpu_of.end()) m.gpu = named->second;
    const bool of_switch = h.nvswitch >= 0 || h.kind == "sxid";
    m.lane = of_switch ? "switch" : h.kind.starts_with("job_") ? "job" : h.board != fleet::BoardId::none ? "gpu" : "host";
    m.what = std::ranges::find(kLedgerKinds, h.kind) != std::end(kLedgerKinds) ? "ledger" : "event";
    const auto severity = severity_of(h, h.driver.empty() && board != by_id_.end() ? board->second->driver : h.driver);
    m.severity = kSeverities[static_cast<std::size_t>(severity)];
    if (const auto incident = incident_of_.find(h.id); incident != incident_of_.end()) m.incident = incident->second;
    m.weight = static_cast<int>(severity) + (m.incident.empty() ? 0 : 4);
    add(std::move(m));
  }

  static std::string number_of(const CausalIncident& i) { return std::to_string(whole(*i.body, "id")); }

  void add_incident(const CausalIncident& i) {
    const auto scope = text(*i.body, "scope");
    const auto& parts = at(*i.body, "parts");
    for (const auto& h : at(*i.body, "history")) {
      Moment m;
      m.at = moment(h, "at");
      m.what = "incident";
      m.kind = text(h, "what");
      m.detail = text(h, "why");
      m.lane = scope == "board" || scope == "link" ? "gpu" : scope == "nvswitch" ? "switch" : scope == "job" ? "job" : "host";
      if (!parts.empty()) {
        m.gpu = m.lane == "gpu" ? text(parts[0], "gpu") : "";
        m.host = text(parts[0], "host");
      }
      m.severity = kSeverities[static_cast<std::size_t>(std::clamp<std::int64_t>(whole(*i.body, "severity"), 0, 3))];
      m.incident = number_of(i);
      m.weight = 8;
      add(std::move(m));
    }
  }

  void add_job(const CausalJob& j, bool asked) {
    const auto size = fmt::format("on {} of {}", counted(j.boards.size(), "GPU"), counted(j.hosts.size(), "host"));
    Moment m;
    m.lane = m.what = "job";
    m.job = j.job;
    m.host = j.hosts.size() == 1 ? *j.hosts.begin() : "";
    m.weight = asked ? 9 : 0;
    m.at = j.from;
    m.kind = "started";
    m.detail = fmt::format("job {} runs {}{}", j.job, size, j.user.empty() ? "" : " for " + j.user);
    add(m);
    if (!j.to) return;
    m.at = *j.to;
    m.kind = "ended";
    m.detail = fmt::format("job {} no longer runs here", j.job);
    add(m);
  }

  void add_jobs() {
    if (f_.job) add_job(*f_.job, true);
    auto near = f_.jobs;  // those around the moment in question say most
    std::ranges::stable_sort(near, {}, [&](const CausalJob& j) {
      const auto end = j.to.value_or(f_.about.range.to);
      return f_.about.at < j.from ? j.from - f_.about.at : f_.about.at > end ? f_.about.at - end : 0ms;
    });
    for (std::size_t n = 0; n < std::min(near.size(), kMostJobs); ++n) add_job(near[n], false);
    jobs_left_ = near.size() > kMostJobs ? 2 * (near.size() - kMostJobs) : 0;
  }

  void add_fall(const ScoreFall& s) {
    Moment m;
    m.at = s.at;
    m.lane = "gpu";
    m.what = "score";
    m.kind = "fell";
    if (const auto board = by_id_.find(s.board); board != by_id_.end()) {
      m.gpu = board->second->gpu;
      m.host = board->second->host;
    }
    m.severity = s.to < 50 ? "error" : "warning";
    m.detail = fmt::format("its score fell from {:.1f} to {:.1f}", s.from, s.to);
    m.weight = 3;
    add(std::move(m));
  }

  void add_maintenance(const fleet::Maintenance& w) {
    Moment m;
    m.lane = w.scope == fleet::Maintenance::Scope::gpu ? "gpu" : "host";
    m.what = "maintenance";
    m.gpu = w.scope == fleet::Maintenance::Scope::gpu ? w.target : "";
    m.host = w.scope == fleet::Maintenance::Scope::host ? w.target : "";
    m.weight = 7;
    m.at = w.from;
    m.kind = "started";
    m.detail = fmt::format("{} {} under maintenance{}", fleet::to_string(w.scope), w.target, w.reason.empty() ? "" : ": " + w.reason);
    add(m);
    if (!w.until || *w.until > f_.as_of) return;
    m.at = *w.until;
    m.kind = "ended";
    m.detail = fmt::format("maintenance of {} {} is over", fleet::to_string(w.scope), w.target);
    add(m);
  }

  // The event that told the first sign; where that is not among these, the step that opened the incident.
  void mark_first() {
    if (incidents_.empty()) return;
    const auto& i = incidents_.front();
    const auto told = std::ranges::find_if(all_, [&](const Moment& m) { return !m.id.empty() && m.id == i.first_event; });
    if (told != all_.end()) {
      told->first = true;
      return;
    }
    const auto opened =
        std::ranges::find_if(all_, [&](const Moment& m) { return m.what == "incident" && m.incident == number_of(i) && m.at >= i.begins; });
    if (opened != all_.end()) opened->first = true;
  }

  static std::string counted(std::size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

  const CausalFacts& f_;
  const std::vector<CausalIncident>& incidents_;
  std::map<fleet::BoardId, const CausalBoard*> by_id_;
  std::map<std::string, std::string> incident_of_;  // by the event's id
  std::vector<Moment> all_;

 public:
  std::size_t jobs_left_ = 0;
};

}  // namespace

std::vector<CausalIncident> causal_incidents(const CausalFacts& facts) {
  std::vector<CausalIncident> out;
  for (const auto& body : facts.incidents)
    if (auto i = read_incident(facts, body)) out.push_back(std::move(*i));
  std::ranges::stable_sort(out, std::greater<>(), &CausalIncident::matter);
  return out;
}

std::vector<Moment> causal_moments(const CausalFacts& facts, const std::vector<CausalIncident>& incidents, std::size_t& left_out) {
  Line line(facts, incidents);
  auto all = line.moments();
  left_out = facts.events_left + line.jobs_left_;
  if (all.size() > kMostMoments) {
    // The lightest go, the farthest from the moment in question first.
    std::ranges::stable_sort(all, [&](const Moment& a, const Moment& b) {
      const auto away = [&](const Moment& m) { return std::chrono::abs(m.at - facts.about.at); };
      return std::tuple(!a.first, -a.weight, away(a)) < std::tuple(!b.first, -b.weight, away(b));
    });
    left_out += all.size() - kMostMoments;
    all.resize(kMostMoments);
  }
  std::ranges::stable_sort(all, {}, &Moment::at);
  return all;
}

}  // namespace ghm::views
