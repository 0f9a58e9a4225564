#include "domain/views/causal.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/faults/action.h"
#include "domain/views/incident_view.h"
#include "domain/views/json_fields.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostIncidents = 10, kMostCauses = 3, kMostRuledOut = 4, kMostJobs = 100, kMostNames = 3;
constexpr double kRuledOut = 0.1;   // below this probability, with evidence against it
constexpr auto kTogether = 10min;   // a sign this long before a job's end may be its reason
constexpr auto kAfterwards = 2min;  // kernel lines and pages are read a little after a job has gone
constexpr std::string_view kKinds[] = {"gpu", "host", "job"};

/// An incident, and as GET incidents/{id} tells it.
struct Told : CausalIncident {
  Json detail;
};

Json text_or_null(const std::string& t) {
  return t.empty() ? Json() : Json(t);
}

std::string time_text(Timestamp t) {
  return format_rfc3339(t);
}

std::string counted(std::size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

// "h1, h2, h3 and 5 more"
std::string listed(const std::set<std::string>& names) {
  std::string out;
  std::size_t n = 0;
  for (const auto& name : names) {
    if (n == kMostNames) return out + fmt::format(" and {} more", names.size() - n);
    out += (n++ == 0 ? "" : ", ") + name;
  }
  return out;
}

std::string spoken(const About& a) {
  switch (a.what) {
    case AboutKind::gpu: return a.host.empty() ? "GPU " + a.gpu : fmt::format("GPU {} on {}", a.gpu, a.host);
    case AboutKind::host: return "host " + a.host;
    case AboutKind::job: break;
  }
  return "job " + a.job;
}

std::string capital(std::string sentence) {
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  return sentence;
}

// "most likely: PCIe connection, … (79 %)"
std::string likeliest(const Json& detail) {
  if (at(detail, "cannot_tell") == true) return "what was heard does not tell the cause";
  return fmt::format("most likely: {} ({})", text(detail, "cause_says"), percent(at(detail, "probability")));
}

bool is_open(const Told& i) {
  return text(*i.body, "state") == "open";
}

// A fault of a job's board is its reason only when it came before the end, and not long before.
bool explains(const CausalFacts& f, const Told& i) {
  if (!f.job || !f.job->to) return true;
  const auto end = *f.job->to;
  return i.first_sign <= end + kAfterwards && end - std::max(i.first_sign, std::min(i.last, end)) <= kTogether;
}

std::string cleared_at(const Told& i) {
  std::string when;
  for (const auto& h : at(i.detail, "history"))
    if (text(h, "what") == "cleared") when = text(h, "at");
  return when;
}

std::string job_state(const CausalFacts& f) {
  const auto& j = *f.job;
  const auto size = fmt::format("{} of {}", counted(j.boards.size(), "GPU"), counted(j.hosts.size(), "host"));
  return j.to ? fmt::format("job {} ended at {} on {}", j.job, time_text(*j.to), size)
              : fmt::format("job {} runs on {} since {}", j.job, size, time_text(j.from));
}

std::string nothing_heard(const CausalFacts& f) {
  const auto& a = f.about;
  if (f.job && f.job->to)
    return capital(job_state(f)) +
           "; nothing was heard from its boards and hosts around that time that would be a sign of a fault: it may "
           "have ended by itself";
  if (f.job) return capital(job_state(f)) + "; nothing was heard from its boards and hosts that would be a sign of a fault";
  return fmt::format("Nothing was heard of {} from {} to {} that would be a sign of a fault", spoken(a), time_text(a.range.from),
                     time_text(a.range.to));
}

std::string gap_text(std::chrono::milliseconds gap) {
  const auto s = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::abs(gap)).count();
  return s < 120    ? counted(static_cast<std::size_t>(s), "second")
         : s < 7200 ? fmt::format("{} minutes", s / 60)
                    : fmt::format("{} hours", s / 3600);
}

std::string job_verdict(const CausalFacts& f, const Told& i) {
  const auto sign = fmt::format("{}: {}", text(i.detail, "place"), text(i.detail, "sign_says"));
  if (!f.job->to)
    return fmt::format("{}; {} at {}; {} (incident {})", capital(job_state(f)), sign, time_text(i.first_sign), likeliest(i.detail),
                       text(i.detail, "id"));
  const auto gap = *f.job->to - i.first_sign;
  const auto when = gap >= 0s ? gap_text(gap) + " before its end" : gap_text(gap) + " after its end";
  if (!explains(f, i))
    return fmt::format("{}; {}, but {}: it is not known to be the reason (incident {})", capital(job_state(f)), sign, when,
                       text(i.detail, "id"));
  return fmt::format("{}; {} at {}, {}; {} (incident {})", capital(job_state(f)), sign, time_text(i.first_sign), when, likeliest(i.detail),
                     text(i.detail, "id"));
}

std::string verdict(const CausalFacts& f, const std::vector<Told>& incidents) {
  if (incidents.empty()) return nothing_heard(f) + ".";
  const auto& i = incidents.front();
  if (f.job) return job_verdict(f, i) + ".";
  const auto cleared = is_open(i) ? std::string() : fmt::format("; it was cleared at {}", cleared_at(i));
  const auto where = text(i.detail, "place");
  const auto place = where.find(f.about.what == AboutKind::gpu ? f.about.gpu : f.about.host) != where.npos
                         ? where
                         : fmt::format("{}, part of what happened to {}", spoken(f.about), where);
  return capital(fmt::format("{}: {} at {}; {} (incident {}){}.", place, text(i.detail, "sign_says"), time_text(i.first_sign),
                             likeliest(i.detail), text(i.detail, "id"), cleared));
}

Json step(faults::Action action, std::string because) {
  return {{"action", faults::to_string(action)}, {"says", faults::sentence_of(action)}, {"because", std::move(because)}};
}

Json next_step(const CausalFacts& f, const std::vector<Told>& incidents) {
  const bool job_ended = f.job && f.job->to;
  if (incidents.empty() || (f.job && !explains(f, incidents.front())))
    return job_ended ? step(faults::Action::restart_job, "nothing was heard that would speak against its boards") : Json();
  const auto& i = incidents.front();
  if (!is_open(i)) {
    if (!job_ended) return nullptr;
    return step(faults::Action::restart_job, fmt::format("incident {} was cleared at {}", text(i.detail, "id"), cleared_at(i)));
  }
  const auto action = faults::action_named(text(i.detail, "action"));
  return step(action.value_or(faults::Action::none), fmt::format("{}; {}", text(i.detail, "sign_says"), likeliest(i.detail)));
}

Json incidents_json(const std::vector<Told>& incidents) {
  Json out = Json::array();
  for (const auto& i : incidents) {
    Json row = i.detail;
    for (const auto* beyond :
         {"merged_into", "unknown_probability", "sides", "catalogue", "signs", "lines", "lines_left_out", "parts", "history"})
      row.erase(beyond);
    Json causes = Json::array();
    for (const auto& c : at(i.detail, "causes"))
      if (causes.size() < kMostCauses)
        causes.push_back({{"cause", at(c, "cause")},
                          {"says", at(c, "says")},
                          {"probability", at(c, "probability")},
                          {"action", at(c, "action")},
                          {"action_says", at(c, "action_says")},
                          {"evidence_for", at(c, "evidence_for")},
                          {"evidence_against", at(c, "evidence_against")}});
    row["causes"] = std::move(causes);
    out.push_back(std::move(row));
  }
  return out;
}

// Causes of the first incident that the evidence speaks against, with the weightiest of it.
Json ruled_out(const std::vector<Told>& incidents) {
  Json out = Json::array();
  if (incidents.empty()) return out;
  for (const auto& c : at(incidents.front().detail, "causes")) {
    const auto& against = at(c, "evidence_against");
    if (out.size() == kMostRuledOut) break;
    if (!at(c, "probability").is_number() || at(c, "probability").get<double>() >= kRuledOut || against.empty()) continue;
    const auto& e = against[0];
    out.push_back({{"cause", text(c, "cause")},
                   {"says", text(c, "says")},
                   {"because", (at(e, "present") == true ? "hardly fits: " : "not seen: ") + text(e, "says")}});
  }
  return out;
}

// An end is a failure only where an event says that it came together with a fault; else nobody knows how it ended.
std::string end_of(const CausalFacts& f, const CausalJob& j) {
  if (!j.to) return "running";
  const bool failed = std::ranges::any_of(f.events, [&](const faults::Heard& h) {
    const bool of_job = h.job == j.job || (!h.job.empty() && j.job.starts_with(h.job + "/"));  // a pod's container
    return (h.kind == "job_ended_with_fault" || h.kind == "job_failed") && of_job && std::chrono::abs(h.at - *j.to) <= kTogether;
  });
  return failed ? "failed" : "unknown";
}

Json job_json(const CausalFacts& f, const CausalJob& j) {
  return {{"job", j.job},
          {"user", text_or_null(j.user)},
          {"gpus", j.boards.size()},
          {"hosts", j.hosts.size()},
          {"from", time_text(j.from)},
          {"to", j.to ? Json(time_text(*j.to)) : Json()},
          {"end", end_of(f, j)}};
}

Json ran_there(const CausalFacts& f) {
  Json out = Json::array();
  for (const auto& j : f.jobs)
    if (out.size() < kMostJobs) out.push_back(job_json(f, j));
  return out;
}

Json unknown(const CausalFacts& f) {
  Json out = Json::array();
  std::set<std::string> blind;
  for (const auto& h : f.hosts)
    if (!f.agents.contains(h)) blind.insert(h);
  if (!blind.empty())
    out.push_back(
        fmt::format("No agent runs on {}: its kernel log was not read, Xids are those that its exporter printed, and NVSwitch "
                    "faults and resets are not seen.",
                    listed(blind)));
  if (!f.jobs_known && !f.boards.empty())
    out.push_back("Which jobs ran there is not known: neither an exporter's page nor an agent names any.");
  if (f.job) out.push_back("How a job ends is told to nobody here: that it is no longer on its GPUs is all that is seen.");
  std::set<std::string> young;
  Timestamp since{};
  for (const auto& b : f.boards)
    if (b.first_seen > f.about.range.from) {
      young.insert(b.gpu);
      since = std::max(since, b.first_seen);
    }
  if (!young.empty() && !f.job)
    out.push_back(fmt::format("{} {} first seen at {} or before: nothing is known from before that.", listed(young),
                              young.size() == 1 ? "was" : "were", time_text(since)));
  if (f.events_left > 0) out.push_back(fmt::format("{} further events were not read: ask for fewer days.", f.events_left));
  return out;
}

Json moment_json(const Moment& m) {
  return {{"at", time_text(m.at)},
          {"lane", m.lane},
          {"gpu", text_or_null(m.gpu)},
          {"host", text_or_null(m.host)},
          {"job", text_or_null(m.job)},
          {"what", m.what},
          {"kind", m.kind},
          {"code", m.code == 0 ? Json() : Json(m.code)},
          {"severity", m.severity},
          {"detail", m.detail},
          {"incident", text_or_null(m.incident)},
          {"first", m.first}};
}

Json about_json(const About& a) {
  return {{"what", kKinds[static_cast<std::size_t>(a.what)]},
          {"gpu", text_or_null(a.gpu)},
          {"host", text_or_null(a.host)},
          {"job", text_or_null(a.job)},
          {"at", time_text(a.at)},
          {"from", time_text(a.range.from)},
          {"to", time_text(a.range.to)}};
}

bool cannot_tell(const CausalFacts& f, const std::vector<Told>& incidents) {
  if (incidents.empty() || (f.job && !explains(f, incidents.front()))) return f.job && f.job->to;
  return at(incidents.front().detail, "cannot_tell") == true;
}

}  // namespace

Json causal_answer(const CausalFacts& facts) {
  const auto all = causal_incidents(facts);
  std::vector<Told> incidents;
  for (std::size_t n = 0; n < std::min(all.size(), kMostIncidents); ++n) incidents.push_back({all[n], incident_detail_of(*all[n].body)});
  std::size_t left_out = 0;
  const auto moments = causal_moments(facts, all, left_out);
  auto next = next_step(facts, incidents);
  Json timeline = Json::array();
  for (const auto& m : moments) timeline.push_back(moment_json(m));
  Json out = {{"as_of", time_text(facts.as_of)}, {"about", about_json(facts.about)}};
  if (facts.job) out["job"] = job_json(facts, *facts.job);
  out["verdict"] = verdict(facts, incidents);
  out["cannot_tell"] = cannot_tell(facts, incidents);
  out["reset_or_rma"] = next.is_null() ? Json() : next["action"];
  out["next"] = std::move(next);
  out["incidents"] = incidents_json(incidents);
  out["ruled_out"] = ruled_out(incidents);
  out["timeline"] = std::move(timeline);
  out["ran_there"] = ran_there(facts);
  out["unknown"] = unknown(facts);
  out["left_out"] = left_out;
  return out;
}

}  // namespace ghm::views
