#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/health/health.h"

/// One board's case as a JSON document, and its answer: what `ghm score case` reads and writes (docs/health.md).
namespace ghm::health {

struct Case {
  Input input;
  std::vector<std::string> ignored;  // fields that a case does not have, by their path: a slip of the pen, most likely
};

/// A series is [[time, value], ...], {"start","step_s","values"} or {"start","step_s","runs":[[value, count], ...]}; a null value
/// is no reading. `file` names the document in errors: "case.json: metrics.DCGM_FI_DEV_GPU_TEMP[3][0]: 17: expected ...".
/// Bounds that keep arithmetic finite: times 0 to 1e11 s, values ±1e18, 20 million readings in all. O(size).
Result<Case> parse_case(std::string_view json, std::string_view file);

/// Numbers unrounded; what is not available is null.
nlohmann::ordered_json case_answer(const Report& report);
/// For people: from 100 down to the score, a line for each finding.
std::string case_text(const Report& report, std::string_view model);

}  // namespace ghm::health
