#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/nvml/board_report.h"
#include "domain/transport/host_round.h"

namespace ghm::nvml {

/// What came of one round. complete: the child said that it was at the end.
struct ReadRound {
  HostReport host;
  bool has_host = false;  // false: the child did not even get that far
  std::vector<BoardReport> boards;
  bool complete = false;
};

/// A process that computes on a GPU now.
struct RunningProcess {
  transport::GpuName gpu;
  std::uint32_t pid = 0;
  friend auto operator<=>(const RunningProcess&, const RunningProcess&) = default;
};

/// From rounds to readings and events. Events (once each, at the change): gpu_lost, gpu_back, gpu_reset_required,
/// gpu_error (any other code that keeps a GPU from being opened), gpu_gone (NVML no longer counts it), gpu_new, duplicate_serial,
/// nvml_unavailable, nvml_back, driver_changed. A board that was not read in a round (the round broke off, the board was left alone) is not
/// judged by it. Pure; time is passed in.
class BoardBook {
 public:
  /// Readings hold the GPUs that were read; their layout stays the same object while the GPUs and columns do.
  transport::SourceRound take(const ReadRound& round, Timestamp now);

  /// By the newest round that said so; empty when it did not.
  transport::GpuName name_at(unsigned index) const;
  const std::vector<RunningProcess>& processes() const { return processes_; }
  /// Whose device a scheduler's id names: an index "0", "gpu-0" by minor number (DRA), a MIG instance's UUID. Empty: nobody's.
  transport::GpuName find_device(std::string_view id) const;

 private:
  enum class State : std::uint8_t { fine, lost, reset_required, failing, gone };
  struct Board {
    telemetry::GpuIdentity identity;
    State state = State::fine;
    int minor = -1;
    std::vector<std::string> mig_uuids;
  };
  struct ColumnKey {
    telemetry::Entity entity;
    telemetry::MetricId metric{};
    friend auto operator<=>(const ColumnKey&, const ColumnKey&) = default;
  };
  struct Columns {
    std::map<ColumnKey, std::size_t> places;
    // Those of the newest report, in its order: one with the same columns is not looked up.
    std::vector<std::pair<ColumnKey, std::size_t>> order;
    bool fits(const std::vector<Value>& values) const;
  };

  void judge_host(const HostReport& host, Timestamp now, std::vector<transport::AgentEvent>& out);
  void judge_boards(const ReadRound& round, Timestamp now, std::vector<transport::AgentEvent>& out);
  void judge_absent(const std::set<std::string>& seen, Timestamp now, std::vector<transport::AgentEvent>& out);
  void judge_serials(Timestamp now, std::vector<transport::AgentEvent>& out);
  void set_state(Board& board, State state, abi::Code code, Timestamp now, std::vector<transport::AgentEvent>& out);
  void note_nameless(const BoardReport& report, Timestamp now, std::vector<transport::AgentEvent>& out);
  void learn(const BoardReport& report, const HostReport& host, Timestamp now, std::vector<transport::AgentEvent>& out);
  std::string uuid_of(const BoardReport& report) const;
  telemetry::PageReading readings(const ReadRound& round);
  bool is_laid_out(const ReadRound& round) const;
  void lay_out(const ReadRound& round);
  void make_layout(std::vector<telemetry::GpuIdentity> gpus, const std::map<std::string, std::int16_t>& position);

  std::map<std::string, Board> boards_;  // by UUID; those that are gone stay, so that a return is one
  bool had_round_ = false;
  abi::Code host_status_ = abi::kSuccess;
  std::string driver_;
  std::set<std::string> told_serials_;
  std::set<std::pair<unsigned, abi::Code>> told_nameless_;  // index and code
  std::vector<RunningProcess> processes_;
  std::shared_ptr<const telemetry::PageLayout> layout_;
  std::map<std::string, Columns> columns_;  // by UUID
};

}  // namespace ghm::nvml
