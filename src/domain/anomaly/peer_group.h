#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"

/// Peers beyond the host: once a minute each host tells the hosts of its rack, and those that work on the same job, what its boards are
/// like, and hears the same of them. Only medians travel, so that what is told and kept has a fixed size however many boards there are.
namespace ghm::anomaly {

enum class Peers : std::uint8_t { none, host, rack, job };
std::string_view to_string(Peers p);
/// The same for people: "against its own past", "against its peers in the rack".
std::string_view against_whom(Peers p);

inline constexpr std::size_t kErrorRates = 3;  // corrected memory errors, PCIe replays, NVLink CRC errors

/// One host's boards of one model this minute: medians over those that work, of excess and error rates over all. NaN: nobody says. 56
/// bytes.
struct PeerFigures {
  static constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  Timestamp at{};
  std::uint32_t working = 0, boards = 0;
  float watts = kNone, celsius = kNone, memory_above = kNone, util = kNone, clock = kNone;
  float excess = kNone;                                       // °C above their own usual warmth
  std::array<float, kErrorRates> rates{kNone, kNone, kNone};  // events an hour
};

/// Hosts that hear each other. At most 32 are kept, 2 kB: of a job of a thousand hosts the first 32 speak for all. One thread's.
class PeerGroup {
 public:
  static constexpr std::size_t kMost = 32;
  void tell(std::uint32_t host, const PeerFigures& figures);
  /// What the others said within the last three minutes, in no order.
  void others(std::uint32_t host, Timestamp now, std::vector<PeerFigures>& out) const;

 private:
  struct Member {
    std::uint32_t host = 0;
    PeerFigures figures;
  };
  std::vector<Member> members_;
};

/// All groups by name; a group lives for as long as a host holds it. One thread's.
class PeerExchange {
 public:
  std::shared_ptr<PeerGroup> group(const std::string& name);
  std::uint32_t new_host() { return ++hosts_; }
  std::size_t groups() const { return groups_.size(); }

 private:
  std::map<std::string, std::weak_ptr<PeerGroup>> groups_;
  std::size_t sweep_at_ = 64;
  std::uint32_t hosts_ = 0;
};

}  // namespace ghm::anomaly
