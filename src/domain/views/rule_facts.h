#pragma once
#include <string>
#include <string_view>

#include "domain/health/health.h"

namespace ghm::views {

/// What a finding's number is: its unit, the window that the rule looks at, and the metric whose chart shows it.
struct RuleFacts {
  std::string_view rule;
  std::string_view unit;    // "celsius", "1/d", "ratio"
  std::string_view window;  // "24h", "7d", "now"
  std::string_view metric;  // canonical; empty: no series shows it
};

/// Of a rule of this version's profiles; what is not known is empty.
RuleFacts facts_of(std::string_view rule);
/// As facts_of, but where the value tells two kinds apart: a PCIe width in lanes or a share of the time.
std::string_view unit_of(const health::Finding& finding);

}  // namespace ghm::views
