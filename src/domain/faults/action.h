#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ghm::faults {

/// What a person does next. The words stand in the data files of data/faults/.
enum class Action : std::uint8_t {
  none,
  restart_job,
  reset_gpu,
  reboot_host,
  drain_and_test,           // take it out of work, run diagnostics, put it back when they pass
  drain_then_inspect,       // take it out of work, look at board, cable and logs before it returns
  check_seating_and_power,  // reseat the board or its cables
  check_cooling,
  check_power_feed,
  check_monitoring,  // exporter, agent, network: the boards may be well
  update_driver,
  replace_board
};
inline constexpr std::size_t kActions = 12;

std::string_view to_string(Action a);
std::optional<Action> action_named(std::string_view word);
/// All words, "none, restart_job, ...", for complaints.
std::string_view action_words();
/// For a sentence: "restart the job".
std::string_view sentence_of(Action a);
/// Whether it ends what a board does now: such a step wants a person's yes.
bool interrupts_work(Action a);

}  // namespace ghm::faults
