#pragma once
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/time.h"

/// Latched gauges to events: an event is a change, never a level. Source: reference telemetry facts, section (h).
namespace ghm::validation {

/// The Xids of one board. Two witnesses tell of the same faults: the gauge (field 230) holds the last code until its
/// exporter or driver starts anew, so a second fault of the same code does not show in it; DCGM_EXP_XID_ERRORS_COUNT
/// counts per code within a window, so one that leaves as another comes does not show there. Per code, the witness that
/// has seen more is believed, and what either has told already is not told again.
class XidEdges {
 public:
  struct Count {
    int code = 0;
    double count = 0;
  };
  /// What one page says about the board. An exporter that prints the gauge only after a first fault (from 4.5.3 on) says
  /// 0 by not printing it; a gauge that is printed and was refused says nothing.
  struct Page {
    bool gauge_printed = false;
    std::optional<int> gauge;
    std::span<const Count> counts;
  };

  /// What an earlier run of this program saw last: its first page is then no first sight, and a fault in between is told.
  void restore(int gauge);
  /// The codes of new faults, each as often as it happened. A first sight tells nothing: what it shows may be old.
  std::vector<int> see(const Page& page, Timestamp now);

 private:
  struct Code {
    double count = 0;  // in the window, on the last page
    double by_gauge = 0, by_count = 0, told = 0;
    Timestamp active{};
  };
  bool seen_ = false, counted_ = false;
  int gauge_ = 0;
  std::map<int, Code> codes_;
};

/// A status that gets worse in steps (a health watch: 0 pass, 10 warn, 20 fail). It sticks, so only a change for the worse
/// is an event, and a first sight is none.
class WorseEdge {
 public:
  /// The status before, when `status` is worse than that.
  std::optional<double> see(double status);

 private:
  std::optional<double> last_;
};

}  // namespace ghm::validation
