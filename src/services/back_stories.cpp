#include "services/back_stories.h"

#include <algorithm>

#include "pipeline/ledger_records.h"
#include "services/board_stories.h"

namespace ghm::services {
namespace {

constexpr auto kLookBack = std::chrono::days(31);
constexpr std::size_t kPage = 1000;

}  // namespace

FleetPast past_of(const fleet::Ledger& ledger) {
  FleetPast past;
  for (const auto& [id, board] : ledger.boards()) past.boards.push_back(board);
  for (const auto& [name, host] : ledger.hosts()) past.hosts[name] = host;
  past.maintenance = ledger.maintenance();
  return past;
}

FleetPast past_of(const views::FleetSnapshot& fleet) {
  FleetPast past;
  for (const auto& view : fleet.boards) past.boards.push_back(view.board);
  for (const auto& view : fleet.hosts) past.hosts[view.host.name] = view.host;
  past.maintenance = fleet.maintenance;
  return past;
}

Result<BackStories> BackStories::read(const store::RecordStore& records, const FleetPast& fleet) {
  BackStories out(records, fleet);
  for (std::string last;;) {
    const auto page = records.scan("event", "", last, kPage);
    if (!page) return page.error();
    for (const auto& record : *page)
      if (auto event = scored_event(record)) out.events_[event->first].push_back(std::move(event->second));
    if (page->size() < kPage) break;
    last = page->back().key;
  }
  for (auto& [board, events] : out.events_) std::ranges::stable_sort(events, {}, &health::Event::time);
  return out;
}

void Hearing::hear(std::vector<Timestamp> times, std::chrono::milliseconds interval) {
  interval_ = interval;
  std::ranges::sort(times);
  for (const auto at : times) {
    if (last_ && at - *last_ > fleet::kIntervalsUntilSilent * interval)
      silent_.push_back({to_unix_seconds(*last_), to_unix_seconds(at - 1ms)});
    last_ = std::max(at, last_.value_or(at));
  }
}

std::vector<health::Interval> Hearing::silence(Timestamp t) const {
  auto out = silent_;
  if (last_ && t - *last_ > fleet::kIntervalsUntilSilent * interval_) out.push_back({to_unix_seconds(*last_), to_unix_seconds(t)});
  return out;
}

std::optional<std::vector<health::Interval>> BackStories::silence(const fleet::Host& host, Timestamp t) {
  auto [known, is_new] = silent_hosts_.try_emplace(host.name);
  if (is_new)
    if (const auto all = pipeline::board_intervals(*records_, host.id, "silence")) {
      known->second.emplace();
      for (const auto& i : *all)
        if (i.to) known->second->push_back({to_unix_seconds(i.from), to_unix_seconds(*i.to)});
    }
  if (!known->second) return std::nullopt;
  std::vector<health::Interval> out;
  for (const auto& i : *known->second)
    if (i.from < to_unix_seconds(t)) out.push_back({i.from, std::min(i.to, to_unix_seconds(t))});
  if (host.last_answer < t) out.push_back({to_unix_seconds(host.last_answer), to_unix_seconds(t)});
  return out;
}

BoardStory BackStories::tell(const fleet::Board& board, Timestamp t, const Hearing& heard) {
  BoardStory story;
  const auto host = fleet_->hosts.find(board.host);
  const bool known = host != fleet_->hosts.end() && t >= host->second.first_seen;
  story.source_silent = known ? silence(host->second, t) : heard.silence(t);
  story.events.emplace();
  if (const auto mine = events_.find(board.id); mine != events_.end())
    for (const auto& e : mine->second)
      if (e.time <= to_unix_seconds(t) && (e.time >= to_unix_seconds(t - kLookBack) || e.kind == "drain" || e.kind == "undrain"))
        story.events->push_back(e);
  for (const auto& w : fleet_->maintenance.windows(board, {t - kLookBack, t}))
    story.maintenance.push_back({to_unix_seconds(w.from), to_unix_seconds(w.to)});
  return story;
}

}  // namespace ghm::services
