// Refusing is fine, crashing is not; what is read can be scored, and the score is a number from 0 to 100 or none.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "domain/health/case_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::health;
  const auto read = parse_case({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!read) {
    if (read.error().what.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  for (const auto& name : profile_names()) {
    const auto report = score(*find_profile(name), read->input);
    if (report.overall && !(*report.overall >= 0 && *report.overall <= 100)) std::abort();
    if (case_answer(report).dump().empty() || case_text(report, read->input.model).empty()) std::abort();
  }
  return 0;
}
