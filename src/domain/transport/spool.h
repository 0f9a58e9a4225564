#pragma once
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "domain/transport/batch_codec.h"
#include "domain/transport/segment_reader.h"
#include "domain/transport/spool_folder.h"

namespace ghm::transport {

struct SpoolSettings {
  std::uint64_t most_bytes = 1ull << 30;
  std::size_t segment_bytes = 1u << 20;
  std::size_t segment_rounds = 60;  // and so ten minutes
  std::size_t key_every = 15;       // rounds: what a damaged record can take with it
  std::size_t most_held = 60;       // rounds in memory while the disk takes none
  std::size_t batch_rounds = 60, batch_cells = 128u << 10;
};

struct SpoolStats {
  std::uint64_t kept = 0;     // rounds that came since open
  std::uint64_t dropped = 0;  // of them, or of earlier ones: given up unsent, the oldest, because the room was full
  std::uint64_t damages = 0;  // places in files that could not be read
  std::uint64_t skipped = 0;  // rounds that can be read only with one that was damaged
  std::uint64_t bytes = 0;    // on disk
  std::size_t segments = 0;
  std::uint64_t snapshots_left_out = 0;  // moments whose snapshot had no room on disk: rounds come first
  std::size_t held = 0;                  // rounds that are only in memory
  std::uint64_t last = 0, taken = 0;     // sequences: the newest round, and the newest that the receiver has
  std::string trouble;                   // why the disk takes nothing; empty when it does
};

/// Rounds on disk until the receiver has them. What keep() took survives kill -9 and a power cut (unless the disk refuses it: then
/// it waits in memory, bounded). Rounds come out in order; sequences rise for ever, through restarts and clocks that go back,
/// so a receiver that remembers the newest one takes each round once. One owner.
class Spool {
 public:
  /// Reads what an earlier run left. `folder` outlives the spool.
  static Result<Spool> open(SpoolFolder& folder, SpoolSettings settings, Timestamp now);

  /// kAgentIdBytes bytes, made with the folder.
  const std::string& agent() const { return agent_; }

  /// Gives the round its sequence. Costs one synced write; while the receiver keeps up, nothing is read back. Its snapshots are left out
  /// where they would cost the place of a round, or where the disk does not take them.
  void keep(HostRound round);
  /// The oldest rounds that the receiver does not have, as many as belong into one batch; the same ones until taken(). Empty: none.
  std::span<const HostRound> waiting();
  /// The receiver has all rounds up to this one.
  void taken(std::uint64_t sequence);
  /// True when rounds wait, without reading them.
  bool is_empty() const { return taken_ >= last_; }

  SpoolStats stats() const;

 private:
  Spool(SpoolFolder& folder, SpoolSettings settings) : folder_(&folder), settings_(settings) {}
  Result<void> learn_agent();
  Result<void> learn_segments(Timestamp now);
  void learn_position();

  Result<void> write(const HostRound& round);
  bool has_room_for_snapshots(const HostRound& round) const;
  void leave_out_snapshots(HostRound& round);
  void write_held();
  void hand_over(HostRound round);
  void make_room(std::size_t bytes);
  bool drop_oldest();
  void finish_segment();

  std::optional<HostRound> read_next();
  bool belongs_here(std::uint64_t sequence) const;
  bool open_next_segment();
  void count_damage();
  void pass_over_taken();
  void remove_taken();

  SpoolFolder* folder_;
  SpoolSettings settings_;
  std::string agent_;
  std::uint64_t last_ = 0, taken_ = 0, read_ = 0;  // sequences
  std::map<std::uint64_t, std::uint64_t> sizes_;   // of the segments, by their first sequence
  std::uint64_t bytes_ = 0;                        // their sum

  // writing
  BatchEncoder encoder_;
  std::optional<std::uint64_t> current_;  // the segment that is written
  std::size_t rounds_in_current_ = 0;
  std::deque<HostRound> held_;
  std::string trouble_;

  // reading
  std::optional<SegmentReader> reader_;
  std::uint64_t reading_ = 0;  // the segment's first sequence; without a reader, what comes behind it is read next
  std::uint64_t damages_seen_ = 0;
  BatchDecoder decoder_;
  std::vector<HostRound> batch_;

  SpoolStats stats_;
};

}  // namespace ghm::transport
