#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/nvml/board_report.h"
#include "core/result.h"

namespace ghm::nvml {

struct RoundEnd {};

/// One datagram from the child.
struct Frame {
  std::uint64_t round = 0;
  std::variant<HostReport, BoardReport, RoundEnd> what;
};
/// The agent's question.
struct Ask {
  std::uint64_t round = 0;
  std::vector<std::string> last;  // UUIDs to read after the others
  std::vector<std::string> skip;  // UUIDs not to touch: they are reported as kSkipped
  bool all = false;               // also what is read in every sixth round alone: somebody waits for the counters of now
};

inline constexpr std::size_t kMostFrame = 64 << 10;  // a board of 18 links takes 3 kB

std::string encode(const Frame& frame);
std::string encode(const Ask& ask);
/// invalid_input for anything that the other two cannot have written: then the child is not to be trusted any more.
Result<Frame> decode_frame(std::string_view bytes);
Result<Ask> decode_ask(std::string_view bytes);

}  // namespace ghm::nvml
