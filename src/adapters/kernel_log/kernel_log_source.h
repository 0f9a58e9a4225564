#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/kernel_log/driver_log.h"
#include "adapters/kernel_log/kernel_clock.h"
#include "adapters/kernel_log/kmsg_reader.h"
#include "domain/transport/host_round.h"

namespace ghm::kernel_log {

struct KernelLogConfig {
  std::filesystem::path device = "/dev/kmsg";
  std::filesystem::path boot_id = "/proc/sys/kernel/random/boot_id";
  std::filesystem::path driver_version = "/proc/driver/nvidia/version";
  std::filesystem::path state;  // where the last record dealt with is remembered; empty: from the oldest record at every start
};

/// The kernel log as events: what DriverLog makes of it, and kernel_gap (records lost before they were read), clock_step
/// (the wall clock was set). Reads at most kMostReads records a second; a restart goes on where the last record was dealt
/// with, the same boot granted. What happened before the agent started is told too, as far back as the log reaches.
class KernelLogSource final : public transport::AgentSource {
 public:
  static constexpr std::size_t kMostReads = 4000;

  explicit KernelLogSource(KernelLogConfig config, std::function<ClockReading()> clocks = read_clocks);

  std::string_view name() const override { return "kernel_log"; }
  transport::SourceRound collect(Timestamp now) override;
  std::vector<transport::AgentEvent> listen(Timestamp now) override;
  /// A device or pipe tells by itself; a file must be asked, and so must repeated faults that wait for their minute to end.
  std::chrono::milliseconds listen_within() const override;
  int ready_file() const override { return reader_ ? reader_->ready_file() : -1; }

  /// Everything told so far is safe elsewhere: a restart need not tell it again. Written when there were events, and else
  /// once in kSaveEvery, for it costs a sync.
  void kept() override;
  static constexpr std::chrono::seconds kSaveEvery{60};

  /// Of the host: the log's newest lines; seen_again(): those that came since.
  transport::Testimony testify(const transport::GpuName& gpu, Timestamp now) override;
  transport::Testimony seen_again(const transport::GpuName& gpu, Timestamp now) override;
  std::map<std::string, std::uint64_t> counts_of_own() const override;

  struct Counts {
    std::uint64_t records = 0, malformed = 0, too_big = 0, overwritten = 0, cut_lines = 0, gaps = 0, missing = 0;
  };
  Counts counts() const;

 private:
  bool open();
  void take(const LogItem& item, std::vector<transport::AgentEvent>& out);
  transport::AgentEvent host_event(std::string kind, std::chrono::microseconds at, std::string text) const;
  std::optional<std::uint64_t> remembered() const;

  KernelLogConfig config_;
  std::function<ClockReading()> clocks_;
  std::string boot_id_;
  KernelClock clock_;
  DriverLog log_;
  std::unique_ptr<KmsgReader> reader_;
  std::optional<std::uint64_t> last_seq_, tellable_seq_, saved_seq_;  // read; nothing before it waits; in the state file
  std::optional<std::uint64_t> testified_seq_;
  std::string trouble_, save_trouble_;
  bool told_something_ = false;
  std::chrono::microseconds last_save_{};
  std::uint64_t gaps_ = 0, missing_ = 0;
  Counts closed_;  // of readers that are gone
};

/// "570.86.15" from the first line of /proc/driver/nvidia/version; empty when it does not say.
std::string driver_version_in(std::string_view proc_text);

}  // namespace ghm::kernel_log
