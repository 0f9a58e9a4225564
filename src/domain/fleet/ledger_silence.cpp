// What stopped talking: hosts without an answer, boards gone from their page, claims that are not repeated.
#include <fmt/format.h>

#include "domain/fleet/ledger.h"

namespace ghm::fleet {
namespace {

constexpr auto kLooksAtMostApart = 10s;  // they are a second apart

}  // namespace

void Ledger::no_answer(const Sighting& s, std::string_view error) {
  auto it = hosts_.find(s.host);
  // A target that names its host only on its page is known by that name once it has answered.
  if (const auto source = sources_.find(s.source); it == hosts_.end() && source != sources_.end()) it = hosts_.find(source->second.host);
  if (it == hosts_.end()) {
    it = hosts_.emplace(s.host, Host{new_id(), s.host, s.place, s.simulated, s.at, Timestamp{}, s.interval, {}, {}}).first;
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
  for (auto& [name, h] : hosts_) notice_silent_host(h, now);
  for (auto& st : states_)
    if (st.board != nullptr && is_silent(st, now)) notice_missing_board(st, now);
  end_conflicts(now);
}

void Ledger::notice_silent_host(Host& h, Timestamp now) {
  auto& st = state(h.id);
  if (st.told_missing || !is_silent(h, now) || now - watching_since_ <= kIntervalsUntilSilent * h.interval) return;
  if (maintenance_.covering_host(h.name, h.place.rack, now) != nullptr) return;
  st.told_missing = true;
  h.silent_since = std::max(h.last_answer, h.first_seen);
  mark(h.id);
  tell(now, "source_silent", BoardId::none, h.name,
       h.last_error.empty() ? fmt::format("{} does not answer", h.name) : fmt::format("{} does not answer: {}", h.name, h.last_error));
}

void Ledger::notice_missing_board(State& st, Timestamp now) {
  auto& b = *st.board;
  // Nobody can say that a board is missing while its whole host is silent.
  if (st.told_missing || !b.in_service || st.host == nullptr || is_silent(*st.host, now)) return;
  if (now - watching_since_ <= kIntervalsUntilSilent * st.host->interval || maintenance_.covering(b, now) != nullptr) return;
  st.told_missing = true;
  b.silent_since = b.last_seen == Timestamp{} ? now : b.last_seen;
  mark(b.id);
  tell(now, "gpu_missing", b.id, b.host,
       b.last_seen == Timestamp{} ? fmt::format("{} stands in the inventory of {}, but was never on its page", spoken_name(b), b.host)
                                  : fmt::format("{} is no longer on {}'s page", spoken_name(b), b.host));
}

// A claim that is not repeated has ended; what the inventory says stands until it or the page changes.
void Ledger::end_conflicts(Timestamp now) {
  std::erase_if(conflicts_, [&](const auto& entry) {
    const auto& c = entry.second;
    const auto* host = state(c.board).host;
    if (c.kind == kInventoryPlace)
      return boards_.at(c.board).asset == nullptr || boards_.at(c.board).asset->host == boards_.at(c.board).host;
    return host == nullptr || now - c.last > 3 * host->interval;
  });
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

}  // namespace ghm::fleet
