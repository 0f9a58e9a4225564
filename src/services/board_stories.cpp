#include "services/board_stories.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "pipeline/ledger_records.h"

namespace ghm::services {
namespace {

constexpr auto kLookBack = std::chrono::days(31);
constexpr std::array<std::string_view, 5> kKinds{"xid", "gpu_reset", "gpu_missing", "drain", "undrain"};

double seconds(Timestamp t) {
  return to_unix_seconds(t);
}

// The number of an Xid; archives write it as text.
int code_of(const nlohmann::json& body) {
  const auto code = body.find("code");
  if (code == body.end()) return 0;
  if (code->is_number_integer()) return code->get<int>();
  return code->is_string() ? std::atoi(code->get_ref<const std::string&>().c_str()) : 0;
}

}  // namespace

std::optional<std::pair<fleet::BoardId, health::Event>> scored_event(const store::Record& record) {
  const auto body = nlohmann::json::parse(record.body, nullptr, false);
  if (!body.is_object()) return std::nullopt;
  auto kind = body.value("kind", "");
  const auto board = static_cast<fleet::BoardId>(body.value("board", 0u));
  if (board == fleet::BoardId::none || std::ranges::find(kKinds, kind) == kKinds.end()) return std::nullopt;
  return std::pair(board, health::Event{seconds(record.at), std::move(kind), code_of(body)});
}

bool BoardStories::read_events(Timestamp now) {
  constexpr std::size_t kPage = 1000;
  if (newest_.empty()) newest_ = fmt::format("{:015}", to_unix_ms(now - kLookBack));  // keys begin with their time
  for (;;) {
    const auto page = records_.scan("event", "", newest_, kPage);
    if (!page) return false;
    for (const auto& record : *page) {
      newest_ = record.key;
      if (auto event = scored_event(record)) events_[event->first].push_back(std::move(event->second));
    }
    if (page->size() < kPage) return true;
  }
}

void BoardStories::forget_events_before(Timestamp t) {
  for (auto& [board, events] : events_)
    std::erase_if(events, [&](const health::Event& e) { return e.time < seconds(t) && e.kind != "drain" && e.kind != "undrain"; });
}

std::optional<std::vector<health::Interval>> BoardStories::silence(const views::FleetSnapshot& fleet, const std::string& name,
                                                                   Timestamp now) const {
  const auto host = std::ranges::find(fleet.hosts, name, [](const views::HostView& h) { return h.host.name; });
  if (host == fleet.hosts.end()) return std::nullopt;
  const auto intervals = pipeline::board_intervals(records_, host->host.id, "silence");
  if (!intervals) return std::nullopt;
  std::vector<health::Interval> out;
  for (const auto& i : *intervals) out.push_back({seconds(i.from), seconds(i.to.value_or(now))});
  if (host->silent) out.push_back({seconds(host->host.last_answer), seconds(now)});
  return out;
}

std::vector<BoardStory> BoardStories::tell(std::span<const fleet::Board* const> boards, Timestamp now) {
  const bool heard = read_events(now);
  if (now >= next_sweep_) {
    forget_events_before(now - kLookBack);
    next_sweep_ = now + 1h;
  }
  const auto fleet = live_.current();
  const auto silent = boards.empty() ? std::nullopt : silence(*fleet, boards[0]->host, now);
  std::vector<BoardStory> out;
  for (const auto* board : boards) {
    auto& story = out.emplace_back();
    story.source_silent = silent;
    story.previous_scores = previous_scores(telemetry_, board->id, now);
    if (heard) story.events = events_[board->id];
    for (const auto& w : fleet->maintenance.windows(*board, {now - kLookBack, now}))
      story.maintenance.push_back({seconds(w.from), seconds(w.to)});
  }
  return out;
}

}  // namespace ghm::services
