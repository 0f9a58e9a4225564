// What people tell the ledger: inventories and maintenance. Where a page says otherwise, the page is believed and the
// disagreement is shown.
#include <fmt/format.h>

#include "domain/fleet/ledger.h"

namespace ghm::fleet {
namespace {

std::string asset_name(const Asset& a) {
  return a.serial.empty() ? a.uuid : a.serial;
}

Held slot_of(const Asset& a) {
  Facts facts{{"host", a.host}, {"pci_bus_id", a.pci_bus_id}};
  for (const auto& [name, value] :
       {std::pair{"region", a.place.region}, {"datacenter", a.place.datacenter}, {"rack", a.place.rack}, {"slot", a.slot}})
    if (!value.empty()) facts[name] = value;
  return {a.host + " " + (a.pci_bus_id.empty() ? "slot " + a.slot : a.pci_bus_id), std::move(facts)};
}

bool is_retired(const Asset& a, Timestamp now) {
  return a.retired_at && *a.retired_at <= now;
}

// Of two stays of one board, the one that began later tells where it is; a stay without a beginning is the oldest.
bool is_older(const Asset& a, const Asset& than) {
  return a.deployed_at.value_or(Timestamp{}) < than.deployed_at.value_or(Timestamp{});
}

}  // namespace

Result<BoardId> Ledger::take_asset(const Asset& asset, bool simulated, Timestamp now) {
  if (asset.serial.empty() && asset.uuid.empty())
    return Error{Errc::invalid_input, "an asset without serial and gpu_uuid: give it one of them"};
  if (asset.deployed_at && asset.retired_at && *asset.retired_at < *asset.deployed_at)
    return Error{Errc::invalid_input, fmt::format("asset {}: it retires at {}, before it is deployed at {}", asset_name(asset),
                                                  format_rfc3339(*asset.retired_at), format_rfc3339(*asset.deployed_at))};
  telemetry::GpuIdentity named;
  named.serial = asset.serial;
  named.uuid = asset.uuid;
  Board* known_board = known(asset.host, named);
  Board& b = known_board != nullptr ? *known_board : create_from(asset, now);
  if (simulated && !b.simulated) {
    b.simulated = true;
    mark(b.id);
  }
  take_stay(b, asset, now);
  return b.id;
}

Board& Ledger::create_from(const Asset& asset, Timestamp now) {
  const auto id = new_id();
  Board& b = boards_[id];
  b.id = id;
  b.serial = asset.serial;
  b.uuid = asset.uuid;
  b.first_seen = asset.deployed_at.value_or(now);
  state(id).board = &b;
  index(b);
  mark(id);
  return b;
}

void Ledger::take_stay(Board& b, const Asset& asset, Timestamp now) {
  const bool retired = is_retired(asset, now);
  if (retired) {
    const auto slot = slot_of(asset);
    intervals_.add_ended({b.id, "slot", slot.value, slot.facts, asset.deployed_at.value_or(*asset.retired_at), asset.retired_at});
  }
  if (asset.deployed_at && *asset.deployed_at < b.first_seen) {
    b.first_seen = *asset.deployed_at;
    mark(b.id);
  }
  if (b.asset != nullptr && (*b.asset == asset || is_older(asset, *b.asset))) return;
  b.asset = std::make_shared<const Asset>(asset);
  take_newest_stay(b, asset, retired);
  mark(b.id);
}

void Ledger::take_newest_stay(Board& b, const Asset& asset, bool retired) {
  for (const auto& [mine, said] : {std::pair{&b.serial, &asset.serial}, {&b.uuid, &asset.uuid}, {&b.model, &asset.model}})
    if (mine->empty()) *mine = *said;
  const bool seen = b.last_seen != Timestamp{};
  const bool elsewhere = seen && !asset.host.empty() && b.host != asset.host && !retired;
  if (elsewhere)
    conflict(std::string(kInventoryPlace), b, fmt::format("{} and {}", b.host, asset.host),
             fmt::format("the inventory says that {} is on {}, but it reports from {}", spoken_name(b), asset.host, b.host), b.last_seen);
  if (!seen) {
    b.host = asset.host;
    b.pci_bus_id = asset.pci_bus_id;
    link_to_host(b);
  }
  if (b.host == asset.host && !(asset.place == Place{})) b.place = asset.place;
  // Boards in a log of the past report no more, but one that reports after its retirement is in service whatever is written.
  const bool reports_since = retired && is_back(b, b.last_seen);
  if (retired && !reports_since) {
    if (b.in_service && seen) tell(*asset.retired_at, "gpu_retired", b.id, b.host, fmt::format("{} was retired", spoken_name(b)));
    b.in_service = false;
    intervals_.hold(b.id, "slot", std::vector<Held>{}, *asset.retired_at);
  } else if (!retired && !seen) {
    b.in_service = true;
    intervals_.hold(b.id, "slot", slot_of(asset), asset.deployed_at.value_or(b.first_seen));
  } else if (asset.deployed_at && !elsewhere) {
    intervals_.began(b.id, "slot", *asset.deployed_at);
  }
  index(b);
}

Result<Ledger::Named> Ledger::named(std::string_view name) const {
  using Scope = Maintenance::Scope;
  // The last digits of a serial are a name too, but a host or rack that is called so comes first.
  const auto* board = find(name);
  if (board != nullptr && (board->serial == name || board->uuid == name)) return Named{Scope::gpu, std::string(name)};
  if (hosts_.contains(name)) return Named{Scope::host, std::string(name)};
  for (const auto& [id, b] : boards_)
    if (b.host == name) return Named{Scope::host, std::string(name)};
  for (const auto& [id, b] : boards_)
    if (b.place.rack == name) return Named{Scope::rack, std::string(name)};
  if (board != nullptr) return Named{Scope::gpu, board->serial};
  return Error{Errc::not_found, fmt::format("nothing is called '{}': give a board's serial or UUID, a host or a rack", name)};
}

namespace {

std::string sentence(const Maintenance& m, const char* what) {
  return fmt::format("maintenance of {} {} {}{}{}", to_string(m.scope), m.target, what, m.reason.empty() ? "" : ": ", m.reason);
}

}  // namespace

Result<Maintenance> Ledger::start_maintenance(std::string_view name, std::optional<Timestamp> until, std::string reason, std::string by,
                                              Timestamp now) {
  const auto target = named(name);
  if (!target) return target.error();
  auto started = maintenance_.start({"", target->scope, target->target, now, until, std::move(reason), std::move(by)});
  if (!started) return started;
  changed_maintenance_.push_back(*started);
  const auto* b = target->scope == Maintenance::Scope::gpu ? find(name) : nullptr;
  tell(now, "maintenance", b ? b->id : BoardId::none, b ? b->host : target->target, sentence(*started, "started"));
  return started;
}

Result<Maintenance> Ledger::end_maintenance(std::string_view name, Timestamp now) {
  const auto target = named(name);
  if (!target) return target.error();
  auto ended = maintenance_.end(target->scope, target->target, now);
  if (!ended) return ended;
  changed_maintenance_.push_back(*ended);
  const auto* b = target->scope == Maintenance::Scope::gpu ? find(name) : nullptr;
  tell(now, "maintenance", b ? b->id : BoardId::none, b ? b->host : target->target, sentence(*ended, "ended"));
  return ended;
}

}  // namespace ghm::fleet
