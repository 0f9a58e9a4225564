#include "domain/fleet/intervals.h"

#include <algorithm>

namespace ghm::fleet {
namespace {

bool is(const Interval& i, std::string_view kind, const Held& held) {
  return i.kind == kind && i.value == held.value && i.facts == held.facts;
}

}  // namespace

void OpenIntervals::hold(BoardId board, std::string_view kind, const std::vector<Held>& values, Timestamp at) {
  auto& open = open_[board];
  const auto ends = [&](const Interval& i) {
    return i.kind == kind && std::ranges::none_of(values, [&](const Held& v) { return is(i, kind, v); });
  };
  const auto kept = std::stable_partition(open.begin(), open.end(), [&](const Interval& i) { return !ends(i); });
  bool changed = kept != open.end();
  for (auto it = kept; it != open.end(); ++it) {
    it->to = std::max(it->from, at);  // the news may be older than what it ends
    ended_.push_back(std::move(*it));
  }
  open.erase(kept, open.end());
  for (const auto& v : values) {
    if (std::ranges::any_of(open, [&](const Interval& i) { return is(i, kind, v); })) continue;
    open.push_back({board, std::string(kind), v.value, v.facts, at, std::nullopt});
    changed = true;
  }
  if (changed) changed_.push_back(board);
}

void OpenIntervals::began(BoardId board, std::string_view kind, Timestamp from) {
  for (auto& i : open_[board])
    if (i.kind == kind && from < i.from) {
      i.from = from;
      changed_.push_back(board);
    }
}

void OpenIntervals::add_ended(Interval ended) {
  ended_.push_back(std::move(ended));
}

const Interval* OpenIntervals::current(BoardId board, std::string_view kind) const {
  const auto& open = of(board);
  const auto found = std::ranges::find(open, kind, &Interval::kind);
  return found == open.end() ? nullptr : &*found;
}

const std::vector<Interval>& OpenIntervals::of(BoardId board) const {
  static const std::vector<Interval> none;
  const auto found = open_.find(board);
  return found == open_.end() ? none : found->second;
}

OpenIntervals::Changes OpenIntervals::take_changes() {
  Changes out;
  out.ended = std::exchange(ended_, {});
  for (const auto board : std::exchange(changed_, {})) out.open[board] = open_[board];
  return out;
}

void OpenIntervals::restore(std::vector<Interval> open) {
  for (auto& i : open) open_[i.board].push_back(std::move(i));
}

}  // namespace ghm::fleet
