#pragma once
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "domain/transport/batch_codec.h"
#include "pipeline/ingest.h"
#include "pipeline/remote_source.h"

namespace ghm::pipeline {

/// How far a host's clock is from ours, learnt from the clock its batches carry. A difference of up to 30 s is the network's or
/// nobody's; beyond that, times are shifted by it. It stays as it is while it hardly changes, so that readings keep their steps.
class ClockSkew {
 public:
  static constexpr auto kTolerated = std::chrono::milliseconds(30s);
  static constexpr auto kSticky = std::chrono::milliseconds(5s);

  /// True when there is news to tell: it began, ended, or is another.
  bool note(Timestamp sent_at, Timestamp now);
  /// To be added to the host's times; 0 while the clock is right.
  std::chrono::milliseconds shift() const { return shift_; }

 private:
  std::chrono::milliseconds shift_{0}, told_{0};
};

/// When a round really was: its own clock, shifted; or, when the clock was set since (a boot with a wrong one), by the time
/// that has passed since, which the kernel counts apart.
Timestamp believed_at(const transport::HostRound& round, const transport::BatchHeader& sent, std::chrono::milliseconds shift);

/// One GPU host whose agent sends: whole pages, mostly in time, sometimes hours late. The ingest thread's alone.
class AgentSource {
 public:
  struct Settings {
    bool simulated = false;
    std::chrono::milliseconds interval{10'000};  // until it is learnt
  };
  AgentSource(std::string host, Settings settings, Ingest& ingest, Timestamp now);

  const std::string& name() const { return name_; }  // "agent/<host>"
  const std::string& host() const { return host_; }
  Timestamp heard() const { return heard_; }
  void hear(Timestamp now) { heard_ = now; }
  std::chrono::milliseconds interval() const { return pace_.interval(); }
  void place(const telemetry::LabelMap& labels);

  /// Believes a round, tells the ledger, the live view and the store. `at`: when it really was. `oldest`: of the times that are taken.
  /// `key`: makes keys of event records the same when the round comes again.
  void take(transport::HostRound& round, Timestamp at, Timestamp oldest, Timestamp now, const std::string& key, ToKeep& out);
  /// An event about the host itself.
  void tell(const char* kind, Timestamp at, std::string detail, fleet::Facts fields, ToKeep& out);
  /// The host's clock is off by so much from `at` on; 0: right again.
  void note_skew(std::chrono::milliseconds shift, Timestamp at);

 private:
  using Refusals = std::vector<telemetry::Refusal>;
  bool is_late(Timestamp at, Timestamp now) const;
  void refuse_all(const transport::HostRound& round, Timestamp at, telemetry::Reason reason, Timestamp now, ToKeep& out);
  void take_layout(const transport::HostRound& round);
  std::vector<fleet::BoardId> boards_of(const transport::HostRound& round, Timestamp at, bool late);
  std::vector<fleet::BoardId> late_boards(Timestamp at);
  void judge(telemetry::PageReading& reading, Timestamp at, ToKeep& out);
  void judge_late(telemetry::PageReading& reading, Timestamp at, Timestamp now, ToKeep& out);
  void count(const telemetry::PageReading& reading, const Refusals& duplicates);
  void take_events(const transport::HostRound& round, Timestamp at, Timestamp now, const std::string& key, ToKeep& out);
  void take_snapshots(const transport::HostRound& round, Timestamp at, Timestamp now, const std::string& key, ToKeep& out);
  bool is_told_by_another_round(const fleet::FleetEvent& event, const std::string& round);
  bool is_line_of_another_round(std::string line, const std::string& round);
  void take_jobs(const transport::HostRound& round, Timestamp at);
  fleet::BoardId board_of(const transport::GpuName& gpu) const;

  std::string host_, name_;
  Settings settings_;
  Ingest& ingest_;
  telemetry::Target target_;
  Pace pace_;
  Timestamp heard_{};
  SourceState state_;
  bool simulated_ = false;
  std::shared_ptr<const telemetry::PageLayout> said_layout_;  // the decoder's
  std::shared_ptr<const telemetry::PageLayout> layout_;       // the same in the fleet's pool, without what runs
  Refusals shifted_;
  std::vector<transport::JobNow> jobs_;
  bool jobs_known_ = false;
  telemetry::LabelMap facts_;
  static constexpr std::size_t kMostLines = 256;
  using Line = std::pair<std::string, std::string>;  // of the kernel log, and the round that told it
  std::deque<Line> lines_;                           // the newest
};

}  // namespace ghm::pipeline
