#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "apps/ghm/cli.h"
#include "apps/ghm/progress.h"
#include "domain/views/text_table.h"
#include "pipeline/health_evaluation.h"

namespace ghm::cli {
namespace {

using pipeline::Target;

struct EvaluateOptions {
  std::vector<std::string> archives, truths, profiles = health::profile_names();
  std::string every = "1d", scores;
  bool rules = false, json = false;
};

constexpr std::size_t kWidth = 160;
constexpr std::size_t kSteps = 1000;  // of the progress bar, per archive

Json or_null(const std::optional<double>& v) {
  return v ? Json(*v) : Json();
}

std::string_view sentence_of(Target target) {
  switch (target) {
    case Target::failure_30d: return "the board fails within 30 days";
    case Target::failure_7d: return "the board fails within 7 days";
    case Target::first_failure_30d: return "a board that has not failed before fails within 30 days";
    case Target::sign_now: return "the board shows a simulated fault's sign now";
  }
  return "";
}

Json confusion_json(const health::Confusion& c) {
  return {{"bad_called", c.bad_called},
          {"good_called", c.good_called},
          {"bad_missed", c.bad_missed},
          {"good_left", c.good_left},
          {"precision", or_null(c.precision())},
          {"recall", or_null(c.recall())},
          {"false_alarms", or_null(c.false_alarms())}};
}

Json separation_json(const pipeline::Separation& s) {
  Json interval = nullptr;
  if (s.auc_interval) interval = {s.auc_interval->low, s.auc_interval->high};
  return {{"profile", s.profile},
          {"auc", or_null(s.auc)},
          {"auc_interval_95", std::move(interval)},
          {"pr_auc", or_null(s.average_precision)},
          {"degraded", confusion_json(s.degraded)},
          {"no_score", s.no_score}};
}

Json target_json(const pipeline::TargetResult& r) {
  Json profiles = Json::array();
  for (const auto& s : r.profiles) profiles.push_back(separation_json(s));
  return {{"target", pipeline::word_of(r.target)},
          {"meaning", sentence_of(r.target)},
          {"moments", r.moments},
          {"bad", r.bad},
          {"bad_boards", r.bad_boards},
          {"base_rate", r.base_rate()},
          {"unknown", r.unknown},
          {"profiles", std::move(profiles)}};
}

Json document_of(const pipeline::HealthEvaluation& e, const EvaluateOptions& o) {
  Json targets = Json::array(), rules = Json::array();
  for (const auto& r : e.results()) targets.push_back(target_json(r));
  for (const auto& r : e.rules())
    rules.push_back({{"profile", r.profile},
                     {"rule", r.rule},
                     {"bad", r.bad},
                     {"good", r.good},
                     {"points_bad", r.points_bad},
                     {"points_good", r.points_good}});
  return {{"archives", o.archives},   {"every", o.every},
          {"boards", e.boards},       {"failures", e.failures},
          {"moments", e.moments()},   {"out_of_service", e.out_of_service},
          {"degraded_below", 70},     {"targets", std::move(targets)},
          {"rules", std::move(rules)}};
}

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.2f} %", 100 * *share) : "-";
}

std::string number(const std::optional<double>& v) {
  return v ? fmt::format("{:.3f}", *v) : "-";
}

std::string interval(const std::optional<health::Range>& r) {
  return r ? fmt::format("{:.3f}-{:.3f}", r->low, r->high) : "-";
}

std::string table_of(const pipeline::TargetResult& r) {
  views::TextTable table({{"profile"},
                          {"AUC", true},
                          {"95 %"},
                          {"PR-AUC", true},
                          {"precision", true},
                          {"recall", true},
                          {"bad below 70", true},
                          {"bad above", true},
                          {"good below 70", true},
                          {"good above", true},
                          {"share of good below", true},
                          {"no score", true}});
  for (const auto& s : r.profiles) {
    const auto& c = s.degraded;
    table.add({s.profile, number(s.auc), interval(s.auc_interval), number(s.average_precision), percent(c.precision()), percent(c.recall()),
               std::to_string(c.bad_called), std::to_string(c.bad_missed), std::to_string(c.good_called), std::to_string(c.good_left),
               percent(c.false_alarms()), std::to_string(s.no_score)});
  }
  return table.text(kWidth);
}

std::string rules_table(const pipeline::HealthEvaluation& e) {
  views::TextTable table(
      {{"profile"}, {"rule"}, {"fired, bad", true}, {"fired, good", true}, {"points, bad", true}, {"points, good", true}});
  for (const auto& r : e.rules())
    table.add(
        {r.profile, r.rule, percent(r.bad), percent(r.good), fmt::format("{:.3f}", r.points_bad), fmt::format("{:.3f}", r.points_good)});
  return table.text(kWidth);
}

std::string text_of(const pipeline::HealthEvaluation& e, const EvaluateOptions& o) {
  auto out = fmt::format(
      "{} boards of {}, {} failures; {} scores per profile, one board every {}; at {} times a board was known to be broken\n", e.boards,
      e.archives == 1 ? "one archive" : fmt::format("{} archives", e.archives), e.failures, e.moments(), o.every, e.out_of_service);
  for (const auto& r : e.results()) {
    out += fmt::format("\n{}: at {} of {} times ({}), {} boards; unknown at {}\n", sentence_of(r.target), r.bad, r.moments,
                       percent(r.base_rate()), r.bad_boards, r.unknown);
    out += table_of(r);
  }
  if (o.rules) out += "\nrules where the board fails within 30 days, and where it does not\n" + rules_table(e);
  return out;
}

Result<void> add(pipeline::HealthEvaluation& evaluation, const EvaluateOptions& o, std::size_t n, std::chrono::milliseconds every,
                 Progress& bar) {
  const auto folder = archive::Folder::open(o.archives[n]);
  if (!folder) return tl::make_unexpected(folder.error());
  const auto fleet = pipeline::ArchivedFleet::read(*folder);
  if (!fleet) return tl::make_unexpected(fleet.error());
  Result<pipeline::Signs> signs;
  if (!o.truths.empty()) signs = pipeline::read_signs(o.truths[n]);
  if (!signs) return tl::make_unexpected(signs.error());
  for (const auto& [reason, count] : fleet->refusals.counts)
    fmt::print(stderr, "ghm: {}: {} rows left out: {}\n", o.archives[n], count, reason);
  pipeline::ScoringPlan plan;
  plan.every = every;
  plan.progress = [&](double share) { bar.reach(n * kSteps + static_cast<std::size_t>(share * kSteps)); };
  return evaluation.add(*folder, *fleet, o.truths.empty() ? nullptr : &*signs, plan);
}

std::string_view cell(health::Outcome outcome) {
  return outcome == health::Outcome::unknown ? "" : outcome == health::Outcome::yes ? "1" : "0";
}

/// Every score as a row of a table, for who wants to check the figures or to draw them.
class ScoreTable {
 public:
  explicit ScoreTable(const std::string& path) : path_(path), out_(path, std::ios::binary | std::ios::trunc) {}

  /// Before the work, so that a wrong path is not told after it.
  Result<void> begin(const EvaluateOptions& o) {
    out_ << "at,gpu_uuid";
    for (const auto& profile : o.profiles) out_ << ',' << profile;
    for (const auto target : pipeline::kTargets) out_ << ',' << pipeline::word_of(target);
    out_ << '\n';
    out_.flush();
    return written();
  }
  void put(const pipeline::ArchivedBoard& board, const pipeline::ScoredMoment& m, const pipeline::HealthEvaluation::Outcomes& outcomes) {
    out_ << format_rfc3339(from_unix_ms(static_cast<std::int64_t>(m.t * 1000))) << ',' << board.uuid;
    for (const auto& r : m.reports) out_ << ',' << (r.overall ? fmt::format("{}", *r.overall) : "");
    for (const auto outcome : outcomes) out_ << ',' << cell(outcome);
    out_ << '\n';
  }
  Result<void> finish() {
    out_.close();
    return written();
  }

 private:
  Result<void> written() const {
    if (out_) return {};
    return Error{Errc::unavailable, fmt::format("{}: cannot be written: is there such a folder, and room on its disk?", path_)};
  }

  std::string path_;
  std::ofstream out_;
};

Result<void> judge(pipeline::HealthEvaluation& evaluation, const EvaluateOptions& o, std::chrono::milliseconds every) {
  std::optional<ScoreTable> table;
  if (!o.scores.empty()) {
    if (auto begun = table.emplace(o.scores).begin(o); !begun) return begun;
    evaluation.on_moment = [&](const auto& board, const auto& m, const auto& outcomes) { table->put(board, m, outcomes); };
  }
  Progress bar("scoring", o.archives.size() * kSteps);
  for (std::size_t n = 0; n < o.archives.size(); ++n)
    if (auto done = add(evaluation, o, n, every, bar); !done) return done;
  evaluation.on_moment = {};
  return table ? table->finish() : Result<void>();
}

int evaluate_health(const EvaluateOptions& o) {
  const auto every = parse_duration(o.every);
  if (!every) return fail({every.error().code, fmt::format("--every: {}", every.error().what)});
  if (*every < 15min) return fail({Errc::invalid_input, fmt::format("--every {}: expected 15m or more, as boards are scored", o.every)});
  if (!o.truths.empty() && o.truths.size() != o.archives.size())
    return fail({Errc::invalid_input,
                 fmt::format("{} --truth for {} --archive: expected one for each, in the same order", o.truths.size(), o.archives.size())});
  std::vector<const health::Profile*> profiles;
  for (const auto& name : o.profiles) profiles.push_back(health::find_profile(name));
  pipeline::HealthEvaluation evaluation(std::move(profiles));
  if (const auto done = judge(evaluation, o, *every); !done) return fail(done.error());
  if (o.json) print_json(document_of(evaluation, o));
  else fmt::print("{}", text_of(evaluation, o));
  return kDone;
}

constexpr const char* kExample =
    "example: ghm evaluate health --archive ./school --truth ./school-truth\n"
    "`ghm simulate archive --out ./school --truth ./school-truth --gpus 100 --days 90` makes one";

}  // namespace

void add_evaluate(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("evaluate", "how well what ghm says agrees with what happened");
  command->require_subcommand(1);
  command->footer(kExample);
  auto* one =
      command->add_subcommand("health", "scores against failures: are failing boards scored lower than healthy ones? (docs/health.md)");
  auto o = std::make_shared<EvaluateOptions>();
  one->add_option("--archive", o->archives, "a fleet archive with telemetry and failures; several are judged as one fleet")->required();
  one->add_option("--truth", o->truths,
                  "the truth folder of a simulated archive: scores against signs of faults, too; one for each archive");
  one->add_option("--profile", o->profiles, "scoring profiles, all in one pass")
      ->check(CLI::IsMember(health::profile_names()))
      ->capture_default_str();
  one->add_option("--every", o->every, "between two scores of a board, 15m or more")->capture_default_str();
  one->add_option("--scores", o->scores, "a file for every score with what came of it, as CSV");
  one->add_flag("--rules", o->rules, "also how often each rule fired");
  one->add_flag("--json", o->json, "one JSON document on standard output");
  one->footer(kExample);
  one->callback([&run, o] { run = [o] { return evaluate_health(*o); }; });
  add_evaluate_causes(*command, run);
}

}  // namespace ghm::cli
