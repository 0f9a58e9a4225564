#include "adapters/sqlite/head.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>

#include "domain/telemetry/page.h"

namespace ghm::sqlite {
namespace {

using store::Latest;
using telemetry::is_absent;

bool absence_differs(std::span<const double> a, std::span<const double> b) {
  bool differs = false;
  for (std::size_t i = 0; i < a.size(); ++i) differs |= is_absent(a[i]) != is_absent(b[i]);
  return differs;
}

// The newer stands; of two at one instant the first to arrive.
bool newer(const store::Point& a, std::uint64_t a_seq, const store::Point& b, std::uint64_t b_seq) {
  return a.at != b.at ? a.at > b.at : a_seq < b_seq;
}

void leave_behind(Source& s, const SeriesKey& key, const LastSeen& seen) {
  const auto [it, fresh] = s.left_behind.try_emplace(key, seen);
  if (!fresh && newer(seen.point, seen.seq, it->second.point, it->second.seq)) it->second = seen;
}

void keep_what_the_next_row_lacks(Source& s, std::span<const double> next) {
  for (std::size_t i = 0; i < s.values.size(); ++i) {
    const auto& key = (*s.columns->keys)[i];
    if (!is_absent(s.values[i]) && is_absent(next[i])) leave_behind(s, key, {{s.at, s.values[i]}, s.seq});
    if (is_absent(s.values[i]) && !is_absent(next[i])) s.left_behind.erase(key);
  }
}

void keep_all_then_drop_what_returns(Source& s, const NewRow& row) {
  if (s.columns != nullptr)
    for (std::size_t i = 0; i < s.values.size(); ++i)
      if (!is_absent(s.values[i])) leave_behind(s, (*s.columns->keys)[i], {{s.at, s.values[i]}, s.seq});
  for (std::size_t i = 0; i < row.values.size(); ++i)
    if (!is_absent(row.values[i])) s.left_behind.erase((*row.ref.columns->keys)[i]);
}

struct Candidate {
  Latest latest;
  std::uint64_t seq;
};

std::vector<Latest> newest_of_each(std::vector<Candidate>& all) {
  const auto before = [](const Candidate& a, const Candidate& b) {
    if (a.latest.series != b.latest.series) return a.latest.series < b.latest.series;
    return newer(a.latest.point, a.seq, b.latest.point, b.seq);
  };
  if (!std::ranges::is_sorted(all, before)) std::ranges::sort(all, before);
  std::vector<Latest> newest;
  newest.reserve(all.size());
  for (const auto& c : all)
    if (newest.empty() || newest.back().series != c.latest.series) newest.push_back(c.latest);
  return newest;
}

}  // namespace

Source& Head::source(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return *found->second;
  std::uint32_t id = 1;
  for (const auto& s : sources_) id = std::max(id, s->id + 1);
  return restore_source(id, std::string(name));
}

Source& Head::restore_source(std::uint32_t id, std::string name) {
  std::lock_guard lock(mutex_);
  auto made = std::make_unique<Source>();
  made->id = id;
  made->name = std::move(name);
  auto& s = *made;
  sources_.push_back(std::move(made));
  by_name_[s.name] = &s;
  by_id_[id] = &s;
  return s;
}

Source* Head::find(std::uint32_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Head::publish(std::span<const NewRow> rows) {
  std::lock_guard lock(mutex_);
  for (const auto& row : rows) {
    index(*row.source, row.ref);
    show(row);
  }
}

void Head::restore_row(Source& source, const RowRef& ref) {
  std::lock_guard lock(mutex_);
  index(source, ref);
}

void Head::restore_values(const NewRow& row) {
  std::lock_guard lock(mutex_);
  show(row);
}

void Head::index(Source& s, const RowRef& ref) {
  s.hours[hour_of(ref.at)].push_back(ref);
  ++unsealed_rows_[ref.seq];
  note_boards(s, *ref.columns);
}

void Head::show(const NewRow& row) {
  const auto& s = *row.source;
  if (row.ref.at > s.at) publish_newest(row);
  else publish_late(row);
}

void Head::publish_newest(const NewRow& row) {
  auto& s = *row.source;
  if (s.columns != row.ref.columns) keep_all_then_drop_what_returns(s, row);
  else if (absence_differs(s.values, row.values)) keep_what_the_next_row_lacks(s, row.values);
  s.columns = row.ref.columns;
  s.values.assign(row.values.begin(), row.values.end());
  s.at = row.ref.at;
  s.seq = row.ref.seq;
}

// A late row says something new only of series that the newest row does not have.
void Head::publish_late(const NewRow& row) {
  auto& s = *row.source;
  const bool same_columns = s.columns == row.ref.columns;
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    if (is_absent(row.values[i]) || (same_columns && !is_absent(s.values[i]))) continue;
    leave_behind(s, (*row.ref.columns->keys)[i], {{row.ref.at, row.values[i]}, row.ref.seq});
  }
}

void Head::note_boards(Source& s, const ColumnSet& columns) {
  if (s.columns == &columns) return;
  for (const auto board : columns.boards) {
    auto& sources = by_board_[board];
    if (std::ranges::find(sources, &s) == sources.end()) sources.push_back(&s);
  }
}

void Head::restore_latest(Source& s, const ColumnSet* columns, std::vector<double> values, Timestamp at, std::uint64_t seq) {
  std::lock_guard lock(mutex_);
  note_boards(s, *columns);
  s.columns = columns;
  s.values = std::move(values);
  s.at = at;
  s.seq = seq;
}

void Head::restore_left_behind(Source& s, const SeriesKey& key, LastSeen seen) {
  std::lock_guard lock(mutex_);
  s.left_behind[key] = seen;
  auto& sources = by_board_[key.board];
  if (std::ranges::find(sources, &s) == sources.end()) sources.push_back(&s);
}

std::vector<std::uint64_t> Head::unneeded_after(std::span<const HeadSlice> sealed) const {
  std::unordered_map<std::uint64_t, std::uint32_t> taken;
  for (const auto& slice : sealed)
    for (const auto& ref : slice.rows) ++taken[ref.seq];
  std::vector<std::uint64_t> unneeded;
  for (const auto& [seq, rows] : taken)
    if (unsealed_rows_.at(seq) == rows) unneeded.push_back(seq);
  std::ranges::sort(unneeded);
  return unneeded;
}

void Head::forget(std::span<const HeadSlice> sealed, std::span<const std::uint64_t> unneeded) {
  std::lock_guard lock(mutex_);
  for (const auto& slice : sealed) {
    slice.source->hours.erase(slice.hour);
    for (const auto& ref : slice.rows) --unsealed_rows_[ref.seq];
  }
  for (const auto seq : unneeded) unsealed_rows_.erase(seq);
}

void Head::forget_left_behind_before(Timestamp t) {
  std::lock_guard lock(mutex_);
  for (auto& s : sources_) std::erase_if(s->left_behind, [t](const auto& entry) { return entry.second.point.at < t; });
}

std::vector<Source*> Head::sharing_boards(Source& source) const {
  std::vector<Source*> found{&source};
  for (const auto& [hour, rows] : source.hours)
    for (const auto* columns = static_cast<const ColumnSet*>(nullptr); const auto& ref : rows) {
      if (ref.columns == columns) continue;
      columns = ref.columns;
      for (const auto board : columns->boards)
        for (auto* other : by_board_.at(board))
          if (std::ranges::find(found, other) == found.end()) found.push_back(other);
    }
  return found;
}

HeadSlice Head::slice(Source& source, std::int64_t hour) const {
  const auto found = source.hours.find(hour);
  return {&source, hour, found == source.hours.end() ? std::vector<RowRef>() : found->second};
}

namespace {

// Of an hour's rows those in `range`, and of each chain of differences what leads to them.
std::vector<RowRef> needed(const std::vector<RowRef>& rows, TimeRange range) {
  std::vector<RowRef> out, leading;
  for (const auto& ref : rows) {
    if (ref.link == 1) leading.clear();
    const bool wanted = range.contains(ref.at);
    if (ref.link != 0) leading.push_back(ref);
    if (wanted && ref.link == 0) out.push_back(ref);
    if (!wanted || ref.link == 0) continue;
    out.insert(out.end(), leading.begin(), leading.end());
    leading.clear();
  }
  return out;
}

}  // namespace

std::vector<HeadSlice> Head::slices(std::span<const BoardId> boards, TimeRange range) const {
  std::vector<HeadSlice> found;
  if (range.to <= range.from || range.to <= Timestamp{}) return found;
  std::set<Source*> sources;
  std::shared_lock lock(mutex_);
  for (const auto board : boards)
    if (const auto of_board = by_board_.find(board); of_board != by_board_.end())
      sources.insert(of_board->second.begin(), of_board->second.end());
  for (auto* s : sources)
    for (auto it = s->hours.lower_bound(hour_of(range.from)); it != s->hours.end() && start_of_hour(it->first) < range.to; ++it)
      found.push_back({s, it->first, needed(it->second, range)});
  return found;
}

std::set<std::int64_t> Head::hours(BoardId board, TimeRange range) const {
  std::set<std::int64_t> found;
  if (range.to <= range.from) return found;
  std::shared_lock lock(mutex_);
  const auto sources = by_board_.find(board);
  if (sources == by_board_.end()) return found;
  for (const auto* s : sources->second)
    for (auto it = s->hours.lower_bound(hour_of(range.from)); it != s->hours.end() && start_of_hour(it->first) < range.to; ++it)
      found.insert(it->first);
  return found;
}

std::vector<Latest> Head::latest(BoardId board) const {
  std::vector<Candidate> all;
  std::shared_lock lock(mutex_);
  const auto sources = by_board_.find(board);
  if (sources == by_board_.end()) return {};
  for (const auto* s : sources->second) {
    for (std::size_t i = 0; i < s->values.size(); ++i)
      if (const auto& key = (*s->columns->keys)[i]; key.board == board && !is_absent(s->values[i]))
        all.push_back({{key, {s->at, s->values[i]}}, s->seq});
    for (const auto& [key, seen] : s->left_behind)
      if (key.board == board) all.push_back({{key, seen.point}, seen.seq});
  }
  lock.unlock();
  return newest_of_each(all);
}

std::vector<Latest> Head::latest(telemetry::MetricId metric) const {
  std::vector<Candidate> all;
  std::shared_lock lock(mutex_);
  for (const auto& s : sources_) {
    if (s->columns != nullptr) {
      const auto& of_gpus = s->columns->gpu_metrics;
      for (auto it = std::ranges::lower_bound(of_gpus, std::pair(metric, 0u)); it != of_gpus.end() && it->first == metric; ++it)
        if (const double v = s->values[it->second]; !is_absent(v)) all.push_back({{(*s->columns->keys)[it->second], {s->at, v}}, s->seq});
    }
    for (const auto& [key, seen] : s->left_behind)
      if (key.metric == metric && key.entity == telemetry::Entity{}) all.push_back({{key, seen.point}, seen.seq});
  }
  lock.unlock();
  return newest_of_each(all);
}

}  // namespace ghm::sqlite
