#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/kernel_log/driver_line.h"
#include "adapters/kernel_log/kmsg_record.h"
#include "adapters/kernel_log/sign_folder.h"
#include "domain/transport/host_round.h"

namespace ghm::kernel_log {

/// From the kernel's records to events: joins what the driver says in several lines (fragments, SXids in three lines, "the
/// GPU ... has fallen off the bus"), remembers who sits at which address, folds floods, and keeps each line as evidence.
/// Kinds: xid, sxid, gpu_off_bus, gsp_prints_limited, kernel_unreadable. Every event carries boot_id, seq and monotonic_us,
/// which order it whatever the wall clock did, and tell a line that is sent twice from a fault that came twice.
/// Pure: time comes with the records. O(line) each; memory is bounded.
class DriverLog {
 public:
  static constexpr std::chrono::seconds kHold{1};    // how long a fault waits for its further lines
  static constexpr std::size_t kMostEvidence = 900;  // bytes of a line that are kept

  explicit DriverLog(std::string boot_id) : boot_id_(std::move(boot_id)) {}

  /// at: the record's time by the wall clock.
  void add(const KmsgRecord& record, Timestamp at, std::vector<transport::AgentEvent>& out);
  /// Tells what has waited long enough; now: the monotonic clock.
  void flush(std::chrono::microseconds now, std::vector<transport::AgentEvent>& out);

  /// Something was read and is not told yet.
  bool waiting() const { return fragments_ || falling_ || !sxids_.empty(); }

  /// From /proc/driver/nvidia/version; a later "loading NVIDIA ..." line wins.
  void set_driver_version(std::string version) { driver_version_ = std::move(version); }
  const std::string& driver_version() const { return driver_version_; }

 private:
  struct Source {  // the record that a line stood in
    std::uint64_t seq = 0;
    std::chrono::microseconds at_boot{};
    Timestamp at{};
    bool by_process = false;
    std::string line;
  };
  struct Held {
    transport::AgentEvent event;
    std::chrono::microseconds since{};
  };
  struct Identity {
    std::string uuid, serial;
  };

  void add_whole(const KmsgRecord& record, Timestamp at, std::vector<transport::AgentEvent>& out);
  void add_line(const Source& from, std::vector<transport::AgentEvent>& out);
  void say(transport::AgentEvent event, std::chrono::microseconds at_boot, std::vector<transport::AgentEvent>& out);
  transport::AgentEvent event(std::string kind, const Source& from, const std::string& pci) const;

  void on(const XidLine& line, const Source& from, std::vector<transport::AgentEvent>& out);
  void on(const SxidLine& line, const Source& from, std::vector<transport::AgentEvent>& out);
  void on(const OffBusLine& line, const Source& from, std::vector<transport::AgentEvent>& out);
  void on(const OffBusTail&, const Source& from, std::vector<transport::AgentEvent>& out);
  void on(const GpuAtLine& line, const Source&, std::vector<transport::AgentEvent>&);
  void on(const BoardSerialLine& line, const Source&, std::vector<transport::AgentEvent>&);
  void on(const DriverLoadedLine& line, const Source&, std::vector<transport::AgentEvent>&);
  void on(const PrintsLimitedLine& line, const Source& from, std::vector<transport::AgentEvent>& out);
  void on(const UnreadableLine& line, const Source& from, std::vector<transport::AgentEvent>& out);

  std::string boot_id_;
  std::string driver_version_;
  std::map<std::string, Identity> identities_;  // by PCI address
  std::string last_introduced_;                 // whose serial number comes next
  std::optional<KmsgRecord> fragments_;         // a line that is not complete yet
  Timestamp fragments_at_{};
  std::map<std::pair<std::string, int>, Held> sxids_;  // by switch and code
  std::optional<Held> falling_;                        // "The NVIDIA GPU ..." that waits for its verb
  SignFolder folder_;
};

}  // namespace ghm::kernel_log
