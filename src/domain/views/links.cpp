#include "domain/views/links.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "domain/views/board_facts.h"
#include "domain/views/rule_facts.h"

namespace ghm::views {

std::string url_part(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') out += static_cast<char>(c);
    else out += fmt::format("%{:02X}", c);
  return out;
}

std::string gpu_link(const fleet::Board& board) {
  return "/gpus/" + url_part(id_of(board));
}

std::string evidence_link(const fleet::Board& board, const health::Finding& finding) {
  const auto metric = facts_of(finding.rule).metric;
  if (metric.empty()) return gpu_link(board);
  const auto at = format_rfc3339(from_unix_ms(std::llround(finding.at * 1000)));
  return fmt::format("{}?tab=signals&metric={}&at={}", gpu_link(board), metric, url_part(at));
}

std::string group_link(std::string_view kind, std::string_view id) {
  const auto name = url_part(id);
  if (kind == "rack") return "/racks/" + name;
  if (kind == "host") return "/hosts/" + name;
  if (kind == "datacenter" || kind == "site") return "/sites/" + name;
  return fmt::format("/fleet?{}={}", kind, name);
}

}  // namespace ghm::views
