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
  std::string job = {};  // that runs on it; empty: none that is known
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
  Peers peers{};         // whom it was compared with; none: its own past
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
/// look. What they know does not survive a restart: it is learnt again, and until then nothing new is said. One owner, one thread.
class AnomalyWatch {
 public:
  /// Where the host of the pages stands: from now on it hears the other hosts of its rack, and of its boards' jobs. Empty: nobody
  /// knows the rack. Before seat().
  void stand(std::shared_ptr<PeerExchange> exchange, const std::string& rack);
  /// The boards of the pages from now on. A board that stays keeps what was learnt of it; the anomalies of one that went are
  /// cleared with the next minute.
  void seat(std::vector<Seat> seats);
  const std::vector<Seat>& seats() const { return seats_; }

  /// What was open before a restart, of boards that are seated and of the host, is open again: it is not told anew, and closes when it
  /// is over. After seat(). Those of other boards are ignored.
  void reopen(const std::vector<Anomaly>& anomalies);

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
    std::size_t job = kNoJob;
    bool here = false;                          // nobody works on it
    std::bitset<kChecks.size()> told, of_host;  // open by itself, or as one of the host's many
  };
  struct Sums {
    std::array<double, kGauges> sum{};
    std::array<std::uint16_t, kGauges> count{};
  };
  static constexpr std::size_t kNoJob = static_cast<std::size_t>(-1);
  struct Group {
    std::string model;
    WarmthPerWatt warmth{};
    std::shared_ptr<PeerGroup> rack{};
    std::array<Hysteresis, kHostChecks.size()> states{};
    std::array<std::optional<Score>, kHostChecks.size()> scores{};  // of this minute
    std::array<Peers, kHostChecks.size()> against{};
  };
  struct Job {
    std::string name;
    std::size_t group = 0;
    std::shared_ptr<PeerGroup> peers;
  };
  /// The others' numbers around which one is judged.
  struct Around {
    double middle = 0, spread = 0;
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
  // Peers beyond the host: anomaly_peers.cpp.
  bool is_working(std::size_t seat, Timestamp now) const;
  double limit_of(std::size_t seat) const;
  void tell_peers(std::size_t group, Timestamp now);
  template <class Belongs>
  PeerFigures figures(Timestamp now, Belongs belongs);
  template <class Number>
  float median_of(Number number);
  void hear(const std::shared_ptr<PeerGroup>& peers, Timestamp now);
  template <class Number>
  std::optional<Around> around(Number number);
  void note_room(std::size_t group, Timestamp now);
  void compare_errors(std::size_t group, Timestamp now);
  void compare_far_warmth(std::size_t group, Timestamp now);
  void compare_far_alike(std::size_t seat, Input input, Slot slot);
  void compare_far(std::size_t group, Timestamp now);
  void compare_host(std::size_t group, Timestamp now);
  void compare_host_alike(Group& group, std::size_t check, float PeerFigures::*number, const PeerFigures& own);
  void set_input(std::size_t seat, Input input, double x, double sigma, Peers with);
  void judge_host(Group& group, Timestamp now, std::vector<AnomalyChange>& out);
  bool host_is_told(telemetry::MetricId metric) const;
  void judge(std::size_t seat, Timestamp now, std::vector<AnomalyChange>& out);
  void on_opened(std::size_t seat, std::size_t check, const Score& score, Timestamp now, std::vector<AnomalyChange>& out);
  void on_closed(std::size_t seat, std::size_t check, std::vector<AnomalyChange>& out);
  bool reopen_host(const Anomaly& anomaly);
  void reopen_boards(const Anomaly& anomaly, std::size_t check);
  void update(std::size_t seat, std::size_t check, const Score& score, Timestamp now);
  std::vector<Open>::iterator find_open(BoardId board, std::size_t check);
  void close(BoardId board, std::size_t check, std::vector<AnomalyChange>& out);
  std::size_t boards_up(std::size_t check) const;
  std::size_t group_of(const std::string& model);
  std::size_t job_of(const std::string& job, std::size_t group);
  void rearm(Timestamp now);
  void leave(Group& group);

  std::vector<Seat> seats_;
  std::vector<Sums> sums_;
  std::vector<Board> boards_;
  std::vector<BoardMinute> minutes_;  // of the boards, while minute() runs
  std::vector<Group> groups_;
  std::vector<Job> jobs_;
  std::shared_ptr<PeerExchange> exchange_;
  std::string rack_;
  std::uint32_t host_ = 0;  // its number in the exchange
  std::vector<Open> open_;
  std::vector<AnomalyChange> left_;           // of boards that went
  std::vector<std::size_t> members_, alike_;  // of the group in hand
  std::vector<double> scratch_, others_;
  std::vector<PeerFigures> heard_;
  PeerMedians medians_;
  Timestamp last_page_{}, last_minute_{};
  AnomalyCounts counts_;
};

/// "GPU temperature: 24 % above what its peers and its own watts explain for 31 min (usually 3 %)".
std::string sentence_of(const Check& check, const Score& score, Peers peers, Timestamp since, Timestamp now);

}  // namespace ghm::anomaly
