#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "apps/ghm/cli.h"
#include "apps/ghm/faults_option.h"
#include "core/files.h"
#include "domain/health/case_json.h"

namespace ghm::cli {
namespace {

constexpr std::size_t kMostBytes = 1u << 30;

struct CaseOptions {
  std::string profile = std::string(health::name_of(health::default_profile())), input;
  std::vector<std::string> faults;
  bool json = false;
};

Result<std::string> read_input(const std::string& path) {
  if (path != "-") return read_file(path, kMostBytes);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

int score_case(const CaseOptions& o) {
  const auto text = read_input(o.input);
  if (!text) return fail(text.error());
  auto parsed = health::parse_case(*text, o.input == "-" ? "standard input" : o.input);
  if (!parsed) return fail(parsed.error());
  for (const auto& field : parsed->ignored) fmt::print(stderr, "ghm: {} is no field of a case: ignored\n", field);
  const auto codes = catalogue_with(o.faults);
  if (!codes) return fail(codes.error());
  parsed->input.codes = &*codes;
  const auto report = health::score(*health::find_profile(o.profile), parsed->input);
  auto answer = health::case_answer(report);
  if (!o.faults.empty()) answer["fault_catalogue"] = report.codes;
  if (o.json) print_json(answer);
  else fmt::print("{}", health::case_text(report, parsed->input.model));
  return kDone;
}

}  // namespace

void add_score(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("score", "health scores worked out from given readings");
  command->require_subcommand(1);
  command->footer("example: ghm score case --profile baseline --input case.json --json");
  auto* one = command->add_subcommand("case", "score one board: what it lost, by which rule, against which reference");
  auto options = std::make_shared<CaseOptions>();
  one->add_option("--profile", options->profile, "the scoring profile (docs/health.md)")
      ->check(CLI::IsMember(health::profile_names()))
      ->capture_default_str();
  one->add_option("--input", options->input, "the board's readings as JSON (docs/health.md says how); - is standard input")->required();
  add_faults_option(*one, options->faults);
  one->add_flag("--json", options->json, "one JSON document on standard output");
  one->footer("example: ghm score case --profile baseline --input case.json --json");
  one->callback([&run, options] { run = [options] { return score_case(*options); }; });
}

}  // namespace ghm::cli
