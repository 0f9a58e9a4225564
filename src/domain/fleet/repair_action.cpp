#include "domain/fleet/repair_action.h"

#include <algorithm>

namespace ghm::fleet {
namespace {

using std::chrono::days;

constexpr std::uint8_t operator|(ActTrace a, ActTrace b) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr std::uint8_t only(ActTrace a) {
  return static_cast<std::uint8_t>(a);
}

constexpr RepairAction kActions[] = {
    {"restart_job", "restarting the job", days(3)},
    {"reset_gpu", "a GPU reset", days(7), ActTrace::reset | ActTrace::boot},
    {"reboot_host", "a host reboot", days(7), only(ActTrace::boot)},
    {"drain_and_test", "draining and testing", days(7)},
    {"drain_then_inspect", "an inspection", days(14)},
    {"check_seating_and_power", "reseating", days(30), ActTrace::boot | ActTrace::returned},
    {"check_cooling", "work on the cooling", days(14)},
    {"check_power_feed", "work on the power feed", days(14)},
    {"check_monitoring", "work on the monitoring", days(3)},
    {"update_driver", "another driver", days(14), only(ActTrace::driver)},
    {"replace_board", "a new board", days(30), only(ActTrace::replaced), true},
};

}  // namespace

const RepairAction* repair_action(std::string_view word) {
  const auto* found = std::ranges::find(kActions, word, &RepairAction::word);
  return found == std::end(kActions) ? nullptr : found;
}

}  // namespace ghm::fleet
