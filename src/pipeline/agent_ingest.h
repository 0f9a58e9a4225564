#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/log.h"
#include "domain/store/record_store.h"
#include "domain/transport/batch_codec.h"
#include "domain/views/fleet_snapshot.h"
#include "pipeline/agent_source.h"
#include "pipeline/ingest.h"

namespace ghm::pipeline {

struct AgentStats {
  std::uint64_t batches = 0;     // that came
  std::uint64_t rounds = 0;      // taken
  std::uint64_t duplicates = 0;  // rounds that were known already
  std::uint64_t events = 0;      // taken
  std::uint64_t conflicts = 0;   // batches that had to be sent again standing alone
};

/// From agents' batches to kept rows and a live view, each round exactly once. An agent's rounds have rising sequences and come in
/// order, so the newest one taken is all that needs to be remembered of it; that stands in a record (kind "agent") that is kept
/// in the same transaction as the rows. The ingest thread's alone, beside Ingest.
class AgentIngest {
 public:
  struct Settings {
    std::chrono::milliseconds interval{10'000};  // of hosts until it is learnt
    bool simulated = false;                      // ingest.simulated
    std::chrono::hours retention{30 * 24};       // of raw readings
  };
  /// The record of that key, of kind "agent".
  using Remembered = std::function<Result<std::optional<store::Record>>(const std::string& key)>;
  AgentIngest(Settings settings, Ingest& ingest, Remembered remembered, Log log);

  /// `told` hears once when all of it is durable, or why nothing is. conflict: send it standing alone; invalid_input: it cannot be
  /// taken however often it comes; else unavailable. Rounds that are known count as taken. `backfill`: rounds as old as the
  /// retention are taken, not only the last 48 hours.
  void take(const transport::PackedBatch& packed, Timestamp now, bool backfill, Told told);

  AgentStats stats() const { return stats_; }
  /// Those heard since the start, by host.
  std::vector<views::AgentView> agents() const;

 private:
  struct Agent {  // one spool folder's life
    std::string hex;
    transport::BatchDecoder decoder;
    std::uint64_t last = 0;  // the newest round taken
    ClockSkew clock;
    std::string boot_id, version;
    Timestamp heard{}, newest{};
    std::optional<Timestamp> since;  // the first batch ever; nullopt: an older server's record does not say
    std::uint64_t rounds = 0, events = 0;
  };
  struct Host {
    std::unique_ptr<AgentSource> source;
    std::map<std::string, Agent> agents;  // by id; one, unless a spool was made anew
  };
  Result<Agent*> agent_of(Host& host, const transport::BatchHeader& header, Timestamp now);
  Host* host_of(const transport::BatchHeader& header, Timestamp now);
  void take_clock(Host& host, Agent& agent, const transport::BatchHeader& header, Timestamp now, ToKeep& out);
  void take_boot(Host& host, Agent& agent, const transport::HostRound& round, Timestamp at, ToKeep& out);
  void sweep(Timestamp now);

  Settings settings_;
  Ingest& ingest_;
  Remembered remembered_;
  Log log_;
  std::unordered_map<std::string, Host> hosts_;
  std::size_t swept_size_ = 0;
  AgentStats stats_;
};

}  // namespace ghm::pipeline
