// Every rule has its sentence: what was seen, over which time, against which reference.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "domain/health/health.h"

namespace ghm::health {
namespace {

// Whole numbers without a point, the rest with one digit: "3", "78.3".
std::string number(double v) {
  return v == std::floor(v) ? fmt::format("{:.0f}", v) : fmt::format("{:.1f}", v);
}
std::string counted(double n, std::string_view singular) {
  return fmt::format("{} {}{}", number(n), singular, n == 1 ? "" : "s");
}
std::string percent(double share) {
  return number(share * 100) + " %";
}

std::string remap_failed(const Finding& f) {
  // A value of 1 is the failure flag or one bank: the profile does not tell them apart.
  if (f.value > 1) return fmt::format("{} without spare rows; reference 0; RMA candidate", counted(f.value, "memory bank"));
  return "a row remap failed or a memory bank is without spare rows; RMA candidate";
}

struct Template {
  std::string_view rule;
  std::function<std::string(const Finding&)> sentence;
};

const Template kTemplates[] = {
    {"thermal.throttle",
     [](const Finding& f) { return fmt::format("slowed down by heat {} in 24 h; reference 0", counted(f.value, "time")); }},
    {"thermal.mean",
     [](const Finding& f) {
       return fmt::format("mean GPU temperature {:.1f} °C over 24 h; reference {} °C", f.value, number(f.reference));
     }},
    {"thermal.trend",
     [](const Finding& f) {
       return fmt::format("GPU temperature under load rises by {:.1f} °C in 30 days; reference {} °C", f.value, number(f.reference));
     }},
    {"thermal.swing",
     [](const Finding& f) {
       return fmt::format("GPU temperature swings by {:.1f} °C in an hour of steady load; reference {} °C", f.value, number(f.reference));
     }},
    {"thermal.fan",
     [](const Finding& f) { return fmt::format("fan at {} % or more for an hour; reference {} %", number(f.value), number(f.reference)); }},
    {"memory.corrected",
     [](const Finding& f) { return fmt::format("{} a day over 7 days; reference 0", counted(f.value, "corrected memory error")); }},
    {"memory.bandwidth",
     [](const Finding& f) {
       return fmt::format("a test reached {} of the memory bandwidth; reference {}", percent(f.value), percent(f.reference));
     }},
    {"memory.remap_pending", [](const Finding&) { return std::string("a row remap waits for a GPU reset"); }},
    {"memory.ue_7d",
     [](const Finding& f) {
       return fmt::format("{} in 7 days; reference 0; memory held at 70", counted(f.value, "uncorrected memory error"));
     }},
    {"memory.ue_30d",
     [](const Finding& f) {
       return fmt::format("{} in 30 days; reference 4; memory held at 50", counted(f.value, "uncorrected memory error"));
     }},
    {"memory.ce_3d",
     [](const Finding& f) {
       return fmt::format("{} or more a day, 3 days running; reference 100; memory held at 60", counted(f.value, "corrected memory error"));
     }},
    {"memory.remap_failed", remap_failed},
    {"memory.ue_rising",
     [](const Finding& f) {
       return fmt::format("{} in 24 h; reference {} in the 24 h before", counted(f.value, "uncorrected memory error"), number(f.reference));
     }},
};

}  // namespace

std::string sentence(const Finding& f) {
  const auto found = std::ranges::find(kTemplates, f.rule, &Template::rule);
  if (found == std::end(kTemplates)) return fmt::format("{}: {}; reference {}", f.rule, number(f.value), number(f.reference));
  return found->sentence(f);
}

}  // namespace ghm::health
