#include "pipeline/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>

#include "domain/validation/believe.h"

namespace ghm::pipeline {
namespace {

using Kept = Quarantine::Kept;
using store::Point;
using telemetry::Reason;

constexpr auto kNear = 1h;           // a neighbour that is further away says nothing about a rate
constexpr double kExporterAge = 30;  // seconds that an exporter may have cached a value

enum class Fate { replayed, still_refused, lost };

/// The rules of one board's metric as they are today, with what the device itself says.
struct Rules {
  validation::Bounds bounds;
  std::optional<validation::RateRule> rate;
};

validation::DeviceLimits limits_of(fleet::BoardId board, const std::string& model, const store::TelemetryStore& telemetry) {
  auto table = std::make_shared<telemetry::SeriesTable>();
  telemetry::PageLayout layout;
  layout.gpus.emplace_back().model = model;
  std::vector<double> values;
  for (const auto& [key, point] : telemetry.latest(board)) {
    table->series.push_back({0, key.entity, key.metric, false});
    values.push_back(point.value);
  }
  layout.table = table;
  return validation::limits_by_gpu(layout, values, telemetry::ModelCatalogue::built_in())[0];
}

class Judge {
 public:
  Judge(const ReplayWorld& world, Timestamp now) : world_(world), now_(now) {}

  Result<Fate> fate(const Kept& k) {
    const auto* spec = telemetry::MetricCatalogue::built_in().find(k.metric);
    if (spec == nullptr || k.board == fleet::BoardId::none) return Fate::still_refused;
    const auto& rules = rules_of(k, *spec);
    if (validation::why_not(k.number, rules.bounds) || validation::why_not(k.at, now_) == Reason::future) return Fate::still_refused;
    if (k.at < now_ - world_.retention) return Fate::lost;
    auto near = world_.telemetry.read({k.board, k.entity, k.metric}, {k.at - kNear, k.at + kNear});
    if (!near) return near.error();
    const auto there = std::ranges::find(*near, k.at, &Point::at);
    if (there != near->end()) return there->value == k.number ? Fate::replayed : Fate::lost;
    return !rules.rate || fits(*rules.rate, k, *near) ? Fate::replayed : Fate::still_refused;
  }

 private:
  const Rules& rules_of(const Kept& k, const telemetry::MetricSpec& spec) {
    const auto [it, fresh] = rules_.try_emplace({k.board, k.metric, k.entity});
    if (!fresh) return it->second;
    const auto model = world_.model_of(k.board);
    const auto [limits, unknown] = limits_.try_emplace(k.board);
    if (unknown) limits->second = limits_of(k.board, model, world_.telemetry);
    const auto* own = validation::override_for(world_.overrides, k.metric, model, telemetry::ModelCatalogue::built_in());
    it->second = {validation::overridden(validation::bounds_of(spec, k.entity, limits->second), own),
                  validation::rate_rule(spec, limits->second, own)};
    return it->second;
  }

  // Between its neighbours, or at the beginning of a level that stayed.
  static bool fits(const validation::RateRule& rule, const Kept& k, const std::vector<Point>& near) {
    const auto can = [&rule](const Point& a, const Point& b) {
      return validation::possible(rule, a.value, b.value, Seconds(b.at - a.at).count() + kExporterAge);
    };
    const Point self{k.at, k.number};
    const auto after = std::ranges::upper_bound(near, k.at, {}, &Point::at);
    const bool has_before = after != near.begin();
    if (after == near.end()) return !has_before || can(*std::prev(after), self);
    if (!can(self, *after)) return false;
    return !has_before || can(*std::prev(after), self) || !can(*std::prev(after), *after);
  }

  const ReplayWorld& world_;
  const Timestamp now_;
  std::map<std::tuple<fleet::BoardId, telemetry::MetricId, telemetry::Entity>, Rules> rules_;
  std::map<fleet::BoardId, validation::DeviceLimits> limits_;
};

// One row per board and instant.
std::vector<store::RowBatch> rows_of(const std::vector<Kept>& believed) {
  std::map<std::pair<Timestamp, fleet::BoardId>, std::vector<const Kept*>> groups;
  for (const auto& k : believed) groups[{k.at, k.board}].push_back(&k);
  std::vector<store::RowBatch> rows;
  for (const auto& [when, members] : groups) {
    auto keys = std::make_shared<std::vector<store::SeriesKey>>();
    store::RowBatch row;
    row.source = "quarantine";
    row.at = when.first;
    for (const auto* k : members) {
      const store::SeriesKey key{k->board, k->entity, k->metric};
      if (std::ranges::find(*keys, key) != keys->end()) continue;
      keys->push_back(key);
      row.values.push_back(k->number);
    }
    row.columns = std::move(keys);
    rows.push_back(std::move(row));
  }
  return rows;
}

Error too_slow() {
  return {Errc::unavailable, "the store does not take the replayed values now: nothing has left the quarantine, try again shortly"};
}

/// Hands something to the keeper and waits until it is durable.
class Handover {
 public:
  explicit Handover(const ReplayWorld& world) : world_(world) {}
  bool put(ToKeep what) {
    what.told.push_back([durable = durable_](const Result<void>& kept) { durable->set_value(kept.has_value()); });
    handed_ = world_.keep(std::move(what));
    return handed_;
  }
  /// True when nothing had to be handed over, too.
  bool wait() { return !handed_ || (done_.wait_for(world_.patience) == std::future_status::ready && done_.get()); }

 private:
  const ReplayWorld& world_;
  std::shared_ptr<std::promise<bool>> durable_ = std::make_shared<std::promise<bool>>();
  std::future<bool> done_ = durable_->get_future();
  bool handed_ = false;
};

Result<void> move_over(Quarantine& quarantine, const std::vector<Kept>& believed, const ReplayWorld& world) {
  Handover rows(world), removal(world);
  if (!rows.put({rows_of(believed), {}, {}}) || !rows.wait()) return too_slow();
  std::vector<std::uint64_t> ids;
  for (const auto& k : believed) ids.push_back(k.id);
  const auto put = [&](std::vector<store::Record> records) { return removal.put({{}, std::move(records), {}}); };
  // Should the removal not become durable, the values are replayed once more after a restart, to the same end.
  if (!quarantine.remove(ids, put)) return too_slow();
  removal.wait();
  return {};
}

}  // namespace

Result<views::ReplayReport> replay(Quarantine& quarantine, const views::QuarantineQuery& query, bool dry_run, const ReplayWorld& world,
                                   Timestamp now) {
  views::ReplayReport report;
  std::vector<Kept> believed;
  Judge judge(world, now);
  for (auto& k : quarantine.select(query)) {
    const auto fate = judge.fate(k);
    if (!fate) return fate.error();
    if (*fate == Fate::replayed) believed.push_back(std::move(k));
    else ++(*fate == Fate::lost ? report.lost : report.still_refused);
  }
  report.replayed = believed.size();
  if (dry_run || believed.empty()) return report;
  if (auto moved = move_over(quarantine, believed, world); !moved) return moved.error();
  return report;
}

}  // namespace ghm::pipeline
