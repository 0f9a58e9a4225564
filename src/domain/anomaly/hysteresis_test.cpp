#include "domain/anomaly/hysteresis.h"

#include <gtest/gtest.h>

#include <string>

namespace ghm::anomaly {
namespace {

// One letter a minute: H over, L under, - between. What it does is told in the same way: o opens, c closes, . nothing.
std::string told(const std::string& minutes) {
  Hysteresis h;
  Timestamp now = from_unix_ms(1'700'000'000'000);
  std::string out;
  for (const char m : minutes) {
    const auto change = h.take(m == 'H', m == 'L', now, 3min, 2min);
    out += change == Hysteresis::Change::opened ? 'o' : change == Hysteresis::Change::closed ? 'c' : '.';
    if (m == 'G') h.rearm();
    now += 1min;
  }
  return out;
}

TEST(Hysteresis, Stories) {
  struct Story {
    const char *why, *minutes, *want;
  };
  const Story stories[] = {
      {"it opens after three minutes without a break, once", "HHHHHH", "...o.."},
      {"a break begins it anew", "HHLHHHH", "......o"},
      {"between the thresholds is a break too", "HH-HHHH", "......o"},
      {"it closes after two minutes below the lower one", "HHHHLLL", "...o..c"},
      {"and not between them", "HHHH------LLL", "...o........c"},
      {"calm that is broken begins anew", "HHHHLLHLLL", "...o.....c"},
      {"it can open again", "HHHHLLLHHHH", "...o..c...o"},
      {"a gap forgets what was not open", "HHHGHHH", "......."},
      {"and keeps what was", "HHHHGLLL", "...o...c"},
  };
  for (const auto& s : stories) EXPECT_EQ(told(s.minutes), s.want) << s.why;
}

}  // namespace
}  // namespace ghm::anomaly
