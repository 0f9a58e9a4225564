#include "domain/fleet/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace ghm::fleet {
namespace {

// A record is written again for "last seen" alone only this often: 10,000 boards must not mean 1,000 writes a second.
constexpr auto kPersistSeenEvery = 5min;

std::string address_key(const std::string& host, const std::string& pci) {
  return host + '\n' + pci;
}

Held slot_of(const Board& b) {
  const auto where = b.pci_bus_id.empty() ? fmt::format("slot {}", b.slot) : b.pci_bus_id;
  Facts facts{{"host", b.host}, {"pci_bus_id", b.pci_bus_id}};
  for (const auto& [name, value] : {std::pair{"region", b.place.region}, {"datacenter", b.place.datacenter}, {"rack", b.place.rack}})
    if (!value.empty()) facts[name] = value;
  return {b.host + " " + where, std::move(facts)};
}

/// Takes over what is said; what is not said stays.
void learn(std::string& known, const std::string& said) {
  if (!said.empty()) known = said;
}

std::vector<Held> all_of(const std::vector<std::string>& names) {
  std::vector<Held> out;
  for (const auto& name : names) out.push_back({name, {}});
  return out;
}

}  // namespace

std::string spoken_name(const Board& b) {
  if (!b.serial.empty()) return "board " + b.serial;
  return b.uuid.empty() ? fmt::format("the board at {} {}", b.host, b.pci_bus_id) : "board " + b.uuid;
}

Ledger::State& Ledger::state(BoardId id) {
  const auto n = static_cast<std::size_t>(id);
  if (states_.size() <= n) states_.resize(n + 1);
  return states_[n];
}

BoardId Ledger::new_id() {
  states_.emplace_back();
  return static_cast<BoardId>(states_.size() - 1);
}

void Ledger::mark(BoardId id) {
  auto& s = state(id);
  if (!s.dirty) dirty_.push_back(id);
  s.dirty = true;
}

void Ledger::tell(Timestamp at, const char* kind, BoardId board, const std::string& host, std::string detail) {
  events_.push_back({at, kind, board, host, std::move(detail)});
}

std::vector<BoardId> Ledger::sight(const Sighting& s, const std::vector<telemetry::GpuIdentity>& gpus) {
  auto& source = sources_[s.source];
  if (source.answers == nullptr || source.answers->name != s.host) source.answers = &host_of(s);
  Host& host = *source.answers;
  note_answer(host, s);
  // Nearly always the page names the same GPUs as the one before.
  if (source.host == s.host && source.gpus == gpus) {
    for (const auto id : source.ids)
      if (id != BoardId::none) note_seen(*state(id).board, s.at);
    return source.ids;
  }
  std::vector<BoardId> ids;
  ids.reserve(gpus.size());
  for (const auto& gpu : gpus) {
    auto id = resolve(s, host, gpu);
    if (id != BoardId::none && std::ranges::find(ids, id) != ids.end()) {
      const auto& b = *find(id);
      conflict("serial_twice", b, s.host, fmt::format("{} shows {} twice: the first row keeps it", s.host, spoken_name(b)), s.at);
      id = BoardId::none;
    }
    ids.push_back(id);
  }
  retire_replaced(s);
  // A conflict is looked at again with the next page, in case the other claim has ended.
  const bool settled = std::ranges::none_of(ids, [](BoardId id) { return id == BoardId::none; });
  source = {&host, settled ? s.host : std::string(), gpus, ids};
  return ids;
}

BoardId Ledger::host_id(std::string_view host) const {
  const auto it = hosts_.find(host);
  return it == hosts_.end() ? BoardId::none : it->second.id;
}

Host& Ledger::host_of(const Sighting& s) {
  auto it = hosts_.find(s.host);
  if (it == hosts_.end()) {
    it = hosts_.emplace(s.host, Host{new_id(), s.host, s.place, s.simulated, s.at, s.at, s.interval, {}, {}}).first;
    state(it->second.id).host = &it->second;
    mark(it->second.id);
    for (auto& [id, b] : boards_)  // those that the inventory knew before their host was heard of
      if (b.host == s.host) link_to_host(b);
  }
  return it->second;
}

void Ledger::link_to_host(Board& b) {
  const auto host = hosts_.find(b.host);
  state(b.id).host = host == hosts_.end() ? nullptr : &host->second;
}

void Ledger::note_answer(Host& h, const Sighting& s) {
  auto& st = state(h.id);
  const bool known = h.place == s.place && h.simulated >= s.simulated && h.interval == s.interval && h.last_error.empty();
  if (!known) mark(h.id);
  if (!(s.place == Place{})) h.place = s.place;
  h.simulated |= s.simulated;
  h.interval = s.interval;
  h.last_error.clear();
  // Nothing came, whoever is to blame: the host, the network, or we who were not running. It is nobody's uptime.
  const bool heard_before = h.last_answer != Timestamp{};
  if (heard_before && s.at - h.last_answer > kIntervalsUntilSilent * h.interval)
    intervals_.add_ended({h.id, "silence", h.name, {}, h.last_answer, s.at});
  h.last_answer = std::max(h.last_answer, s.at);
  if (st.told_missing) {
    st.told_missing = false;
    tell(s.at, "source_returned", BoardId::none, h.name, fmt::format("{} answers again", h.name));
    h.silent_since.reset();
    mark(h.id);
  }
  if (h.last_answer - st.persisted >= kPersistSeenEvery) mark(h.id);
}

void Ledger::note_seen(Board& b, Timestamp at) {
  auto& st = states_[static_cast<std::size_t>(b.id)];
  st.seen = b.last_seen = std::max(b.last_seen, at);
  if (st.told_missing) note_return(b, at);
  if (!b.in_service && is_back(b, at)) {
    b.in_service = true;
    tell(at, "gpu_returned", b.id, b.host, fmt::format("{} was out of service and reports again, on {}", spoken_name(b), b.host));
    mark(b.id);
  }
  if (b.last_seen - st.persisted >= kPersistSeenEvery) mark(b.id);
}

// Retired on paper first, pulled out later: a day's grace. A board that was replaced is back the moment it reports.
bool Ledger::is_back(const Board& b, Timestamp at) const {
  constexpr auto kGrace = 24h;
  return b.asset == nullptr || !b.asset->retired_at || at > *b.asset->retired_at + kGrace;
}

void Ledger::note_return(Board& b, Timestamp at) {
  state(b.id).told_missing = false;
  tell(at, "gpu_returned", b.id, b.host, fmt::format("{} is back on {}'s page", spoken_name(b), b.host));
  intervals_.add_ended({b.id, "silence", b.host, {}, b.silent_since.value_or(at), at});
  b.silent_since.reset();
  mark(b.id);
}

Board* Ledger::known(const std::string& host, const telemetry::GpuIdentity& gpu) {
  const auto look = [&](const auto& index, const std::string& key) -> Board* {
    const auto it = index.find(key);
    return it == index.end() ? nullptr : &boards_.find(it->second)->second;
  };
  if (!gpu.serial.empty())
    if (auto* b = look(by_serial_, gpu.serial)) return b;
  // An alias may lead to a board only if that board does not carry another, stronger name.
  if (!gpu.uuid.empty())
    if (auto* b = look(by_uuid_, gpu.uuid); b && (gpu.serial.empty() || b->serial.empty())) return b;
  if (!gpu.pci_bus_id.empty())
    if (auto* b = look(by_address_, address_key(host, gpu.pci_bus_id)); b) {
      const bool nothing_said = gpu.serial.empty() && gpu.uuid.empty();
      const bool nothing_known = b->serial.empty() && b->uuid.empty();
      if (nothing_said || nothing_known) return b;
    }
  return nullptr;
}

Board& Ledger::create(const Sighting& s, Host& host) {
  const auto id = new_id();
  Board& b = boards_[id];
  b.id = id;
  b.host = s.host;
  b.first_seen = b.last_seen = s.at;
  auto& st = state(id);
  st.board = &b;
  st.host = &host;
  st.seen = s.at;
  return b;
}

bool Ledger::is_elsewhere(const Board& b, const Sighting& s) const {
  if (b.host == s.host) return false;
  const auto* other = state(b.id).host;
  return other != nullptr && s.at - b.last_seen < kIntervalsUntilSilent * other->interval && other->last_answer <= b.last_seen;
}

BoardId Ledger::resolve(const Sighting& s, Host& host, const telemetry::GpuIdentity& gpu) {
  if (gpu.serial.empty() && gpu.uuid.empty() && gpu.pci_bus_id.empty()) return BoardId::none;
  Board* b = known(s.host, gpu);
  if (b == nullptr) {
    b = &create(s, host);
    update(*b, s, host, gpu);
    tell(s.at, "gpu_appeared", b->id, s.host,
         fmt::format("{} ({}) appeared on {}", spoken_name(*b), b->model.empty() ? "unknown model" : b->model, s.host));
    return b->id;
  }
  if (is_elsewhere(*b, s)) {
    conflict("claimed_twice", *b, fmt::format("{} and {}", b->host, s.host),
             fmt::format("{} is claimed by {} and {} at the same time; {} keeps it", spoken_name(*b), b->host, s.host, b->host), s.at);
    return BoardId::none;
  }
  note_move(*b, s, gpu);
  update(*b, s, host, gpu);
  note_seen(*b, s.at);
  return b->id;
}

void Ledger::conflict(std::string kind, const Board& b, std::string claims, std::string detail, Timestamp at) {
  const auto [it, fresh] = conflicts_.try_emplace({kind, b.id}, Conflict{kind, b.id, claims, detail, at, at});
  it->second.last = at;
  it->second.claims = std::move(claims);
  it->second.detail = detail;
  if (fresh) tell(at, "identity_conflict", b.id, b.host, std::move(detail));
}

std::vector<Conflict> Ledger::conflicts() const {
  std::vector<Conflict> out;
  for (const auto& [key, c] : conflicts_) out.push_back(c);
  return out;
}

// A board whose place another one took, and that is on no page, was taken out: for repair, for return, for good. It comes
// back into service by itself when it shows up again.
void Ledger::retire_replaced(const Sighting& s) {
  for (const auto id : std::exchange(displaced_, {})) {
    auto& b = boards_.at(id);
    const bool seen = state(id).seen >= s.at;
    // It may have been seen elsewhere since, or stand at another address of this host.
    const auto there = by_address_.find(address_key(b.host, b.pci_bus_id));
    if (seen || b.host != s.host || !b.in_service || there == by_address_.end() || there->second == id) continue;
    b.in_service = false;
    intervals_.hold(id, "slot", std::vector<Held>{}, s.at);
    tell(s.at, "gpu_replaced", id, s.host,
         fmt::format("another board stands at {} on {}: {} is out of service", b.pci_bus_id, s.host, spoken_name(b)));
    mark(id);
  }
}

void Ledger::note_work(const std::vector<BoardId>& boards, const std::vector<telemetry::Workload>& work, Timestamp at) {
  for (std::size_t i = 0; i < boards.size() && i < work.size(); ++i) {
    if (boards[i] == BoardId::none) continue;
    intervals_.hold(boards[i], "pod", all_of(work[i].pods), at);
    intervals_.hold(boards[i], "job", all_of(work[i].jobs), at);
  }
}

// Another index with the same address is the driver counting anew, not a move.
void Ledger::note_move(const Board& b, const Sighting& s, const telemetry::GpuIdentity& gpu) {
  const bool other_host = b.host != s.host;
  const bool other_address = !gpu.pci_bus_id.empty() && !b.pci_bus_id.empty() && b.pci_bus_id != gpu.pci_bus_id;
  if (other_host) tell(s.at, "gpu_moved", b.id, s.host, fmt::format("{} moved from {} to {}", spoken_name(b), b.host, s.host));
  else if (other_address)
    tell(s.at, "gpu_moved", b.id, s.host,
         fmt::format("{} moved from {} to {} in {}", spoken_name(b), b.pci_bus_id, gpu.pci_bus_id, s.host));
}

void Ledger::note_firmware(const Board& b, const Sighting& s, const telemetry::GpuIdentity& gpu) {
  const auto changed = [](const std::string& was, const std::string& is) { return !was.empty() && !is.empty() && was != is; };
  if (changed(b.driver_version, gpu.driver_version))
    tell(s.at, "driver_change", b.id, s.host, fmt::format("{}: driver {} became {}", spoken_name(b), b.driver_version, gpu.driver_version));
  if (changed(b.vbios_version, gpu.vbios_version))
    tell(s.at, "vbios_change", b.id, s.host, fmt::format("{}: VBIOS {} became {}", spoken_name(b), b.vbios_version, gpu.vbios_version));
}

void Ledger::update(Board& b, const Sighting& s, Host& host, const telemetry::GpuIdentity& gpu) {
  note_firmware(b, s, gpu);
  learn(b.serial, gpu.serial);
  learn(b.uuid, gpu.uuid);
  learn(b.pci_bus_id, gpu.pci_bus_id);
  learn(b.model, gpu.model);
  learn(b.driver_version, gpu.driver_version);
  learn(b.vbios_version, gpu.vbios_version);
  b.host = s.host;
  b.slot = gpu.index;
  if (!(s.place == Place{})) b.place = s.place;
  b.simulated |= s.simulated;
  state(b.id).host = &host;
  index(b);
  note_names(b, s.at);
  mark(b.id);
}

// A page that does not print a name does not end it: exporters differ in what they print.
void Ledger::note_names(const Board& b, Timestamp at) {
  intervals_.hold(b.id, "slot", slot_of(b), at);
  for (const auto& [kind, value] :
       {std::pair{"serial", b.serial}, {"uuid", b.uuid}, {"driver", b.driver_version}, {"vbios", b.vbios_version}})
    if (!value.empty()) intervals_.hold(b.id, kind, Held{value, {}}, at);
}

void Ledger::index(const Board& b) {
  if (!b.serial.empty()) by_serial_[b.serial] = b.id;
  if (!b.uuid.empty()) by_uuid_[b.uuid] = b.id;
  if (b.pci_bus_id.empty()) return;
  auto& there = by_address_[address_key(b.host, b.pci_bus_id)];
  if (there != BoardId::none && there != b.id) displaced_.push_back(there);
  there = b.id;
}

const Board* Ledger::find(BoardId id) const {
  const auto it = boards_.find(id);
  return it == boards_.end() ? nullptr : &it->second;
}

const Board* Ledger::find(std::string_view name) const {
  const std::string key(name);
  for (const auto* index : {&by_serial_, &by_uuid_})
    if (const auto it = index->find(key); it != index->end()) return find(it->second);
  if (name.size() < 4) return nullptr;
  const Board* found = nullptr;
  for (const auto& [id, b] : boards_)
    if (b.serial.ends_with(name)) {
      if (found != nullptr) return nullptr;  // more than one: ambiguous
      found = &b;
    }
  return found;
}

Ledger::Changes Ledger::take_changes() {
  Changes out;
  for (const auto id : dirty_) {
    auto& st = states_[static_cast<std::size_t>(id)];
    st.dirty = false;
    if (const auto it = boards_.find(id); it != boards_.end()) {
      out.boards.push_back(it->second);
      st.persisted = it->second.last_seen;
    } else if (st.host != nullptr) {
      out.hosts.push_back(*st.host);
      st.persisted = st.host->last_answer;
    }
  }
  dirty_.clear();
  out.events = std::exchange(events_, {});
  out.intervals = intervals_.take_changes();
  out.maintenance = std::exchange(changed_maintenance_, {});
  return out;
}

void Ledger::restore(Kept kept) {
  for (auto& h : kept.hosts) {
    auto& host = hosts_[h.name] = std::move(h);
    auto& st = state(host.id);
    st.host = &host;
    st.persisted = host.last_answer;
    st.told_missing = host.silent_since.has_value();
  }
  for (auto& b : kept.boards) {
    auto& board = boards_[b.id] = std::move(b);
    auto& st = state(board.id);
    st.board = &board;
    st.seen = st.persisted = board.last_seen;
    st.told_missing = board.silent_since.has_value();
    link_to_host(board);
    index(board);
  }
  intervals_.restore(std::move(kept.open));
  maintenance_.restore(std::move(kept.maintenance));
}

}  // namespace ghm::fleet
