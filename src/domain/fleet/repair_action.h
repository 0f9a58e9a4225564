#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

/// What a repair does, as repair cases see it: how long its effect is watched, and what shows from outside that it was done.
namespace ghm::fleet {

/// What is heard of a machine that an action leaves behind.
enum class ActTrace : std::uint8_t { reset = 1, boot = 2, replaced = 4, returned = 8, driver = 16 };

struct RepairAction {
  std::string_view word;  // as incidents have it: "reset_gpu"
  std::string_view noun;  // for sentences: "a GPU reset"
  std::chrono::days watch;
  std::uint8_t traces = 0;  // any of these ActTrace bits says that it was done; 0: nothing that we hear does
  bool swaps = false;       // it puts another board in the place of this one

  bool leaves(ActTrace t) const { return (traces & static_cast<std::uint8_t>(t)) != 0; }
};

/// nullptr for a word that is no repair ("none"). The watch is our judgement: what only starts something anew (a reset, a reboot) is
/// proven by a week at work, a change of the place by two, of the board or its seat by a month: memory faults come back within 30 days.
const RepairAction* repair_action(std::string_view word);

inline constexpr int kLeastWatchDays = 1, kMostWatchDays = 90;

}  // namespace ghm::fleet
