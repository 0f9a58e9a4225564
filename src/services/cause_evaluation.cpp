#include "services/cause_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "domain/faults/incident_book.h"

namespace ghm::services {
namespace {

using namespace faults;

constexpr std::size_t kOraclesSchool = 20'000;
constexpr double kTellable = 0.5;
constexpr auto kJudgedAfter = std::chrono::hours(5), kEndedAfter = std::chrono::hours(6);
constexpr std::string_view kCannot = "cannot_tell", kUntold = "(nobody can tell)", kMisleading = "(misleading)";

struct Read {
  Reading reading;
  bool stray = false;
};

Read read_rumour(const Rumour& r) {
  const auto host = std::stoul(r.heard.host.substr(4));
  const int gpu = r.heard.board == BoardId::none ? -1 : static_cast<int>(static_cast<std::uint32_t>(r.heard.board) % 100) - 1;
  auto where = where_of(host, gpu, {});
  where.new_driver = r.heard.detail.ends_with("(new driver)");
  return {read(r.heard, where), r.stray};
}

// What the oracle looks at: which signs, and how far they reach.
std::string signature(const SimulatedIncident& incident) {
  std::set<std::string> words;
  std::set<std::string> hosts, jobs;
  std::set<std::uint32_t> boards;
  for (const auto& rumour : incident.rumours) {
    if (rumour.stray) continue;
    const auto read = read_rumour(rumour);
    if (std::holds_alternative<EndingSeen>(read.reading)) words.insert("ending " + rumour.heard.kind);
    const auto* sign = std::get_if<Sign>(&read.reading);
    if (sign == nullptr) continue;
    words.insert(EvidenceTable::built_in()[sign->what].word + (sign->no_answer_at_all ? "!" : ""));
    if (sign->new_driver) words.insert("new_driver");
    if (is_follower(EvidenceTable::built_in()[sign->what].family) && sign->code == 0) continue;
    hosts.insert(sign->host);
    boards.insert(static_cast<std::uint32_t>(sign->board));
    if (!sign->job.empty()) jobs.insert(sign->job);
  }
  return fmt::format("{} | {} {} {}", fmt::join(words, " "), hosts.size() > 1,
                     boards.size() == 1  ? "one"
                     : boards.size() < 4 ? "few"
                                         : "many",
                     jobs.size() > 1);
}

/// Knows how often each cause left which signs.
class Oracle {
 public:
  explicit Oracle(const IncidentPlan& plan) {
    auto school = plan;
    school.seed = plan.seed * 7919 + 17;
    school.incidents = kOraclesSchool;
    for (const auto& incident : simulate_incidents(school)) ++seen_[signature(incident)][incident.truth];
  }
  /// The cause that it would name; empty: it cannot tell.
  std::string names(const SimulatedIncident& incident) const {
    const auto found = seen_.find(signature(incident));
    if (found == seen_.end()) return {};
    std::size_t all = 0;
    for (const auto& [truth, n] : found->second) all += n;
    const auto most = std::ranges::max_element(found->second, {}, [](const auto& t) { return t.second; });
    return most->first != kUnknown && static_cast<double>(most->second) >= kTellable * static_cast<double>(all) ? most->first : "";
  }

 private:
  std::map<std::string, std::map<std::string, std::size_t>> seen_;
};

struct Step {
  Timestamp at;
  std::size_t incident;
  enum class What { sign, judge, end } what;
  std::size_t rumour = 0;
};

class Trial {
 public:
  Trial(const IncidentPlan& plan, const CauseTable& causes)
      : oracle_(plan), told_(simulate_incidents(plan)), book_(causes), votes_(told_.size()) {}

  CauseEvaluation run() {
    for (const auto& s : steps()) {
      if (s.what == Step::What::sign) hear(s);
      else if (s.what == Step::What::judge) judge(s.incident);
      else end(s);
    }
    out_.incidents = told_.size();
    return out_;
  }

 private:
  std::vector<Step> steps() const {
    std::vector<Step> all;
    for (std::size_t i = 0; i < told_.size(); ++i) {
      for (std::size_t r = 0; r < told_[i].rumours.size(); ++r) all.push_back({told_[i].rumours[r].heard.at, i, Step::What::sign, r});
      all.push_back({told_[i].at + kJudgedAfter, i, Step::What::judge});
      all.push_back({told_[i].at + kEndedAfter, i, Step::What::end});
    }
    std::ranges::stable_sort(all, {}, &Step::at);
    return all;
  }

  void hear(const Step& s) {
    const auto read = read_rumour(told_[s.incident].rumours[s.rumour]);
    if (const auto* ending = std::get_if<EndingSeen>(&read.reading)) book_.end(*ending);
    const auto* sign = std::get_if<Sign>(&read.reading);
    if (sign == nullptr) return;
    const auto id = book_.observe(*sign);
    if (read.stray) return;
    ++votes_[s.incident][id];
    owners_[id].insert(s.incident);
  }

  // Merged ones lead to what they became part of.
  std::uint64_t final_id(std::uint64_t id) const {
    const auto* i = book_.find(id);
    return i != nullptr && i->state == State::merged ? final_id(i->merged_into) : id;
  }

  void judge(std::size_t n) {
    std::map<std::uint64_t, std::size_t> votes;
    for (const auto& [id, count] : votes_[n]) votes[final_id(id)] += count;
    if (votes.empty()) {
      ++out_.silent;
      return;
    }
    out_.whole += votes.size() == 1;
    const auto most = std::ranges::max_element(votes, {}, [](const auto& v) { return v.second; })->first;
    out_.shared += owners_[most].size() > 1;
    const auto* incident = book_.find(most);
    if (incident != nullptr) score(n, oracle_.names(told_[n]), book_.ranking(*incident));
  }

  void score(std::size_t n, const std::string& oracle, const Ranking& ranking) {
    const auto name = [&](std::size_t place) { return book_.causes().causes()[ranking.causes[place].cause].name; };
    const auto named = ranking.cannot_tell ? std::string(kCannot) : name(0);
    const auto& truth = told_[n].truth;
    ++out_.confusion[oracle == truth ? truth : std::string(oracle.empty() ? kUntold : kMisleading)][named];
    if (oracle.empty()) {
      ++out_.untellable;
      out_.admitted += ranking.cannot_tell;
      return;
    }
    if (oracle != truth) {
      ++out_.misleading;
      out_.misled += named == oracle;
      return;
    }
    ++out_.tellable;
    auto& [of_kind, right] = out_.kinds[told_[n].kind];
    ++of_kind;
    out_.withheld += ranking.cannot_tell;
    out_.top1 += named == truth;
    right += named == truth;
    for (std::size_t place = 0; place < std::min<std::size_t>(3, ranking.causes.size()); ++place) out_.top3 += name(place) == truth;
  }

  void end(const Step& s) {
    for (const auto host : told_[s.incident].hosts)
      book_.end({fmt::format("end-{}", s.incident), s.at, Ending::test_passed, BoardId::none, simulated_host_name(host), {}, {}});
    for (const auto& rumour : told_[s.incident].rumours)
      book_.end({fmt::format("end-{}", s.incident), s.at, Ending::test_passed, BoardId::none, rumour.heard.host, {}, {}});
    book_.take_changed();
    book_.forget(s.at);
  }

  Oracle oracle_;
  std::vector<SimulatedIncident> told_;
  IncidentBook book_;
  std::vector<std::map<std::uint64_t, std::size_t>> votes_;
  std::map<std::uint64_t, std::set<std::size_t>> owners_;
  CauseEvaluation out_;
};

double percent(std::size_t part, std::size_t all) {
  return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

CauseEvaluation evaluate_causes(const IncidentPlan& plan, const CauseTable& causes) {
  return Trial(plan, causes).run();
}

nlohmann::ordered_json to_json(const CauseEvaluation& e, const IncidentPlan& plan) {
  nlohmann::ordered_json kinds, confusion;
  for (const auto& [kind, n] : e.kinds) kinds[kind] = {{"tellable", n.first}, {"right", n.second}};
  for (const auto& [truth, named] : e.confusion)
    for (const auto& [name, n] : named) confusion[truth][name] = n;
  return {{"seed", plan.seed},
          {"simulated", true},
          {"incidents", e.incidents},
          {"without_any_sign", e.silent},
          {"tellable", {{"incidents", e.tellable}, {"top1", e.top1_share()}, {"top3", e.top3_share()}, {"cannot_tell", e.withheld}}},
          {"not_tellable", {{"incidents", e.untellable}, {"cannot_tell", e.admitted}}},
          {"misleading", {{"incidents", e.misleading}, {"named_as_the_oracle", e.misled}}},
          {"grouping", {{"in_one_incident", e.whole}, {"with_another", e.shared}}},
          {"kinds", std::move(kinds)},
          {"confusion", std::move(confusion)}};
}

std::string text_of(const CauseEvaluation& e, const IncidentPlan& plan) {
  const auto heard = e.incidents - e.silent;
  auto text = fmt::format(
      "{} simulated incidents, seed {}; {} left no sign at all\n"
      "cause can be told from the signs   {:5}   first {:.1f} %, among three {:.1f} %, \"cannot tell\" {}\n"
      "nobody can tell                    {:5}   \"cannot tell\" {} ({:.1f} %)\n"
      "signs of another cause             {:5}   named as an oracle would {}\n"
      "grouping                           {:.1f} % in one incident, {:.1f} % together with another's\n\n",
      e.incidents, plan.seed, e.silent, e.tellable, 100 * e.top1_share(), 100 * e.top3_share(), e.withheld, e.untellable, e.admitted,
      percent(e.admitted, e.untellable), e.misleading, e.misled, percent(e.whole, heard), percent(e.shared, heard));
  text += fmt::format("{:<18} {:>5} {:>7}   {}\n", "cause", "of", "right", "named instead");
  for (const auto& [truth, named] : e.confusion) {
    std::size_t all = 0;
    std::vector<std::pair<std::size_t, std::string>> others;
    const std::string right(truth == kUntold ? kCannot : std::string_view(truth));
    for (const auto& [name, n] : named) {
      all += n;
      if (name != right) others.emplace_back(n, name);
    }
    std::ranges::sort(others, std::greater<>());
    const auto hit = named.find(right);
    text += fmt::format("{:<18} {:>5} {:>6.1f} %  ", truth, all, percent(hit == named.end() ? 0 : hit->second, all));
    for (const auto& [n, name] : others) text += fmt::format(" {} {}", name, n);
    text += "\n";
  }
  return text;
}

}  // namespace ghm::services
