#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/agent/fatal_sign.h"
#include "apps/agent/snapshot_limits.h"
#include "domain/transport/host_round.h"

namespace ghm::agent {

/// Writes down what is known of a GPU at the first sign of a fatal fault: into the very round that carries the sign, so that one synced
/// write keeps both and a reboot right after it takes neither. What has to be asked for (NVML) is asked then, and follows as a
/// "later" part when it is there, or after kPatience with what did not answer. At most SnapshotLimits allow. One owner.
class SnapshotTaker {
 public:
  using Sources = std::vector<std::unique_ptr<transport::AgentSource>>;
  static constexpr std::chrono::milliseconds kPatience{3'000}, kLeastLook{900};
  /// A sign older than that (a fault of before the agent's start) is none: what is found now would say nothing about it.
  static constexpr std::chrono::minutes kFresh{10};

  struct Settings {
    std::filesystem::path state;       // where SnapshotLimits are remembered; empty: nowhere
    std::filesystem::path root = "/";  // below it is proc
    std::string boot_id;
  };
  /// `own`: what the agent says of itself. Both outlive the taker.
  SnapshotTaker(Settings settings, const Sources& sources, std::function<telemetry::LabelMap()> own);

  /// Before a round is kept. Looks at its events and adds snapshots: some forty small files read. Else one copy of the values.
  void take(transport::HostRound& round);
  /// Once a second: the later parts, when they are due.
  void look(transport::HostRound& round);
  bool is_looking() const { return open_.has_value(); }
  /// After a round was kept: `left_out`, the spool's count.
  void kept(std::uint64_t left_out);

  struct Stats {
    std::uint64_t taken = 0;                            // boards, or hosts as such
    std::map<std::string, std::uint64_t> skipped = {};  // by reason: known, too_many, old, no_room
  };
  const Stats& stats() const { return stats_; }

 private:
  using Json = nlohmann::ordered_json;
  struct Chosen {
    const transport::AgentEvent* event = nullptr;
    FatalSign sign;
    transport::GpuName gpu;
  };
  struct Open {  // a moment whose later parts are to come
    std::string id;
    Timestamp at{};
    std::chrono::milliseconds asked{};
    std::vector<transport::GpuName> gpus;
  };
  std::vector<Chosen> choose(const transport::HostRound& round);
  void write_down(transport::HostRound& round, const std::vector<Chosen>& chosen);
  void add_notices(transport::HostRound& round);
  void notice(const std::string& reason, std::string text, Timestamp at);
  void add_later_parts(transport::HostRound& round);
  Json context(const transport::HostRound& round, const Chosen& first) const;
  Json sign_part(const transport::HostRound& round, const Chosen& chosen) const;
  Json testimonies(const transport::GpuName& gpu, Timestamp now) const;
  Json testimony(const transport::Testimony& said) const;
  Json readings_of(const transport::GpuName& gpu) const;
  const telemetry::GpuIdentity* identity_of(const transport::GpuName& gpu) const;
  transport::GpuName full_name(const transport::GpuName& gpu) const;

  Settings settings_;
  const Sources& sources_;
  std::function<telemetry::LabelMap()> own_;
  SnapshotLimits limits_;
  telemetry::PageReading last_;  // layout and values alone
  Timestamp last_at_{};
  std::optional<Open> open_;
  std::size_t in_round_ = 0;  // that the round being kept carries
  std::uint64_t left_out_ = 0;
  Timestamp kept_at_{};                       // of that round
  std::map<std::string, Timestamp> noticed_;  // by reason
  std::vector<transport::AgentEvent> notices_;
  Stats stats_;
};

}  // namespace ghm::agent
