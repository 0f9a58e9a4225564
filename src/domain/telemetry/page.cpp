#include "domain/telemetry/page.h"

namespace ghm::telemetry {

std::string_view to_string(Reason r) {
  constexpr std::string_view kWords[kReasons] = {"sentinel", "not_finite", "out_of_range",     "impossible_rate", "future",
                                                 "too_old",  "duplicate",  "unknown_identity", "unparsable",      "conversion_error"};
  return kWords[static_cast<std::size_t>(r)];
}

}  // namespace ghm::telemetry
