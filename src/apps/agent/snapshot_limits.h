#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace ghm::agent {

/// Which faults are written down: of a board and family one an hour, and of a host eight an hour, so that neither a board that fails
/// each second nor a rack that loses power fills the disk. Time is the kernel's count since the boot, which nobody sets. Pure.
class SnapshotLimits {
 public:
  static constexpr std::chrono::milliseconds kOncePer = std::chrono::hours(1);
  static constexpr std::size_t kMostPer = 8;

  enum class Verdict { take, known, too_many };
  /// take: it is counted. `who`: a board's name, or "host".
  Verdict ask(const std::string& who, std::string_view family, std::chrono::milliseconds since_boot);

  /// So that a restart of the agent in the same boot does not begin anew.
  std::string to_text(const std::string& boot_id) const;
  /// Of another boot, or any other bytes: nothing was taken yet.
  static SnapshotLimits from_text(std::string_view text, std::string_view boot_id);

 private:
  struct Taken {
    std::chrono::milliseconds at{};
    std::string family, who;
  };
  std::vector<Taken> taken_;  // of the last hour, by time
};

}  // namespace ghm::agent
