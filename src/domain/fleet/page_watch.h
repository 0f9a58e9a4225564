#pragma once
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// The quieter kinds of silence, where pages still arrive: a series that stopped, a page that got slow, readings that no
/// longer change. One watch per source; a pure state machine.
namespace ghm::fleet {

using telemetry::BoardId;

/// What a watch noticed. `board` is none when it is about the whole source.
struct Sign {
  const char* kind;  // series_stopped series_returned source_slow source_quick readings_frozen readings_move
  BoardId board{};
  std::string detail;  // the end of a sentence: "3 series stopped: …"
};

class PageWatch {
 public:
  /// The series of a page whose layout is new. `boards`: those the page shows; the series of a board that went are not
  /// news of their own. `name` gives a metric's name. O(series · log).
  using Series = std::shared_ptr<const std::vector<telemetry::SeriesKey>>;
  void on_series(Series series, std::span<const BoardId> boards, Timestamp at);

  /// How long the page took to come.
  void on_answer(std::chrono::microseconds took);

  /// A digest of the board's readings that move by themselves (energy, power, temperatures, clocks); `moves` is false when
  /// nothing on the page must move (an idle board without an energy counter). ~20 ns.
  void on_values(BoardId board, std::uint64_t digest, bool moves, Timestamp at);

  /// What became news by now. `interval`: between pages. Called with every page.
  std::vector<Sign> notice(std::chrono::milliseconds interval, Timestamp now);

  /// Series that stopped and did not come back.
  std::size_t stopped() const;
  bool is_slow() const { return slow_; }
  bool is_frozen(BoardId board) const;

 private:
  struct Gone {
    Timestamp since{};
    bool told = false;
  };
  struct Movement {
    std::uint64_t digest = 0;
    Timestamp changed{};
    std::chrono::milliseconds usual{};  // between changes: the exporter's own refresh period, learnt
    int changes = 0;
    bool moves = false, frozen = false;
  };
  void notice_series(std::chrono::milliseconds interval, Timestamp now, std::vector<Sign>& signs);
  void notice_pace(std::vector<Sign>& signs);
  void notice_frozen(Timestamp now, std::vector<Sign>& signs);

  Series present_;  // shared with whoever stores them
  std::map<telemetry::SeriesKey, Gone> gone_;
  std::vector<telemetry::SeriesKey> returned_;
  double usual_seconds_ = 0, last_seconds_ = 0;
  int answers_ = 0, slow_answers_ = 0, quick_answers_ = 0;
  bool slow_ = false, told_slow_ = false;
  std::map<BoardId, Movement> movements_;
};

}  // namespace ghm::fleet
