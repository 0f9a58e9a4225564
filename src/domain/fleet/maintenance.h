#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

/// Times in which somebody works on a part of the fleet: readings are kept as ever, but silence is no news and scores
/// leave those minutes out.
namespace ghm::fleet {

struct Board;

struct Maintenance {
  enum class Scope { gpu, host, rack };
  std::string id;      // "m-1700000000000-1"
  Scope scope{};       // what `target` names
  std::string target;  // serial or UUID, host name, rack name
  Timestamp from{};
  std::optional<Timestamp> until;  // absent: until somebody ends it
  std::string reason, by;          // `by`: whose key started it
  friend bool operator==(const Maintenance&, const Maintenance&) = default;

  /// from <= at < until.
  bool covers(Timestamp at) const { return from <= at && (!until || at < *until); }
};
std::string_view to_string(Maintenance::Scope scope);
std::optional<Maintenance::Scope> parse_scope(std::string_view text);

/// All windows that are known, ended ones too. One owner; O(windows) per question, and there are few.
class MaintenanceBook {
 public:
  /// Opens a window at `m.from`; its id is given here. conflict: the target is under maintenance then already;
  /// invalid_input: it would end before it begins.
  Result<Maintenance> start(Maintenance m);
  /// Ends the target's window that covers `at`. not_found: there is none.
  Result<Maintenance> end(Maintenance::Scope scope, std::string_view target, Timestamp at);

  /// The window that covers this board (by itself, its host or its rack) at that time; nullptr: none.
  const Maintenance* covering(const Board& board, Timestamp at) const;
  const Maintenance* covering_host(std::string_view host, std::string_view rack, Timestamp at) const;
  /// Windows of this board that overlap [from, to).
  std::vector<TimeRange> windows(const Board& board, TimeRange range) const;

  const std::vector<Maintenance>& all() const { return all_; }
  void restore(std::vector<Maintenance> all) { all_ = std::move(all); }

 private:
  std::vector<Maintenance> all_;
};

}  // namespace ghm::fleet
