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

// A width is whole and at least 1; a share of the time is at most 1 and has the reference 0.95.
std::string pcie(const Finding& f) {
  if (f.reference >= 1) return fmt::format("PCIe at {}; reference {}", counted(f.value, "lane"), number(f.reference));
  return fmt::format("PCIe generation below its maximum in {} of the time under load; reference {}", percent(f.value),
                     percent(f.reference));
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
    {"power.spike",
     [](const Finding& f) {
       return fmt::format("power jumped by more than 20 W {} at steady load in 24 h; reference 0", counted(f.value, "time"));
     }},
    {"power.limit",
     [](const Finding& f) { return fmt::format("power-limited beyond design {} in 24 h; reference 0", counted(f.value, "time")); }},
    {"power.efficiency",
     [](const Finding& f) {
       return fmt::format("{:.1f} J per second of full activity in 24 h; reference {:.1f} J, its own last 30 days", f.value, f.reference);
     }},
    {"performance.throughput",
     [](const Finding& f) {
       return fmt::format("SM clock {:.0f} MHz while busy; reference {:.0f} MHz, its own past or boards at the same job", f.value,
                          f.reference);
     }},
    {"performance.clock",
     [](const Finding& f) {
       return fmt::format("SM clock below 90 % of its maximum in {} of the time under load; reference {}", percent(f.value),
                          percent(f.reference));
     }},
    {"performance.pcie", pcie},
    {"performance.nvlink",
     [](const Finding& f) { return fmt::format("{} up; reference {}", counted(f.value, "NVLink"), number(f.reference)); }},
    {"reliability.uptime",
     [](const Finding& f) { return fmt::format("reported {:.2f} % of 30 days; reference {} %", f.value, number(f.reference)); }},
    {"reliability.jobs",
     [](const Finding& f) {
       return fmt::format("{:.1f} % of its jobs in 30 days ended well; reference {} %", f.value, number(f.reference));
     }},
    {"reliability.reset",
     [](const Finding& f) { return fmt::format("reset or lost {} in 30 days; reference 0", counted(f.value, "time")); }},
    {"reliability.xid", [](const Finding& f) { return fmt::format("{} in 30 days; reference 0", counted(f.value, "hardware Xid")); }},
    {"thermal.resistance",
     [](const Finding& f) {
       return fmt::format("warms up by {:.4f} °C per watt over 7 days; reference {:.4f}, its own three weeks before", f.value, f.reference);
     }},
    {"memory.ce_hours",
     [](const Finding& f) { return fmt::format("corrected memory errors in {} of 7 days; reference 0", counted(f.value, "hour")); }},
    {"memory.ce_flood",
     [](const Finding& f) {
       return fmt::format("{} in 24 h; reference {}", counted(f.value, "corrected memory error"), number(f.reference));
     }},
    {"memory.rows", [](const Finding& f) { return fmt::format("{} remapped in 30 days; reference 0", counted(f.value, "memory row")); }},
    {"memory.uncorrected",
     [](const Finding& f) {
       return fmt::format("{} in 30 days; reference 0; memory held at 45", counted(f.value, "uncorrected memory error"));
     }},
    {"power.brake",
     [](const Finding& f) { return fmt::format("power brake pulled in {} of 7 days; reference 0", counted(f.value, "hour")); }},
    {"performance.replays",
     [](const Finding& f) { return fmt::format("{} in 24 h; reference {}", counted(f.value, "PCIe replay"), number(f.reference)); }},
    {"performance.link_errors",
     [](const Finding& f) {
       return fmt::format("{} and replays in 24 h; reference {}", counted(f.value, "NVLink CRC error"), number(f.reference));
     }},
    {"reliability.incidents",
     [](const Finding& f) {
       return fmt::format("{} in 30 days (resets, losses, grave Xids), the latest counting most; reference 0",
                          counted(f.value, "incident"));
     }},
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
