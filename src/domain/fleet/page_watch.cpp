#include "domain/fleet/page_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::fleet {
namespace {

namespace field = telemetry::field;
using telemetry::MetricId;
using telemetry::SeriesKey;

constexpr int kIntervalsUntilStopped = 2;
// Absent until their first event, and again after an exporter's restart: their absence says nothing. Source: reference
// telemetry facts (a), "event-only fields".
constexpr std::array kEventOnly{field::xid,     MetricId{450},  MetricId{504},  MetricId{525}, MetricId{1420},
                                MetricId{1421}, MetricId{1422}, MetricId{1423}, MetricId{1424}};

// A page is slow when it takes five times its usual time and more than a second, three times running: one late answer is
// a busy host. Slow scrapes precede lost GPUs (reference: NVSentinel issue 1748, and failure statistics on Xid 79).
constexpr double kSlowFactor = 5, kSlowSeconds = 1;
constexpr int kAnswersUntilKnown = 10, kAnswersUntilTold = 3;
constexpr double kLearn = 0.1;  // weight of the newest answer in the usual time

// A cached page repeats itself for an exporter's refresh period, 30 s unless set otherwise. Ten learnt periods and never
// under five minutes.
constexpr auto kLeastFrozen = 5min;
constexpr int kPeriodsUntilFrozen = 10, kChangesUntilKnown = 5;

bool is_event_only(MetricId id) {
  return std::ranges::find(kEventOnly, id) != kEventOnly.end();
}

std::string metric_name(MetricId id) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(id);
  return spec != nullptr ? spec->name : fmt::format("field {}", static_cast<unsigned>(id));
}

// "DCGM_FI_PROF_GR_ENGINE_ACTIVE of 8 boards, DCGM_FI_DEV_NVLINK_STATE@nvlink4 of 1 board": at most five named.
std::string list_series(std::span<const SeriesKey> series) {
  constexpr std::size_t kMostNamed = 5;
  std::map<std::string, std::set<BoardId>> by_name;
  for (const auto& key : series) {
    auto name = metric_name(key.metric);
    if (key.entity != telemetry::Entity{}) name += "@" + telemetry::to_string(key.entity);
    by_name[name].insert(key.board);
  }
  std::vector<std::string> parts;
  for (const auto& [name, boards] : by_name) {
    if (parts.size() == kMostNamed) {
      parts.push_back(fmt::format("and {} more", by_name.size() - kMostNamed));
      break;
    }
    parts.push_back(boards.size() > 1 ? fmt::format("{} of {} boards", name, boards.size()) : name);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The one board that all of them are of, or none.
BoardId common_board(std::span<const SeriesKey> series) {
  const auto same = std::ranges::all_of(series, [&](const SeriesKey& k) { return k.board == series[0].board; });
  return same ? series[0].board : BoardId::none;
}

}  // namespace

void PageWatch::on_series(Series series, std::span<const BoardId> boards, Timestamp at) {
  auto now = *series;
  std::ranges::sort(now);
  const std::set<BoardId> shown(boards.begin(), boards.end());
  if (present_ == nullptr) present_ = series;
  for (const auto& key : *present_)
    if (!is_event_only(key.metric) && !std::ranges::binary_search(now, key)) gone_.try_emplace(key, Gone{at, false});
  std::erase_if(gone_, [&](const auto& entry) {
    const bool back = std::ranges::binary_search(now, entry.first);
    if (back && entry.second.told) returned_.push_back(entry.first);
    return back || !shown.contains(entry.first.board);
  });
  present_ = std::move(series);
}

void PageWatch::on_answer(std::chrono::microseconds took) {
  last_seconds_ = Seconds(took).count();
  const bool late = answers_ >= kAnswersUntilKnown && last_seconds_ > std::max(kSlowSeconds, kSlowFactor * usual_seconds_);
  slow_answers_ = late ? slow_answers_ + 1 : 0;
  quick_answers_ = late ? 0 : quick_answers_ + 1;
  if (slow_answers_ >= kAnswersUntilTold) slow_ = true;
  if (quick_answers_ >= kAnswersUntilTold) slow_ = false;
  if (late) return;  // what is slow must not become the usual
  usual_seconds_ = answers_ == 0 ? last_seconds_ : usual_seconds_ + kLearn * (last_seconds_ - usual_seconds_);
  ++answers_;
}

void PageWatch::on_values(BoardId board, std::uint64_t digest, bool moves, Timestamp at) {
  auto& m = movements_[board];
  const bool first = m.changed == Timestamp{};
  if (!first && m.digest == digest) {
    m.moves = moves;
    return;
  }
  if (!first && !m.frozen) {
    const auto took = at - m.changed;
    m.usual = m.changes == 0 ? took : m.usual + (took - m.usual) / 8;
    ++m.changes;
  }
  m.digest = digest;
  m.changed = at;
  m.moves = moves;
}

std::vector<Sign> PageWatch::notice(std::chrono::milliseconds interval, Timestamp now) {
  std::vector<Sign> signs;
  notice_series(interval, now, signs);
  notice_pace(signs);
  notice_frozen(now, signs);
  return signs;
}

void PageWatch::notice_series(std::chrono::milliseconds interval, Timestamp now, std::vector<Sign>& signs) {
  if (!returned_.empty()) {
    signs.push_back(
        {"series_returned", common_board(returned_), fmt::format("{} series are back: {}", returned_.size(), list_series(returned_))});
    returned_.clear();
  }
  std::vector<SeriesKey> stopped;
  for (auto& [key, gone] : gone_)
    if (!gone.told && now - gone.since >= kIntervalsUntilStopped * interval) {
      gone.told = true;
      stopped.push_back(key);
    }
  if (!stopped.empty())
    signs.push_back({"series_stopped", common_board(stopped), fmt::format("{} series stopped: {}", stopped.size(), list_series(stopped))});
}

void PageWatch::notice_pace(std::vector<Sign>& signs) {
  if (slow_ == told_slow_) return;
  told_slow_ = slow_;
  if (slow_)
    signs.push_back({"source_slow", BoardId::none,
                     fmt::format("the page takes {:.1f} s instead of the usual {:.2f} s: the host or one of its GPUs may be stuck",
                                 last_seconds_, usual_seconds_)});
  else signs.push_back({"source_quick", BoardId::none, fmt::format("the page comes in {:.2f} s again", last_seconds_)});
}

void PageWatch::notice_frozen(Timestamp now, std::vector<Sign>& signs) {
  for (auto& [board, m] : movements_) {
    const auto still = now - m.changed;
    const bool judged = m.moves && m.changes >= kChangesUntilKnown;
    const bool frozen = still >= std::max<std::chrono::milliseconds>(kLeastFrozen, kPeriodsUntilFrozen * m.usual);
    if (!m.frozen && judged && frozen) {
      m.frozen = true;
      signs.push_back(
          {"readings_frozen", board,
           fmt::format("no reading has changed for {}, though they used to every {}: the exporter repeats an old page",
                       format_duration(std::chrono::floor<std::chrono::seconds>(still)),
                       format_duration(std::max<std::chrono::milliseconds>(1s, std::chrono::floor<std::chrono::seconds>(m.usual))))});
    } else if (m.frozen && still < kLeastFrozen) {
      m.frozen = false;
      signs.push_back({"readings_move", board, "its readings change again"});
    }
  }
}

std::size_t PageWatch::stopped() const {
  return static_cast<std::size_t>(std::ranges::count_if(gone_, [](const auto& entry) { return entry.second.told; }));
}

bool PageWatch::is_frozen(BoardId board) const {
  const auto found = movements_.find(board);
  return found != movements_.end() && found->second.frozen;
}

}  // namespace ghm::fleet
