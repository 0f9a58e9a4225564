#include "domain/fleet/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace ghm::fleet {
namespace {

constexpr int kIntervalsUntilSilent = 2;
// A record is written again for "last seen" alone only this often: 10,000 boards must not mean 1,000 writes a second.
constexpr auto kPersistSeenEvery = 5min;
constexpr auto kLooksAtMostApart = 10s;  // they are a second apart

std::string address_key(const std::string& host, const std::string& pci) {
  return host + '\n' + pci;
}

std::string name_of(const Board& b) {
  if (!b.serial.empty()) return "board " + b.serial;
  return b.uuid.empty() ? fmt::format("the board at {} {}", b.host, b.pci_bus_id) : "board " + b.uuid;
}

/// Takes over what is said; what is not said stays.
void learn(std::string& known, const std::string& said) {
  if (!said.empty()) known = said;
}

}  // namespace

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
  for (const auto& gpu : gpus) ids.push_back(resolve(s, host, gpu));
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
    it = hosts_.emplace(s.host, Host{new_id(), s.host, s.place, s.simulated, s.at, s.at, s.interval, {}}).first;
    state(it->second.id).host = &it->second;
    mark(it->second.id);
  }
  return it->second;
}

void Ledger::note_answer(Host& h, const Sighting& s) {
  auto& st = state(h.id);
  const bool known = h.place == s.place && h.simulated >= s.simulated && h.interval == s.interval && h.last_error.empty();
  if (!known) mark(h.id);
  if (!(s.place == Place{})) h.place = s.place;
  h.simulated |= s.simulated;
  h.interval = s.interval;
  h.last_error.clear();
  h.last_answer = std::max(h.last_answer, s.at);
  if (st.told_missing) {
    st.told_missing = false;
    tell(s.at, "source_returned", BoardId::none, h.name, fmt::format("{} answers again", h.name));
    mark(h.id);
  }
  if (h.last_answer - st.persisted >= kPersistSeenEvery) mark(h.id);
}

void Ledger::note_seen(Board& b, Timestamp at) {
  auto& st = states_[static_cast<std::size_t>(b.id)];
  st.seen = b.last_seen = std::max(b.last_seen, at);
  if (st.told_missing) {
    st.told_missing = false;
    tell(at, "gpu_returned", b.id, b.host, fmt::format("{} is back on {}'s page", name_of(b), b.host));
    mark(b.id);
  }
  if (b.last_seen - st.persisted >= kPersistSeenEvery) mark(b.id);
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
         fmt::format("{} ({}) appeared on {}", name_of(*b), b->model.empty() ? "unknown model" : b->model, s.host));
    return b->id;
  }
  if (is_elsewhere(*b, s)) {
    if (!std::exchange(state(b->id).told_conflict, true))
      tell(s.at, "identity_conflict", b->id, s.host,
           fmt::format("{} is claimed by {} and {} at the same time; {} keeps it", name_of(*b), b->host, s.host, b->host));
    return BoardId::none;
  }
  state(b->id).told_conflict = false;
  note_move(*b, s, gpu);
  update(*b, s, host, gpu);
  note_seen(*b, s.at);
  return b->id;
}

// Another index with the same address is the driver counting anew, not a move.
void Ledger::note_move(const Board& b, const Sighting& s, const telemetry::GpuIdentity& gpu) {
  const bool other_host = b.host != s.host;
  const bool other_address = !gpu.pci_bus_id.empty() && !b.pci_bus_id.empty() && b.pci_bus_id != gpu.pci_bus_id;
  if (other_host) tell(s.at, "gpu_moved", b.id, s.host, fmt::format("{} moved from {} to {}", name_of(b), b.host, s.host));
  else if (other_address)
    tell(s.at, "gpu_moved", b.id, s.host, fmt::format("{} moved from {} to {} in {}", name_of(b), b.pci_bus_id, gpu.pci_bus_id, s.host));
}

void Ledger::update(Board& b, const Sighting& s, Host& host, const telemetry::GpuIdentity& gpu) {
  if (!b.driver_version.empty() && !gpu.driver_version.empty() && b.driver_version != gpu.driver_version)
    tell(s.at, "driver_change", b.id, s.host, fmt::format("{}: driver {} became {}", name_of(b), b.driver_version, gpu.driver_version));
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
  mark(b.id);
}

void Ledger::index(const Board& b) {
  if (!b.serial.empty()) by_serial_[b.serial] = b.id;
  if (!b.uuid.empty()) by_uuid_[b.uuid] = b.id;
  if (!b.pci_bus_id.empty()) by_address_[address_key(b.host, b.pci_bus_id)] = b.id;
}

void Ledger::no_answer(const Sighting& s, std::string_view error) {
  auto it = hosts_.find(s.host);
  // A target that names its host only on its page is known by that name once it has answered.
  if (const auto source = sources_.find(s.source); it == hosts_.end() && source != sources_.end()) it = hosts_.find(source->second.host);
  if (it == hosts_.end()) {
    it = hosts_.emplace(s.host, Host{new_id(), s.host, s.place, s.simulated, s.at, Timestamp{}, s.interval, {}}).first;
    state(it->second.id).host = &it->second;
  }
  if (it->second.last_error == error) return;
  it->second.last_error = error;
  mark(it->second.id);
}

// Nobody is silent because we did not listen: before the first look, while the process stood still, or in the time that a
// clock leapt over. Everyone gets two intervals to answer, as after a start.
void Ledger::watch(Timestamp now) {
  const bool went_on = last_look_ && now >= *last_look_ && now - *last_look_ <= kLooksAtMostApart;
  last_look_ = now;
  if (went_on) return;
  watching_since_ = now;
  for (auto& [name, h] : hosts_) h.last_answer = std::min(h.last_answer, now);  // an answer in the future would hide a silence
  for (auto& st : states_) {
    st.seen = std::min(st.seen, now);
    st.persisted = std::min(st.persisted, now);
    if (st.board != nullptr) st.board->last_seen = std::min(st.board->last_seen, now);
  }
}

void Ledger::notice_silence(Timestamp now) {
  watch(now);
  for (auto& [name, h] : hosts_) {
    auto& st = state(h.id);
    if (st.told_missing || !is_silent(h, now) || now - watching_since_ <= kIntervalsUntilSilent * h.interval) continue;
    st.told_missing = true;
    mark(h.id);
    tell(now, "source_silent", BoardId::none, name,
         h.last_error.empty() ? fmt::format("{} does not answer", name) : fmt::format("{} does not answer: {}", name, h.last_error));
  }
  for (auto& st : states_) {
    if (st.board == nullptr || !is_silent(st, now)) continue;
    const auto& b = *st.board;
    // Nobody can say that a board is missing while its whole host is silent.
    if (st.told_missing || !b.in_service || st.host == nullptr || is_silent(*st.host, now)) continue;
    if (now - watching_since_ <= kIntervalsUntilSilent * st.host->interval) continue;
    st.told_missing = true;
    mark(b.id);
    tell(now, "gpu_missing", b.id, b.host, fmt::format("{} is no longer on {}'s page", name_of(b), b.host));
  }
}

bool Ledger::is_silent(const State& board, Timestamp now) {
  return now - board.seen > kIntervalsUntilSilent * (board.host ? board.host->interval : std::chrono::milliseconds(10'000));
}

bool Ledger::is_silent(const Board& b, Timestamp now) const {
  return is_silent(state(b.id), now);
}

std::vector<Ledger::Presence> Ledger::presence(Timestamp now) const {
  std::vector<Presence> all;
  all.reserve(boards_.size());
  for (std::size_t id = 1; id < states_.size(); ++id)
    if (const auto& st = states_[id]; st.board != nullptr) all.push_back({static_cast<BoardId>(id), st.seen, is_silent(st, now)});
  return all;
}

bool Ledger::is_silent(const Host& h, Timestamp now) const {
  return now - h.last_answer > kIntervalsUntilSilent * h.interval;
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
  return out;
}

void Ledger::restore(std::vector<Board> boards, std::vector<Host> hosts) {
  for (auto& h : hosts) {
    auto& kept = hosts_[h.name] = std::move(h);
    state(kept.id).host = &kept;
    state(kept.id).persisted = kept.last_answer;
  }
  for (auto& b : boards) {
    auto& kept = boards_[b.id] = std::move(b);
    const auto host = hosts_.find(kept.host);
    auto& st = state(kept.id);
    st.board = &kept;
    st.host = host == hosts_.end() ? nullptr : &host->second;
    st.seen = st.persisted = kept.last_seen;
    index(kept);
  }
}

}  // namespace ghm::fleet
