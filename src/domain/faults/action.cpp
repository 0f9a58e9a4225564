#include "domain/faults/action.h"

#include <algorithm>
#include <array>
#include <string>

namespace ghm::faults {
namespace {

struct Row {
  Action action;
  std::string_view word, says;
  bool interrupts;
};

constexpr std::array<Row, kActions> kRows = {{
    {Action::none, "none", "nothing now; watch whether it comes back", false},
    {Action::restart_job, "restart_job", "restart the job, and look at the program if it happens again", false},
    {Action::reset_gpu, "reset_gpu", "drain the GPU and reset it", true},
    {Action::reboot_host, "reboot_host", "drain the host and reboot it, with a power cycle where the board stays away", true},
    {Action::drain_and_test, "drain_and_test", "drain it and run diagnostics before it works again", true},
    {Action::drain_then_inspect, "drain_then_inspect", "drain it and have board, cables and logs looked at", true},
    {Action::check_seating_and_power, "check_seating_and_power", "reseat the board and check its power cables", true},
    {Action::check_cooling, "check_cooling", "check fans, pumps, filters and the air that comes in", false},
    {Action::check_power_feed, "check_power_feed", "check power supplies, the feed and its breakers", false},
    {Action::check_monitoring, "check_monitoring", "check exporter, agent and network: the GPUs may be well", false},
    {Action::update_driver, "update_driver", "compare driver and firmware with hosts that stay well, and change the release", true},
    {Action::replace_board, "replace_board", "take it out and ask for a replacement (RMA)", true},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].action) != i) return false;
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view to_string(Action a) {
  return kRows[static_cast<std::size_t>(a)].word;
}

std::optional<Action> action_named(std::string_view word) {
  const auto found = std::ranges::find(kRows, word, &Row::word);
  return found == kRows.end() ? std::nullopt : std::optional(found->action);
}

std::string_view action_words() {
  static const std::string words = [] {
    std::string all;
    for (const auto& row : kRows) all.append(all.empty() ? "" : ", ").append(row.word);
    return all;
  }();
  return words;
}

std::string_view sentence_of(Action a) {
  return kRows[static_cast<std::size_t>(a)].says;
}

bool interrupts_work(Action a) {
  return kRows[static_cast<std::size_t>(a)].interrupts;
}

}  // namespace ghm::faults
