#include "pipeline/live_view.h"

#include <algorithm>
#include <tuple>

namespace ghm::pipeline {
namespace {

std::optional<double> shown(double v) {
  return telemetry::is_absent(v) ? std::nullopt : std::optional(v);
}

auto layout_key(const fleet::Place& p, const std::string& host) {
  return std::tie(p.region, p.datacenter, p.rack, host);
}

void show(views::BoardView& view, const LiveBoard& live) {
  view.board.last_seen = live.last_seen;
  view.silent = live.silent;
  view.temperature = shown(live.values.temperature);
  view.memory_temperature = shown(live.values.memory_temperature);
  view.power = shown(live.values.power);
  view.utilisation = shown(live.values.utilisation);
  view.sm_clock = shown(live.values.sm_clock);
}

}  // namespace

LiveView::LiveView() : current_(std::make_shared<views::FleetSnapshot>()) {}

void LiveView::restore(const fleet::Ledger::Kept& kept, Timestamp now) {
  LiveUpdate update;
  update.as_of = now;
  update.boards = kept.boards;
  update.hosts = kept.hosts;
  update.maintenance = kept.maintenance;
  apply(std::move(update));
}

// Records come every few minutes for "last seen" alone: only a board or host that stands elsewhere, or is called
// otherwise, changes the layout and the index of names.
void LiveView::learn(LiveUpdate& update) {
  for (auto& b : update.boards) {
    auto& known = boards_[b.id].board;
    const bool same_place = known.slot == b.slot && layout_key(known.place, known.host) == layout_key(b.place, b.host);
    if (known.id != b.id || !same_place || known.serial != b.serial || known.uuid != b.uuid) board_order_.clear();
    known = std::move(b);
  }
  for (auto& h : update.hosts) {
    auto& known = hosts_[h.id].host;
    if (known.id != h.id || layout_key(known.place, known.name) != layout_key(h.place, h.name)) board_order_.clear();
    known = std::move(h);
  }
}

void LiveView::apply(LiveUpdate update) {
  learn(update);
  for (const auto& live : update.live)
    if (auto it = boards_.find(live.id); it != boards_.end()) show(it->second, live);
  for (const auto& live : update.live_hosts)
    if (auto it = hosts_.find(live.id); it != hosts_.end()) {
      it->second.host.last_answer = live.last_answer;
      it->second.silent = live.silent;
    }
  for (auto& [id, work] : update.work)
    if (auto it = boards_.find(id); it != boards_.end()) it->second.work = std::move(work);
  take_reports();
  if (board_order_.empty()) sort_layout();
  auto next = snapshot(update);
  std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

void LiveView::take_reports() {
  std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>> reports;
  {
    std::lock_guard lock(mutex_);
    reports.swap(reports_);
  }
  for (auto& [id, report] : reports)
    if (auto it = boards_.find(id); it != boards_.end()) it->second.health = std::move(report);
}

void LiveView::sort_layout() {
  board_order_.clear();
  for (const auto& [id, view] : boards_) board_order_.push_back(id);
  std::ranges::sort(board_order_, [&](fleet::BoardId x, fleet::BoardId y) {
    const auto &a = boards_[x].board, &b = boards_[y].board;
    return std::tuple(layout_key(a.place, a.host), a.slot, a.id) < std::tuple(layout_key(b.place, b.host), b.slot, b.id);
  });
  host_order_.clear();
  for (const auto& [id, view] : hosts_) host_order_.push_back(id);
  std::ranges::sort(host_order_, [&](fleet::BoardId x, fleet::BoardId y) {
    const auto &a = hosts_[x].host, &b = hosts_[y].host;
    return layout_key(a.place, a.name) < layout_key(b.place, b.name);
  });
  std::map<std::string_view, views::HostView*> by_name;
  for (auto& [id, view] : hosts_) {
    view.boards.clear();
    by_name[view.host.name] = &view;
  }
  for (std::size_t i = 0; i < board_order_.size(); ++i)
    if (auto it = by_name.find(boards_[board_order_[i]].board.host); it != by_name.end()) it->second->boards.push_back(i);
  index_names();
}

void LiveView::index_names() {
  auto names = std::make_shared<views::NameIndex>();
  for (std::size_t i = 0; i < board_order_.size(); ++i) {
    const auto& board = boards_[board_order_[i]].board;
    if (!board.serial.empty()) names->emplace(board.serial, i);
    if (!board.uuid.empty()) names->emplace(board.uuid, i);
  }
  names_ = std::move(names);
}

std::shared_ptr<const views::FleetSnapshot> LiveView::snapshot(LiveUpdate& update) {
  auto next = std::make_shared<views::FleetSnapshot>();
  next->as_of = update.as_of;
  next->generation = ++generation_;
  next->boards.reserve(board_order_.size());
  for (const auto id : board_order_) next->boards.push_back(boards_[id]);
  next->by_name = names_;
  for (const auto id : host_order_) next->hosts.push_back(hosts_[id]);
  next->accepted = update.accepted;
  next->refused = update.refused;
  next->refused_by = update.refused_by;
  next->scrapes_ok = update.scrapes_ok;
  next->scrapes_failed = update.scrapes_failed;
  next->agents = std::move(update.agents);
  next->conflicts = std::move(update.conflicts);
  next->maintenance.restore(std::move(update.maintenance));
  next->anomalies = std::move(update.anomalies);
  return next;
}

void LiveView::set_reports(std::vector<std::pair<fleet::BoardId, std::shared_ptr<const health::Report>>> reports) {
  std::lock_guard lock(mutex_);
  std::ranges::move(reports, std::back_inserter(reports_));
}

std::shared_ptr<const views::FleetSnapshot> LiveView::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace ghm::pipeline
