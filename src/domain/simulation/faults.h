#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "domain/simulation/board.h"

/// Causes and their signs. A fault strikes a board (some its whole host) and leaves what telemetry would see of it.
namespace ghm::simulation {

/// The words that can be injected, in the contract's order.
std::span<const std::string_view> fault_words();
std::optional<Fault> fault_named(std::string_view word);
/// What was done, for people: "a row remap failed".
std::string_view sentence_of(Fault fault);

/// `fault` happens to `b` at `t`. What follows later (an Xid, the board vanishing) is put into its events.
void strike(Fault fault, Board& b, Surroundings& around, double t);
/// For a demonstration: faults of heat and power show only under load, so the host gets a full-load job with them.
void strike_visibly(Fault fault, Board& b, Surroundings& around, double t);

/// Adds an event in its order.
void plan(Board& b, Event event);
/// Lets everything happen that is due at `t`: strikes, Xids, vanishing, repairs.
void live_through(Board& b, Surroundings& around, const Scenario& scenario, double t);

/// Draws when each mode of the scenario will next fail this board after `t`, with its sign if it shows one. Arrivals are
/// Poisson with the mode's rate times the board's hazard.
void draw_failures(Board& b, const Scenario& scenario, double t);

/// The exporter's gauge and window: the latest Xid and those of the last 300 s.
inline constexpr double kXidWindow = 300;
void forget_old_xids(Board& b, double t);

}  // namespace ghm::simulation
