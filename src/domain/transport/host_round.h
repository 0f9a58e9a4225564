#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/page.h"
#include "domain/transport/gpu_name.h"
#include "domain/transport/snapshot.h"

/// What is found on one GPU host, before it crosses to the server. Sources (adapters) fill a SourceRound each; the agent
/// joins them to one HostRound, spools it, and sends it.
namespace ghm::transport {

inline constexpr std::size_t kLongestEventText = 1024;

/// Something that happened at an instant. It becomes an event of the ledger, of the right board.
struct AgentEvent {
  Timestamp at{};
  std::string kind;  // "xid", "sxid", "kernel_gap", "gpu_lost": [a-z_]+, at most 40 characters
  GpuName gpu;
  int code = 0;                // of an Xid or SXid; 0: none
  std::string text;            // what the witness said, one line of UTF-8, cut at kLongestEventText
  telemetry::LabelMap fields;  // what was read from it: pid, process, link, sequence
  friend bool operator==(const AgentEvent&, const AgentEvent&) = default;
};

/// A job or pod that holds a GPU now. From the rounds the server makes intervals.
struct JobNow {
  GpuName gpu;
  std::string kind;           // "pod" or "job"
  std::string name;           // pod: "namespace/pod/container"; job: the batch system's id
  telemetry::LabelMap facts;  // user, partition, pid: what else there is to say
  friend auto operator<=>(const JobNow&, const JobNow&) = default;
};

/// What one source says about one round. What it leaves empty, it does not know: nothing is concluded from it.
struct SourceRound {
  /// Columns as every page has them (layout shared between rounds while it is the same; canonical units; absent() holes).
  std::optional<telemetry::PageReading> readings;
  std::vector<AgentEvent> events;
  /// Identity facts by UUID or PCI address; they fill what the page does not print (serial, VBIOS, driver).
  std::vector<telemetry::GpuIdentity> gpus;
  /// All that runs now; nullopt: this source does not know about jobs (or could not ask just now).
  std::optional<std::vector<JobNow>> jobs;
  /// Facts of the host: kernel, boot time, product. Sent when they change.
  telemetry::LabelMap host;
  /// Some of it comes from a simulator ("<scenario>/<seed>"): then all of the host is simulated, for ever.
  std::string simulated;
  /// Why the source could not look, one sentence; empty when all is well. It goes to the log when it changes.
  std::string trouble;
};

/// One thing that is watched on the host. Called from the agent's one thread; a call must be back within 100 ms, whatever
/// happens to the thing: what can hang belongs in a thread or child of the source's own.
class AgentSource {
 public:
  virtual ~AgentSource() = default;
  virtual std::string_view name() const = 0;  // "kernel_log", "nvml"
  /// Once per round (10 s).
  virtual SourceRound collect(Timestamp now) = 0;
  /// Events that should not wait for the round: called when ready_file() can be read, when listen_within() is over, and whenever
  /// the agent is awake; at most once per second. Most sources have none.
  virtual std::vector<AgentEvent> listen(Timestamp) { return {}; }
  /// For how long there will be no need to listen, unless ready_file() says otherwise.
  virtual std::chrono::milliseconds listen_within() const { return std::chrono::hours(1); }
  /// A file that can be read (poll(2)) when there is something to listen to; -1: there is none. It stays the source's.
  virtual int ready_file() const { return -1; }
  /// What it has said so far lies in the spool: a source that remembers how far it has told may write that down.
  virtual void kept() {}

  /// At the first sign of a fatal fault: what it knows of this GPU, or of the host where none is named. At once: what can hang is
  /// not asked.
  virtual Testimony testify(const GpuName&, Timestamp) { return {}; }
  /// Asked right after that: a new look at what may take its time, or new lines.
  virtual void look_again(Timestamp) {}
  virtual bool has_looked() const { return true; }
  /// What that look showed; what has not answered by now is said.
  virtual Testimony seen_again(const GpuName&, Timestamp) { return {}; }
  /// Nobody asks any more.
  virtual void look_away() {}
  /// For the agent's own metrics, ghm_agent_NAME_total: counts that only rise.
  virtual std::map<std::string, std::uint64_t> counts_of_own() const { return {}; }
};

/// All sources at one instant.
struct HostRound {
  std::uint64_t sequence = 0;              // given by the spool: rises with every round of an agent, for ever
  Timestamp at{};                          // the host's clock
  std::chrono::milliseconds since_boot{};  // CLOCK_BOOTTIME: tells when the host's clock was set
  std::string boot_id;
  std::string simulated;            // "<scenario>/<seed>", empty for real hosts
  std::string trouble;              // why there are no readings although there should be; empty when all is well
  telemetry::PageReading readings;  // no layout: no source had any (only events)
  std::vector<AgentEvent> events;
  std::vector<JobNow> jobs;  // sorted
  telemetry::LabelMap host;
  std::vector<Snapshot> snapshots;
};

}  // namespace ghm::transport
