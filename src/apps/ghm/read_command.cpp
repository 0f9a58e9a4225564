#include <fmt/format.h>

#include <memory>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/scrape/http_client.h"
#include "apps/ghm/cli.h"
#include "core/files.h"
#include "core/http.h"
#include "core/time.h"
#include "domain/validation/believe.h"
#include "domain/views/page_json.h"

namespace ghm::cli {
namespace {

constexpr std::size_t kMostBytes = 64u << 20;

bool is_url(const std::string& from) {
  return from.find("://") != std::string::npos;
}

Result<std::string> page_from(const std::string& from) {
  if (!is_url(from)) return read_file(from, kMostBytes);
  auto answer = scrape::http_request("GET", from, {}, {}, "", 30s, kMostBytes);
  if (!answer) return answer.error();
  if (answer->status != 200)
    return Error{Errc::unavailable, fmt::format("{} answered {} {}: an exporter's page comes with 200", from, answer->status,
                                                http::reason_phrase(answer->status))};
  return std::move(answer->body);
}

int read(const std::string& from, bool json) {
  const auto page = page_from(from);
  if (!page) return fail(page.error());
  const auto& metrics = telemetry::MetricCatalogue::built_in();
  auto reading = dcgm_exporter::read_careful(*page, metrics);
  const auto rules = validation::ColumnRules::build(*reading.layout, reading.values, metrics, telemetry::ModelCatalogue::built_in());
  const auto first = reading.refused.size();
  validation::believe(reading, rules, SystemClock().now());
  dcgm_exporter::quote_page(reading, first, *page, metrics);  // a refusal shows the page's text
  if (json) print_json(views::page_json(reading, metrics));
  else fmt::print("{}", views::page_text(reading, metrics));
  return kDone;
}

}  // namespace

void add_read(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("read", "read one exporter page and say what is believed, what is refused and why");
  auto from = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("FILE|URL", *from, "a saved page, or an exporter's address")->required();
  command->add_flag("--json", *json, "one JSON document on standard output");
  command->footer("example: ghm read http://gpu-host-1:9400/metrics --json");
  command->callback([&run, from, json] { run = [from, json] { return read(*from, *json); }; });
}

}  // namespace ghm::cli
