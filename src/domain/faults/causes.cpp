#include "domain/faults/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "core/embedded.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::faults {
namespace {

using telemetry::CatalogueRow;

constexpr std::array<std::string_view, kSides> kSideWords = {"application", "driver", "hardware", "facility", "monitoring", "unknown"};
constexpr double kUnknownPrior = 0.6;  // 0.030 + 0.009 silent failures per 1000 GPU-days against 0.10 of memory errors, and as much again
constexpr std::size_t kMostCauses = 5, kMostWeighed = 6;
constexpr double kLeastWeight = 0.3;  // e^0.3: a third more likely
constexpr double kOwnEvidence = 3;    // so many times likelier than by chance makes an evidence a cause's own
constexpr double kWordsBeforeTheyCount = 5, kMostShift = 3;

Cause read_cause(CatalogueRow& row) {
  Cause c;
  c.name = row.text("cause");
  if (c.name.empty()) row.complain("cause", "is needed");
  if (c.name == kUnknown) row.complain("cause", "is our own word: it stands for none of the others");
  const auto side = std::ranges::find(kSideWords, row.text("side"));
  if (side == kSideWords.end()) row.complain("side", fmt::format("expected one of {}", fmt::join(kSideWords, ", ")));
  else c.side = static_cast<Side>(side - kSideWords.begin());
  c.prior = row.number("prior").value_or(0);
  if (!(c.prior > 0 && c.prior < 1e6)) row.complain("prior", "expected a number above 0");
  const std::pair<const char*, Action*> actions[] = {{"action", &c.action}, {"then", &c.then}};
  for (const auto& [column, out] : actions) {
    if (const auto action = action_named(row.text(column))) *out = *action;
    else row.complain(column, "expected one of " + std::string(action_words()));
  }
  c.sources = row.text("sources");
  c.says = row.text("says");
  return c;
}

}  // namespace

std::string_view to_string(Side s) {
  return kSideWords[static_cast<std::size_t>(s)];
}

Result<CauseTable> CauseTable::parse(File causes, File evidence, const EvidenceTable& signs) {
  auto rows = CsvTable::parse(causes.text, causes.name);
  if (!rows) return rows.error();
  for (const auto* column : {"cause", "side", "prior", "action", "then", "sources", "says"})
    if (!rows->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", causes.name, column)};
  CauseTable out;
  out.signs_ = &signs;
  for (std::size_t r = 0; r < rows->size(); ++r) {
    CatalogueRow row(*rows, r, std::string(causes.name));
    auto cause = read_cause(row);
    if (out.find(cause.name)) row.complain("cause", "stands twice");
    if (row.error()) return *row.error();
    out.causes_.push_back(std::move(cause));
  }
  out.causes_.push_back({std::string(kUnknown), Side::unknown, kUnknownPrior, Action::restart_job, Action::drain_and_test, "judgement",
                         "None of the causes that this catalogue knows"});
  std::array<double, kMostEvidence> chance{};
  for (std::size_t e = 0; e < signs.size(); ++e) chance[e] = signs[static_cast<EvidenceId>(e)].by_chance;
  out.likelihood_.assign(out.causes_.size(), chance);
  out.source_.resize(out.causes_.size());
  auto said = CsvTable::parse(evidence.text, evidence.name);
  if (!said) return said.error();
  for (const auto* column : {"cause", "evidence", "likelihood", "source"})
    if (!said->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", evidence.name, column)};
  for (std::size_t r = 0; r < said->size(); ++r) {
    CatalogueRow row(*said, r, std::string(evidence.name));
    const auto cause = out.find(row.text("cause"));
    if (!cause) row.complain("cause", "is not in the table of causes");
    const auto what = signs.find(row.text("evidence"));
    if (!what) row.complain("evidence", "is not in the table of signs");
    const double p = row.number("likelihood").value_or(0);
    if (!(p > 0 && p < 1)) row.complain("likelihood", "expected a share between 0 and 1");
    if (row.text("source").empty()) row.complain("source", "is needed: every likelihood says where it comes from");
    if (row.error()) return *row.error();
    out.likelihood_[*cause][*what] = p;
    out.source_[*cause][*what] = row.text("source");
  }
  return out;
}

const CauseTable& CauseTable::built_in() {
  static const CauseTable table = [] {
    auto parsed = parse({embedded::file("data/faults/causes.csv"), "data/faults/causes.csv"},
                        {embedded::file("data/faults/evidence.csv"), "data/faults/evidence.csv"}, EvidenceTable::built_in());
    if (!parsed) {
      fmt::print(stderr, "{}\n", parsed.error().what);
      std::abort();  // the binary was built with a broken catalogue
    }
    return std::move(*parsed);
  }();
  return table;
}

std::optional<std::size_t> CauseTable::find(std::string_view name) const {
  const auto found = std::ranges::find(causes_, name, &Cause::name);
  return found == causes_.end() ? std::nullopt : std::optional<std::size_t>(found - causes_.begin());
}

void Experience::add(EvidenceId leading, std::size_t cause, bool right) {
  auto& words = words_[{leading, cause}];
  ++(right ? words.right : words.wrong);
}

double Experience::shift(EvidenceId leading, std::size_t cause) const {
  const auto found = words_.find({leading, cause});
  if (found == words_.end()) return 1;
  const auto& [right, wrong] = found->second;
  return std::clamp((kWordsBeforeTheyCount + right) / (kWordsBeforeTheyCount + wrong), 1 / kMostShift, kMostShift);
}

namespace {

double log_likelihood(const CauseTable& table, std::size_t cause, const Facts& facts, EvidenceId e) {
  const double p = table.likelihood(cause, e);
  if (facts.present[e]) return kTemper * std::log(p);
  return facts.unknowable[e] ? 0 : kTemper * std::log1p(-p);
}

std::vector<double> posterior(const CauseTable& table, const Facts& facts, const Experience& experience) {
  std::vector<double> log(table.causes().size());
  for (std::size_t c = 0; c < log.size(); ++c) {
    log[c] = std::log(table.causes()[c].prior * experience.shift(facts.leading, c));
    for (std::size_t e = 0; e < table.evidence().size(); ++e) log[c] += log_likelihood(table, c, facts, static_cast<EvidenceId>(e));
  }
  const double most = std::ranges::max(log);
  double sum = 0;
  for (auto& l : log) sum += l = std::exp(l - most);
  for (auto& l : log) l /= sum;
  return log;
}

// How much likelier an evidence is under `cause` than under the others, each as likely as it is.
double weight_of(const CauseTable& table, const Facts& facts, const std::vector<double>& p, std::size_t cause, EvidenceId e) {
  double others = 0, rest = 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    if (c == cause) continue;
    const double floor = p[c] + 1e-3;  // else the evidence that decides would have nobody left to decide against
    const double l = table.likelihood(c, e);
    others += floor * (facts.present[e] ? l : 1 - l);
    rest += floor;
  }
  const double own = table.likelihood(cause, e);
  return std::log((facts.present[e] ? own : 1 - own) / (others / rest));
}

void weigh(const CauseTable& table, const Facts& facts, const std::vector<double>& p, RankedCause& out) {
  for (std::size_t n = 0; n < table.evidence().size(); ++n) {
    const auto e = static_cast<EvidenceId>(n);
    if (!facts.present[e] && facts.unknowable[e]) continue;
    const double w = weight_of(table, facts, p, out.cause, e);
    if (std::fabs(w) < kLeastWeight) continue;
    (w > 0 ? out.evidence_for : out.evidence_against).push_back({e, facts.present[e], w, table.source(out.cause, e)});
  }
  for (auto* side : {&out.evidence_for, &out.evidence_against}) {
    std::ranges::stable_sort(*side, std::greater<>(), [](const Weighed& w) { return std::pair(w.present, std::fabs(w.weight)); });
    if (side->size() > kMostWeighed) side->resize(kMostWeighed);
  }
}

bool has_evidence_of_its_own(const CauseTable& table, const Facts& facts, std::size_t cause) {
  for (std::size_t n = 0; n < table.evidence().size(); ++n) {
    const auto e = static_cast<EvidenceId>(n);
    const auto family = table.evidence()[e].family;
    if (family == Family::context || family == Family::job) continue;  // they go with any cause
    if (facts.present[e] && table.likelihood(cause, e) >= kOwnEvidence * table.evidence()[e].by_chance) return true;
  }
  return false;
}

void judge_side(const CauseTable& table, const std::vector<double>& p, Ranking& out) {
  for (std::size_t c = 0; c < p.size(); ++c) out.sides[static_cast<std::size_t>(table.causes()[c].side)] += p[c];
  const auto most = std::ranges::max_element(out.sides);
  out.side = *most >= kLeastToTell ? static_cast<Side>(most - out.sides.begin()) : Side::unknown;
}

}  // namespace

namespace {

Severity heaviest_sign(const CauseTable& table, const Facts& facts) {
  auto heaviest = Severity::info;
  for (std::size_t e = 0; e < table.evidence().size(); ++e)
    if (const auto& sign = table.evidence()[static_cast<EvidenceId>(e)]; facts.present[e] && sign.family != Family::context)
      heaviest = std::max(heaviest, sign.severity);
  return heaviest;
}

bool shows(const CauseTable& table, const Facts& facts, Family family) {
  for (std::size_t e = 0; e < table.evidence().size(); ++e)
    if (facts.present[e] && table.evidence()[static_cast<EvidenceId>(e)].family == family) return true;
  return false;
}

bool shows(const CauseTable& table, const Facts& facts, std::string_view sign) {
  const auto id = table.evidence().find(sign);
  return id && facts.present[*id];
}

// Nothing speaks for one cause: what was seen says how much is at stake, and whether a program is known to have died.
Action step_without_a_cause(const CauseTable& table, const Facts& facts) {
  if (facts.escalated) return table.causes().back().then;
  bool only_programs = true;
  for (std::size_t f = 0; f + 1 < kFamilies; ++f)
    if (!is_follower(static_cast<Family>(f))) only_programs &= !shows(table, facts, static_cast<Family>(f));
  const bool died = shows(table, facts, "job_failed") || shows(table, facts, "app_fault");
  if (only_programs) return died ? Action::restart_job : Action::none;
  return heaviest_sign(table, facts) < Severity::error ? Action::none : Action::drain_and_test;
}

// Where the cause cannot be told, one step may still be right: that of the causes which hold at least half of what the evidence
// itself speaks for. A cause that is only frequent has no say: "restart the job" is no step for a board whose power is odd. A
// warning that nobody can explain does not stop anybody's work either, until it comes back.
Action action_in_doubt(const CauseTable& table, const Facts& facts, const std::vector<double>& p) {
  std::map<Action, double> weight;
  double all = 0;
  for (std::size_t c = 0; c + 1 < p.size(); ++c) {
    if (!has_evidence_of_its_own(table, facts, c)) continue;
    weight[facts.escalated ? table.causes()[c].then : table.causes()[c].action] += p[c];
    all += p[c];
  }
  const bool worth_a_stop = facts.escalated || heaviest_sign(table, facts) >= Severity::error;
  for (const auto& [action, sum] : weight)
    if (sum >= kLeastToTell * all && (worth_a_stop || !interrupts_work(action)))
      return action == Action::replace_board ? Action::drain_and_test : action;  // nobody sends a board away in doubt
  return step_without_a_cause(table, facts);
}

}  // namespace

Ranking rank(const CauseTable& table, const Facts& facts, const Experience& experience) {
  const auto p = posterior(table, facts, experience);
  const std::size_t unknown = p.size() - 1;
  std::vector<std::size_t> order(unknown);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t c) { return p[c]; });
  Ranking out;
  out.unknown = p[unknown];
  for (std::size_t n = 0; n < std::min(kMostCauses, order.size()); ++n) {
    const auto& cause = table.causes()[order[n]];
    out.causes.push_back({order[n], p[order[n]], facts.escalated ? cause.then : cause.action, {}, {}});
    weigh(table, facts, p, out.causes.back());
  }
  const bool told = p[order[0]] >= kLeastToTell && has_evidence_of_its_own(table, facts, order[0]);
  out.cannot_tell = !told;
  out.action = told ? out.causes[0].action : action_in_doubt(table, facts, p);
  judge_side(table, p, out);
  return out;
}

}  // namespace ghm::faults
