#pragma once
#include <bitset>
#include <span>
#include <string>
#include <vector>

#include "domain/anomaly/board_watch.h"
#include "domain/anomaly/peer_residual.h"

namespace ghm::anomaly {

using telemetry::BoardId;

/// Where a board's slots stand on a page: columns of one value each, kNoColumn where there is none, or of many (links).
struct SlotColumns {
  static constexpr std::int32_t kNoColumn = -1;
  std::array<std::int32_t, kSlots> column{};
  std::vector<std::uint32_t> links_up, link_replays;  // instead, where there are any
  SlotColumns() { column.fill(kNoColumn); }
};

/// A board of the page. Boards of one model are each other's peers.
struct Seat {
  BoardId board{};
  std::string model;
  SlotColumns columns;
};

/// Something odd that lasts. At most one is open per board, detector and metric; what most boards of a host have at once is
/// one anomaly of the host.
struct Anomaly {
  BoardId board{};  // none: the host
  telemetry::MetricId metric{};
  Detector detector{};
  Severity severity{};
  Timestamp since{};  // when it began, not when it was told
  double value = 0, expected = 0, sigma = 0, z = 0;
  std::string_view unit;
  std::string sentence;  // without the board's name: "GPU temperature …"
};

struct AnomalyChange {
  bool opened = false;  // else cleared
  Anomaly anomaly;
};

struct AnomalyCounts {
  std::uint64_t minutes = 0;  // of boards, judged
  std::uint64_t gaps = 0;     // of the source
};

/// The detectors of all boards on one source's pages. A page costs an addition per gauge; once a minute the detectors
/// look. Nothing survives a restart: it is learnt again, and until then nothing is said. One owner, one thread.
class AnomalyWatch {
 public:
  /// The boards of the pages from now on. A board that stays keeps what was learnt of it; the anomalies of one that went are
  /// cleared with the next minute.
  void seat(std::vector<Seat> seats);
  const std::vector<Seat>& seats() const { return seats_; }

  /// A page: NaN for a missing value. True when a minute is full: then call minute(). interval: between pages; a break of more than
  /// three of these (and of three minutes) is a gap, after which detectors begin to look anew. ~1 ns per gauge.
  bool page(Timestamp at, std::span<const double> values, std::chrono::milliseconds interval);
  /// The same page once more. `away`: one per seat, true under maintenance: such a board is not judged and begins anew
  /// afterwards. What opened and closed, in order of boards.
  std::vector<AnomalyChange> minute(Timestamp at, std::span<const double> values, const std::vector<bool>& away);

  /// All that is open, with its newest numbers.
  std::vector<Anomaly> open() const;
  const AnomalyCounts& counts() const { return counts_; }

 private:
  struct Board {
    BoardWatch watch;
    WarmthPerWatt warmth;  // its own cooler's
    std::size_t group = 0;
    bool here = false;                          // nobody works on it
    std::bitset<kChecks.size()> told, of_host;  // open by itself, or as one of the host's many
  };
  struct Sums {
    std::array<double, kGauges> sum{};
    std::array<std::uint16_t, kGauges> count{};
  };
  struct Group {
    std::string model;
    WarmthPerWatt warmth;
  };
  struct Open {
    BoardId board{};
    std::size_t check = 0;
    Anomaly anomaly;
  };

  void gather(std::size_t seat, std::span<const double> values);
  void compare_peers(std::size_t group, double minutes, Timestamp now);
  PeerMedians& medians_of(Slot slot);
  void compare_warmth(WarmthPerWatt& warmth, double minutes);
  void compare_memory();
  void compare_alike(Input input, Slot slot, Timestamp now);
  void score(Input input);
  void judge(std::size_t seat, Timestamp now, std::vector<AnomalyChange>& out);
  void on_opened(std::size_t seat, std::size_t check, const Score& score, Timestamp now, std::vector<AnomalyChange>& out);
  void on_closed(std::size_t seat, std::size_t check, std::vector<AnomalyChange>& out);
  void update(std::size_t seat, std::size_t check, const Score& score, Timestamp now);
  std::vector<Open>::iterator find_open(BoardId board, std::size_t check);
  void close(BoardId board, std::size_t check, std::vector<AnomalyChange>& out);
  std::size_t boards_up(std::size_t check) const;
  std::size_t group_of(const std::string& model);
  void rearm(Timestamp now);

  std::vector<Seat> seats_;
  std::vector<Sums> sums_;
  std::vector<Board> boards_;
  std::vector<BoardMinute> minutes_;  // of the boards, while minute() runs
  std::vector<Group> groups_;
  std::vector<Open> open_;
  std::vector<AnomalyChange> left_;           // of boards that went
  std::vector<std::size_t> members_, alike_;  // of the group in hand
  std::vector<double> scratch_, others_;
  PeerMedians medians_;
  Timestamp last_page_{}, last_minute_{};
  AnomalyCounts counts_;
};

/// "GPU temperature: 24 % above what its peers and its own watts explain for 31 min (usually 3 %)".
std::string sentence_of(const Check& check, const Score& score, Timestamp since, Timestamp now);

}  // namespace ghm::anomaly
