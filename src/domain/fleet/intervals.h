#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// What was true of a board for a while: the slot it stood in, the names it had, its driver, the jobs that ran on it. Kept
/// beside the series and never part of a key: a new driver or pod must not make a new series.
namespace ghm::fleet {

using telemetry::BoardId;
using Facts = std::map<std::string, std::string>;

struct Interval {
  BoardId board{};    // or a host's number
  std::string kind;   // slot serial uuid driver vbios job pod silence
  std::string value;  // "h1 00000000:65:00.0", "550.54.15", "default/train-7/main"
  Facts facts;        // what else there is to say, by name; part of what makes two intervals different
  Timestamp from{};
  std::optional<Timestamp> to;  // absent: it still holds
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// One value that holds, when intervals are compared.
struct Held {
  std::string value;
  Facts facts;
  friend auto operator<=>(const Held&, const Held&) = default;
};

/// The intervals that hold now. A pure state machine; what has ended is handed out and forgotten.
class OpenIntervals {
 public:
  /// From `at` on exactly `values` hold of this kind: others end, new ones begin. O(open intervals of the board).
  void hold(BoardId board, std::string_view kind, const std::vector<Held>& values, Timestamp at);
  void hold(BoardId board, std::string_view kind, Held value, Timestamp at) { hold(board, kind, std::vector{std::move(value)}, at); }
  /// The interval that holds of this kind began at `from`, as is known by now; nothing when none holds or it began earlier.
  void began(BoardId board, std::string_view kind, Timestamp from);
  /// An interval of the past, told afterwards.
  void add_ended(Interval ended);

  /// nullptr when there is none; the first of its kind.
  const Interval* current(BoardId board, std::string_view kind) const;
  const std::vector<Interval>& of(BoardId board) const;

  struct Changes {
    std::vector<Interval> ended;
    std::map<BoardId, std::vector<Interval>> open;  // all that hold now, of boards where something changed
  };
  Changes take_changes();
  void restore(std::vector<Interval> open);

 private:
  std::unordered_map<BoardId, std::vector<Interval>> open_;
  std::vector<Interval> ended_;
  std::vector<BoardId> changed_;
};

}  // namespace ghm::fleet
