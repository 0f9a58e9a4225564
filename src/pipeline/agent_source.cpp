// An agent's round is a page that somebody else has read: from validation on it goes the way of a page. What comes late, after
// an outage, says nothing about where a board is now, so it moves no board and ends no silence; it only makes known what
// nobody knew.
#include "pipeline/agent_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/dcgm_exporter/layout_pool.h"
#include "pipeline/agent_events.h"
#include "pipeline/sighting_of.h"
#include "pipeline/snapshot_records.h"

namespace ghm::pipeline {
namespace {

using fleet::BoardId;
using telemetry::Reason;

constexpr auto kFuture = 5min;

bool is_absent_at(const telemetry::PageReading& reading, std::size_t column) {
  return telemetry::is_absent(reading.values[column]);
}

telemetry::Refusal refusal_of(const telemetry::PageReading& reading, std::uint32_t column, Reason reason, Timestamp at) {
  const auto& s = reading.layout->table->series[column];
  const double value = reading.values[column];
  const auto gpu = s.gpu < 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(s.gpu));
  return {gpu, s.entity, s.metric, fmt::format("{}", value), reason, column, value, at};
}

}  // namespace

// ---- clocks

bool ClockSkew::note(Timestamp sent_at, Timestamp now) {
  const auto off = now - sent_at;
  const auto right = std::chrono::abs(off) <= kTolerated;
  if (right) shift_ = {};
  else if (std::chrono::abs(off - shift_) > kSticky) shift_ = off;
  const bool news = (shift_ == 0ms) != (told_ == 0ms) || std::chrono::abs(shift_ - told_) > kTolerated;
  if (news) told_ = shift_;
  return news;
}

Timestamp believed_at(const transport::HostRound& round, const transport::BatchHeader& sent, std::chrono::milliseconds shift) {
  const auto by_clock = round.at + shift;
  if (round.boot_id.empty() || round.boot_id != sent.boot_id) return by_clock;
  const auto passed = sent.sent_since_boot - round.since_boot;
  const bool counts = passed >= 0ms && passed < 365 * 24h;
  const auto by_kernel = sent.sent_at + shift - passed;
  return counts && std::chrono::abs(by_kernel - by_clock) > ClockSkew::kTolerated ? by_kernel : by_clock;
}

// ---- one host

AgentSource::AgentSource(std::string host, Settings settings, Ingest& ingest, Timestamp now)
    : host_(std::move(host)),
      name_("agent/" + host_),
      settings_(settings),
      ingest_(ingest),
      target_{host_, {}, nullptr},
      pace_(settings.interval),
      heard_(now) {
  target_.labels["host"] = host_;
  state_.trust = &ingest.trust().source(name_);
  place({});
}

void AgentSource::place(const telemetry::LabelMap& labels) {
  for (const auto* name : {"region", "datacenter", "rack"})
    if (const auto said = labels.find(name); said != labels.end()) target_.labels[name] = said->second;
  state_.saw = sighting_of(target_, nullptr, settings_.simulated || simulated_, pace_.interval(), heard_);
  state_.saw.source = name_;
}

bool AgentSource::is_late(Timestamp at, Timestamp now) const {
  return now - at > fleet::kIntervalsUntilSilent * pace_.interval();
}

void AgentSource::take(transport::HostRound& round, Timestamp at, Timestamp oldest, Timestamp now, const std::string& key, ToKeep& out) {
  simulated_ |= !round.simulated.empty();
  state_.saw.simulated = settings_.simulated || simulated_;
  auto& reading = round.readings;
  const bool late = is_late(at, now);
  if (reading.layout) {
    take_layout(round);
    reading.layout = layout_;
    for (auto& [column, stamp] : reading.stamps) stamp += at - round.at;
  }
  const bool future = at > now + kFuture;
  if (reading.layout && (future || at < oldest)) {
    refuse_all(round, at, future ? Reason::future : Reason::too_old, now, out);
  } else if (reading.layout) {
    pace_.note(at);
    state_.saw.at = at;
    state_.saw.interval = pace_.interval();
    ingest_.settle(state_, reading, boards_of(round, at, late), at);
    late ? judge_late(reading, at, now, out) : judge(reading, at, out);
    ingest_.watch(state_, reading);
    ingest_.show(state_, reading, at);
    if (!late) ingest_.notice_signs(state_, at, out);
    out.rows.push_back(ingest_.row(state_, reading, at));
    out.rows.back().source = name_;
  } else if (!round.trouble.empty() && !late && !future) {
    state_.saw.at = at;
    ingest_.ledger().no_answer(state_.saw, round.trouble);
  }
  if (!future && at >= oldest) take_jobs(round, at);
  take_events(round, at, now, key, out);
  take_snapshots(round, at, now, key, out);
}

// What runs is told by take_jobs(), so that a job that starts is no new layout.
void AgentSource::take_layout(const transport::HostRound& round) {
  if (round.readings.layout == said_layout_) return;
  said_layout_ = round.readings.layout;
  layout_ = ingest_.layouts()->layout({nullptr, said_layout_->gpus, {}}, *said_layout_->table);
  jobs_known_ = false;
}

void AgentSource::refuse_all(const transport::HostRound& round, Timestamp at, Reason reason, Timestamp now, ToKeep& out) {
  Refusals refused;
  for (std::uint32_t i = 0; i < round.readings.values.size(); ++i)
    if (!is_absent_at(round.readings, i)) refused.push_back(refusal_of(round.readings, i, reason, at));
  for (const auto& r : refused) ingest_.count_refused(name_, r);
  if (state_.layout == layout_) ingest_.trust().keep_refused(*state_.trust, refused, now, out.records);
}

std::vector<BoardId> AgentSource::boards_of(const transport::HostRound&, Timestamp at, bool late) {
  return late ? late_boards(at) : ingest_.ledger().sight(state_.saw, layout_->gpus);
}

std::vector<BoardId> AgentSource::late_boards(Timestamp at) {
  auto& ledger = ingest_.ledger();
  const bool host_known = ledger.host_id(host_) != BoardId::none;
  if (host_known && layout_ == state_.layout) return state_.boards;
  std::vector<BoardId> boards;
  std::vector<std::size_t> fresh;
  std::vector<telemetry::GpuIdentity> names;
  for (std::size_t g = 0; g < layout_->gpus.size(); ++g) {
    const auto& gpu = layout_->gpus[g];
    boards.push_back(board_of({gpu.uuid, gpu.serial, gpu.pci_bus_id}));
    if (boards.back() != BoardId::none) continue;
    fresh.push_back(g);
    names.push_back(gpu);
  }
  if (fresh.empty() && host_known) return boards;
  auto saw = state_.saw;
  saw.source = name_ + "#late";
  saw.at = at;
  const auto ids = ledger.sight(saw, names);
  for (std::size_t i = 0; i < fresh.size(); ++i) boards[fresh[i]] = ids[i];
  return boards;
}

void AgentSource::judge(telemetry::PageReading& reading, Timestamp at, ToKeep& out) {
  auto verdict = ingest_.trust().judge(*state_.trust, reading, {at, {}, state_.columns.refused, ingest_.ledger()});
  count(reading, verdict.duplicates);
  std::ranges::move(ingest_.event_records(verdict.events), std::back_inserter(out.records));
  std::ranges::move(verdict.records, std::back_inserter(out.records));
}

void AgentSource::judge_late(telemetry::PageReading& reading, Timestamp at, Timestamp now, ToKeep& out) {
  const Trust::Page page{at, {}, state_.columns.refused, ingest_.ledger()};
  auto verdict = ingest_.trust().judge_part(*state_.trust, reading, page, true);
  ingest_.trust().watch_parts(*state_.trust, reading, page, verdict);
  for (auto& r : reading.refused)
    if (!r.at) r.at = at;
  count(reading, {});
  ingest_.trust().keep_refused(*state_.trust, reading.refused, now, out.records);
  std::ranges::move(ingest_.event_records(verdict.events), std::back_inserter(out.records));
}

void AgentSource::count(const telemetry::PageReading& reading, const Refusals& duplicates) {
  std::size_t refused = 0;
  const Refusals* const lists[] = {&reading.refused, &state_.columns.refused, &duplicates};
  for (const auto* all : lists) {
    for (const auto& r : *all) ingest_.count_refused(name_, r);
    refused += all->size();
  }
  ingest_.count_accepted(reading.values.size() - std::min(reading.values.size(), refused), reading.unknown_lines);
}

// ---- what else it says

BoardId AgentSource::board_of(const transport::GpuName& gpu) const {
  return find_board(gpu, host_, state_, std::as_const(ingest_).ledger());
}

void AgentSource::take_events(const transport::HostRound& round, Timestamp at, Timestamp now, const std::string& key, ToKeep& out) {
  for (std::size_t i = 0; i < round.events.size(); ++i) {
    auto event = ledger_event(round.events[i], at - round.at, now);
    event.board = board_of(round.events[i].gpu);
    event.host = host_;
    if (is_told_by_another_round(event, key)) continue;
    if (event.code != 0 && event.board != BoardId::none) ingest_.score_soon(event.board);
    auto record = agent_record(event, std::as_const(ingest_).ledger().find(event.board), fmt::format("{}-{}", key, i));
    if (event.kind == "xid" && event.board != BoardId::none && is_by_kernel(event.fields))
      record.key = ingest_.xid_witnesses().line_told(event.board, event.code, event.at, record.key);
    out.records.push_back(std::move(record));
  }
  if (round.host == facts_) return;
  facts_ = round.host;
  out.records.push_back(host_facts_record(host_, facts_, at));
}

// An agent that was killed between telling a line and remembering that reads it again. The kernel numbers its records.
bool AgentSource::is_told_by_another_round(const fleet::FleetEvent& event, const std::string& round) {
  const auto field = [&](const char* name) {
    const auto found = event.fields.find(name);
    return found == event.fields.end() ? std::string() : found->second;
  };
  if (field("boot_id").empty() || field("seq").empty()) return false;
  return is_line_of_another_round(
      fmt::format("{} {} {} {} {} {}", field("boot_id"), field("seq"), event.kind, event.code, field("pci_bus_id"), field("repeats")),
      round);
}

bool AgentSource::is_line_of_another_round(std::string line, const std::string& round) {
  const auto known = std::ranges::find(lines_, line, &Line::first);
  if (known != lines_.end()) return known->second != round;  // the same round comes again when it could not be kept
  if (lines_.size() >= kMostLines) lines_.pop_front();
  lines_.emplace_back(std::move(line), round);
  return false;
}

// Kept with the round's rows: the agent forgets them when they are durable.
void AgentSource::take_snapshots(const transport::HostRound& round, Timestamp at, Timestamp now, const std::string& key, ToKeep& out) {
  for (std::size_t i = 0; i < round.snapshots.size(); ++i) {
    const auto& s = round.snapshots[i];
    if (is_line_of_another_round(fmt::format("snapshot {} {} {} {}", s.id, s.part, s.gpu.uuid, s.gpu.pci_bus_id), key)) continue;
    const auto when = std::min(s.at + (at - round.at), now);
    const auto board = board_of(s.gpu);
    const auto* known = std::as_const(ingest_).ledger().find(board);
    out.records.push_back(evidence_record(s, host_, known, when, fmt::format("{}-{}", key, i)));
    if (s.part != "sign") continue;
    fleet::FleetEvent event{when, "evidence_taken", board, host_,
                            fmt::format("the agent wrote down the state of {} and the kernel's lines around the fault: a reboot loses none "
                                        "of them",
                                        s.gpu.is_host() ? "the host" : "this GPU")};
    event.fields = {{"id", s.id}};
    out.records.push_back(agent_record(event, known, fmt::format("{}-s{}", key, i)));
  }
}

void AgentSource::take_jobs(const transport::HostRound& round, Timestamp at) {
  if (!state_.layout || (jobs_known_ && round.jobs == jobs_)) return;
  std::vector<BoardId> boards;
  std::vector<telemetry::Workload> work;
  for (const auto& [board, held] : held_by_board(round, *said_layout_, state_.boards, [this](const auto& gpu) { return board_of(gpu); })) {
    for (const auto& [kind, values] : held) ingest_.ledger().note_held(board, kind, values, at);
    boards.push_back(board);
    work.push_back(workload_of(held));
  }
  ingest_.show_work(boards, work);
  jobs_ = round.jobs;
  jobs_known_ = true;
}

void AgentSource::tell(const char* kind, Timestamp at, std::string detail, fleet::Facts fields, ToKeep& out) {
  fleet::FleetEvent event{at, kind, BoardId::none, host_, std::move(detail)};
  event.fields = std::move(fields);
  std::ranges::move(ingest_.event_records({event}), std::back_inserter(out.records));
}

void AgentSource::note_skew(std::chrono::milliseconds shift, Timestamp at) {
  const auto host = ingest_.ledger().host_id(host_);
  if (host == BoardId::none) return;
  std::vector<fleet::Held> held;
  if (shift != 0ms) held.push_back({fmt::format("{}s", std::chrono::round<std::chrono::seconds>(-shift).count()), {}});
  ingest_.ledger().note_held(host, "clock_skew", held, at);
}

}  // namespace ghm::pipeline
