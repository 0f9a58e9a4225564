#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/time.h"
#include "domain/health/case_json.h"

namespace ghm::health {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& v) {
  return v ? Json(*v) : Json();
}
Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json dimension_json(const Dimension& d) {
  Json findings = Json::array();
  for (const auto& f : d.findings) findings.push_back({{"rule", f.rule}, {"lost", f.lost}, {"value", f.value}, {"reference", f.reference}});
  return {{"score", or_null(d.score)}, {"coverage", d.coverage}, {"findings", std::move(findings)}};
}

// What a point of the dimension is worth in the whole; 0 where it does not count.
double worth(const Report& r, const Dimension& d) {
  if (!r.overall || !d.score) return 0;
  double weights = 0;
  for (const auto& other : r.dimensions) weights += other.score ? other.weight_percent : 0;
  return d.weight_percent / weights;
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", share * 100);
}

std::string verdict(const Report& r) {
  std::string out =
      r.overall ? fmt::format("{:8.1f}  {}", *r.overall, r.class_name) : fmt::format("{:>8}  no score: it needs a coverage of 50 %", "-");
  out += fmt::format(", coverage {}", percent(r.coverage));
  if (!r.risk.empty()) out += ", risk " + r.risk;
  if (r.trend_7d) out += fmt::format(", {:+.1f} in 7 days", *r.trend_7d);
  if (r.trend_30d) out += fmt::format(", {:+.1f} in 30 days", *r.trend_30d);
  return out + "\n";
}

std::string waterfall(const Report& r) {
  auto out = fmt::format("{:8.1f}  as new\n", 100.0);
  for (const auto& d : r.dimensions)
    for (const auto& f : d.findings) {
      const auto lost = r.overall && d.score ? fmt::format("{:8.1f}", -worth(r, d) * f.lost) : fmt::format("{:>8}", "-");
      out += fmt::format("{}  {:22}  {}{}\n", lost, f.rule, sentence(f), f.critical ? " (critical)" : "");
    }
  return out + verdict(r);
}

std::string dimension_row(const Dimension& d) {
  const auto score = d.score ? fmt::format("{:.1f}", *d.score) : std::string("-");
  auto row = fmt::format("{:12}{:>8}{:>8}{:>10}", d.name, percent(d.weight_percent / 100.0), score, percent(d.coverage));
  if (!d.missing.empty()) row += fmt::format("  {}", fmt::join(d.missing, ", "));
  return row + "\n";
}

}  // namespace

Json case_answer(const Report& r) {
  Json dimensions = Json::object();
  for (const auto& d : r.dimensions) dimensions[d.name] = dimension_json(d);
  return {{"overall", or_null(r.overall)},       {"coverage", r.coverage},
          {"class", or_null(r.class_name)},      {"risk", or_null(r.risk)},
          {"trend_7d", or_null(r.trend_7d)},     {"trend_30d", or_null(r.trend_30d)},
          {"dimensions", std::move(dimensions)}, {"critical", r.critical}};
}

std::string case_text(const Report& r, std::string_view model) {
  const auto at = format_rfc3339(from_unix_ms(static_cast<std::int64_t>(r.at * 1000)));
  const auto codes = r.codes.ends_with("+site") ? ", fault catalogue " + r.codes : std::string();
  auto out = fmt::format("{}, profile {}{}, {}\n\n", model.empty() ? "one board" : model, r.profile, codes, at);
  out += waterfall(r) + "\n";
  out += fmt::format("{:12}{:>8}{:>8}{:>10}  {}\n", "dimension", "weight", "score", "coverage", "missing");
  for (const auto& d : r.dimensions) out += dimension_row(d);
  return out;
}

}  // namespace ghm::health
