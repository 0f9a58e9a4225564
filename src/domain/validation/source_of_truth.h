#pragma once
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// Two sources that show the same board (two exporters on one host engine, a service and a pod monitor, scraping and
/// remote_write) say everything twice. One of them is believed: the first, for as long as it talks.
namespace ghm::validation {

/// A source by its number, which the caller gives out; 0 is nobody.
using SourceNumber = std::uint32_t;

/// Who is believed about which board. A pure state machine; one owner. O(boards of the page), ~5 ns each.
class SourceOfTruth {
 public:
  /// A board that another source speaks for, and which.
  struct Contested {
    std::size_t place = 0;  // in `boards`
    SourceNumber believed = 0;
    bool first_time = false;  // this pair was not known to overlap
    friend bool operator==(const Contested&, const Contested&) = default;
  };
  /// `source` shows these boards (none ones are passed over). The believed source of a board keeps it until it has been
  /// silent for two of its intervals; then whoever speaks next takes over, so within one interval. No flapping: the
  /// old source, when it returns, is the second one. The result is valid until the next call.
  const std::vector<Contested>& see(SourceNumber source, const std::vector<telemetry::BoardId>& boards, Timestamp now,
                                    std::chrono::milliseconds interval);
  /// The believed source of a board; 0 when nobody has shown it.
  SourceNumber believed(telemetry::BoardId board) const;
  /// Changes whenever any board gets another believed source: what was derived from verdicts is then worth a new look.
  std::uint64_t generation() const { return generation_; }
  /// A source that is read no longer holds nothing.
  void forget(SourceNumber source);

 private:
  struct Claim {
    SourceNumber source = 0;
    Timestamp seen{};
    std::chrono::milliseconds interval{};
  };
  std::vector<Claim> claims_;                      // by BoardId
  std::unordered_set<std::uint64_t> known_pairs_;  // smaller number first
  std::vector<Contested> contested_;
  std::uint64_t generation_ = 0;
};

}  // namespace ghm::validation
