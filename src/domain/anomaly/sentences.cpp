#include <fmt/format.h>

#include "domain/anomaly/anomaly_watch.h"

namespace ghm::anomaly {
namespace {

std::string number(double v, std::string_view unit) {
  const double size = std::fabs(v);
  auto text = size >= 100 || v == std::floor(v) ? fmt::format("{:.0f}", v)
              : size >= 1                       ? fmt::format("{:.1f}", v)
                                                : fmt::format("{:.3g}", v);
  if (!unit.empty()) text += " " + std::string(unit);
  return text;
}

std::string span(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  return seconds < 7200 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

// What the number of a check is, in words.
std::string_view meaning(Input input) {
  switch (input) {
    case Input::slot: return "";
    case Input::warmth: return " brought to 80 % of its power limit";
    case Input::relative_warmth: return " rise against what peers and its own watts explain";
    case Input::relative_memory: return " above the GPU's, against peers";
    case Input::relative_power: return " against peers that are as busy";
    case Input::relative_clock: return " against peers that are as busy";
    case Input::corrected_rate:
    case Input::replay_rate:
    case Input::crc_rate: return "";
    case Input::host_warmth: return " of its boards at the watts they draw";
    case Input::host_clock: return " of its boards against peers that are as busy";
    case Input::host_power: return " of its boards against peers that are as busy";
  }
  return "";
}

std::string_view whose(Peers peers) {
  switch (peers) {
    case Peers::rack: return "peers in the rack";
    case Peers::job: return "peers in the job";
    default: return "peers";
  }
}

}  // namespace

std::string_view to_string(Detector d) {
  constexpr std::array<std::string_view, kDetectors> kWords = {"robust_z",    "stuck_sensor", "step_change",
                                                               "event_burst", "cusum_drift",  "peer_residual"};
  return kWords[static_cast<std::size_t>(d)];
}

std::string_view to_string(Severity s) {
  constexpr std::array<std::string_view, 4> kWords = {"info", "warning", "error", "critical"};
  return kWords[static_cast<std::size_t>(s)];
}

std::string sentence_of(const Check& c, const Score& s, Peers peers, Timestamp since, Timestamp now) {
  const auto what = std::string(watched(c.slot).word) + std::string(meaning(c.input));
  const auto lasts = span(std::chrono::duration<double>(now - since).count());
  switch (c.detector) {
    case Detector::robust_z:
      return fmt::format("{}: {} for {}, usually {} ({:.0f} robust sigmas)", what, number(s.value, c.unit), lasts,
                         number(s.expected, c.unit), s.z);
    case Detector::stuck_sensor:
      return fmt::format("{}: no change for {}{}; it usually changes every {}", what, span(s.value),
                         c.band > 0 ? " although the power moved" : "", span(s.expected));
    case Detector::step_change:
      return fmt::format("{}: went from {} to {} and stays there", what, number(s.expected, c.unit), number(s.value, c.unit));
    case Detector::event_burst:
      return fmt::format("{}: {:.0f} in the last hour at most, where its own rate explains {:.2g}", what, s.value, s.expected);
    case Detector::cusum_drift:
      return fmt::format("{}: drifts, now {} against {} in its first days here (CUSUM {:.0f})", what, number(s.value, c.unit),
                         number(s.expected, c.unit), std::fabs(s.z));
    case Detector::peer_residual:
      return fmt::format("{}: {} for {}, {} {} ± {}", what, number(s.value, c.unit), lasts, whose(peers), number(s.expected, c.unit),
                         number(s.sigma, c.unit));
  }
  return what;
}

}  // namespace ghm::anomaly
