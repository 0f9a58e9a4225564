#include "services/incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "domain/telemetry/model_catalogue.h"
#include "pipeline/agent_events.h"
#include "pipeline/ledger_records.h"
#include "services/incident_records.h"

namespace ghm::services {
namespace {

using namespace faults;

constexpr std::size_t kMostSeen = 65'536, kPage = 1000, kMostFeedback = 20'000;
constexpr auto kNewDriver = std::chrono::days(7);
constexpr auto kLookEvery = 15s;
constexpr double kAtWork = 20;  // % utilisation
constexpr auto kWorkedWell = 10min;
constexpr auto kHostsAreNews = 5s;

// Over for so long that the book would forget it at once: years of those are not worth reading.
bool is_history(const store::Record& r, Timestamp now) {
  return now - r.at > BookLimits{}.remember_cleared && r.body.find(R"("state":"open")") == r.body.npos;
}

std::uint64_t number_of(const store::Record& r) {
  std::uint64_t n = 0;
  std::from_chars(r.key.data(), r.key.data() + r.key.size(), n);
  return n;
}

}  // namespace

Incidents::Incidents(const fleet::Ledger& ledger, std::shared_ptr<const FaultCatalogue> codes, Log log)
    : ledger_(ledger), codes_(std::move(codes)), log_(std::move(log)), book_(CauseTable::built_in(), *codes_) {}

Result<void> Incidents::restore(const store::RecordStore& records, Timestamp now) {
  std::vector<Incident> incidents;
  std::uint64_t last_id = 0;
  for (std::string after;;) {
    const auto page = records.scan("incident", "", after, kPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      after = r.key;
      last_id = std::max(last_id, number_of(r));
      if (is_history(r, now)) continue;
      auto incident = parse_incident(r);
      if (incident) incidents.push_back(std::move(*incident));
      else ++stats_.unreadable;
    }
    if (page->size() < kPage) break;
  }
  std::vector<Feedback> words;
  const auto said = records.recent("incident_feedback", {Timestamp(), now + std::chrono::days(2)}, kMostFeedback);
  if (!said) return said.error();
  for (const auto& r : *said)
    if (auto f = parse_feedback(r)) words.push_back(std::move(*f));
    else ++stats_.unreadable;
  book_.restore(std::move(incidents), words, last_id);
  book_.forget(now);
  const auto changes = records.recent("event", {now - kNewDriver, now}, 5000);
  if (!changes) return changes.error();
  for (const auto& r : *changes) note(r);
  for (std::string after;;) {
    const auto page = records.scan("open", "", after, kPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      after = r.key;
      note(r);
    }
    if (page->size() < kPage) break;
  }
  if (stats_.unreadable > 0) log_.warn("incidents.unreadable", {{"records", std::to_string(stats_.unreadable)}});
  return {};
}

// What is known beside events: which job runs where, whose driver is new.
void Incidents::note(const store::Record& r) {
  if (r.kind == "open") note_jobs(r);
  if (r.kind != "event" || r.body.find("\"driver_change") == r.body.npos) return;
  if (const auto h = heard(r)) driver_changes_[h->host] = std::max(driver_changes_[h->host], h->at);
}

void Incidents::note_jobs(const store::Record& r) {
  const auto intervals = pipeline::parse_intervals(r);
  if (!intervals || intervals->empty()) return;
  std::string job;
  std::set<std::string> all;
  for (const auto& i : *intervals) {
    if (i.kind == "job" || (i.kind == "pod" && job.empty())) job = i.value;
    if (i.kind == "job") all.insert(i.value);
    if (i.kind == "pod") all.insert(i.value.substr(0, i.value.find('/', i.value.find('/') + 1)));  // the containers of a pod end together
  }
  const auto board = intervals->front().board;
  if (job.empty()) jobs_.erase(board);
  else jobs_[board] = std::move(job);
  const auto* known = ledger_.find(board);
  job_ends_.runs(board, known != nullptr ? known->host : std::string(), std::move(all), r.at);
}

// Ten thousand signs in a storm must not walk over ten thousand boards each.
const Incidents::OnHost& Incidents::on_host(const std::string& host, Timestamp now) {
  if (!hosts_.contains(host) || std::chrono::abs(now - hosts_at_) > kHostsAreNews) {
    hosts_.clear();
    for (const auto& [id, b] : ledger_.boards()) {
      if (!b.in_service) continue;
      auto& h = hosts_[b.host];
      ++h.boards;
      if (h.driver.empty()) h.driver = b.driver_version;
    }
    hosts_at_ = now;
  }
  return hosts_[host];
}

Where Incidents::where(BoardId id, const std::string& host, Timestamp at) {
  Where w;
  if (const auto* b = ledger_.find(id)) {
    w.gpu = b->serial.empty() ? b->uuid : b->serial;
    w.driver = b->driver_version;
    w.simulated = b->simulated;
    w.rack = b->place.rack;
    if (const auto* model = telemetry::ModelCatalogue::built_in().find(b->model)) w.architecture = model->architecture;
    // Boards of NVL72-like racks share one NVLink domain.
    if (b->model.find("GB200") != b->model.npos || b->model.find("GB300") != b->model.npos) w.fabric = b->place.rack;
    if (b->asset != nullptr)
      if (const auto feed = b->asset->attributes.find("power_feed"); feed != b->asset->attributes.end()) w.feed = feed->second;
  }
  if (const auto h = ledger_.hosts().find(host); h != ledger_.hosts().end()) {
    if (w.rack.empty()) w.rack = h->second.place.rack;
    w.simulated |= h->second.simulated;
  }
  const auto& around = on_host(host, now_);
  w.boards_on_host = around.boards;
  if (w.driver.empty()) w.driver = around.driver;
  if (const auto job = jobs_.find(id); job != jobs_.end()) w.job = job->second;
  if (const auto change = driver_changes_.find(host); change != driver_changes_.end())
    w.new_driver = at >= change->second && at - change->second <= kNewDriver;
  return w;
}

bool Incidents::is_new(const std::string& id) {
  if (!seen_.insert(id).second) return false;
  seen_order_.push_back(id);
  if (seen_order_.size() > kMostSeen) {
    seen_.erase(seen_order_.front());
    seen_order_.pop_front();
  }
  return true;
}

void Incidents::hear(const Heard& h) {
  ++stats_.events;
  const auto reading = read(h, {}, *codes_);                     // cheap: most events tell nothing
  const bool is_numbered = h.kind == "sxid" || h.kind == "xid";  // by the driver: another numbering may tell something
  if (std::holds_alternative<std::monostate>(reading) && !is_numbered) return;
  const auto known = read(h, where(h.board, h.host, h.at), *codes_);
  if (const auto* ending = std::get_if<EndingSeen>(&known)) return book_.end(*ending);
  const auto* sign = std::get_if<Sign>(&known);
  if (sign == nullptr) return;
  if (h.kind != "anomaly") job_ends_.hear(*sign);  // a detector speaks minutes after the fault: no job ends by that
  const auto opened = book_.counts().opened;
  const auto id = book_.observe(*sign);
  if (book_.counts().opened == opened) return;
  const auto* incident = book_.find(id);
  if (incident != nullptr) log_.info("incident.opened", {{"id", std::to_string(id)}, {"place", incident->place()}, {"sign", sign->text}});
}

void Incidents::take(std::vector<store::Record>& records, Timestamp now) {
  now_ = now;
  const auto came = records.size();
  for (std::size_t n = 0; n < came; ++n) {
    const auto& r = records[n];
    if (r.kind != "event" && r.kind != "open") continue;
    note(r);
    // The kernel's line takes the place of the gauge's event: the same key, but more is said.
    if (r.kind != "event" || !is_new(fmt::format("{} {:x}", r.key, std::hash<std::string>()(r.body)))) continue;
    if (const auto h = heard(r)) hear(*h);
  }
  tell_job_ends(records);
  take_changed(records);
}

void Incidents::tell_job_ends(std::vector<store::Record>& out) {
  for (const auto& end : job_ends_.take()) {
    const auto* board = ledger_.find(end.sign.board);
    fleet::FleetEvent e{end.at, "job_ended_with_fault", end.sign.board, end.sign.host, end.sentence()};
    e.fields["job"] = end.job;
    out.push_back(pipeline::agent_record(e, board, fmt::format("job-{:016x}", std::hash<std::string>()(end.job))));
    const auto& r = out.back();
    if (!is_new(fmt::format("{} {:x}", r.key, std::hash<std::string>()(r.body)))) continue;
    if (const auto h = heard(r)) hear(*h);
  }
}

void Incidents::take_changed(std::vector<store::Record>& out) {
  for (const auto* i : book_.take_changed()) out.push_back(to_record(*i, book_.ranking(*i), book_.causes()));
}

// Work without a sign is evidence that a program's fault is over; nothing else is said by silence.
void Incidents::note_work(const views::FleetSnapshot& fleet, Timestamp now) {
  std::unordered_map<BoardId, Timestamp> wanted;  // boards that work could clear, and their newest sign
  for (const auto* i : book_.all()) {
    if (!i->is_open()) break;  // open ones come first
    for (const auto& p : i->parts)
      if (p.board != BoardId::none && p.is_open()) wanted[p.board] = std::max(wanted[p.board], i->last);
  }
  std::erase_if(busy_since_, [&](const auto& b) { return !wanted.contains(b.first); });
  if (wanted.empty()) return;
  for (const auto& v : fleet.boards) {
    const auto want = wanted.find(v.board.id);
    if (want == wanted.end()) continue;
    if (v.silent || !v.utilisation || *v.utilisation < kAtWork) {
      busy_since_.erase(v.board.id);
      continue;
    }
    auto& since = busy_since_.try_emplace(v.board.id, now).first->second;
    since = std::max(since, want->second);
    if (now - since < kWorkedWell) continue;
    book_.end({fmt::format("work-{}", to_unix_ms(now)),
               now,
               Ending::job_ran,
               v.board.id,
               v.board.host,
               "it has worked for ten minutes since",
               {}});
    since = now;
  }
}

std::vector<store::Record> Incidents::tick(const views::FleetSnapshot& fleet, Timestamp now) {
  if (now < next_look_ && next_look_ - now <= kLookEvery) return {};
  next_look_ = now + kLookEvery;
  note_work(fleet, now);
  std::vector<store::Record> out;
  take_changed(out);
  book_.forget(now);
  std::erase_if(driver_changes_, [&](const auto& c) { return now - c.second > kNewDriver; });
  return out;
}

Result<std::vector<store::Record>> Incidents::clear(std::uint64_t id, std::string by, std::string why, Timestamp now) {
  if (auto done = book_.clear(id, std::move(by), std::move(why), now); !done) return done.error();
  std::vector<store::Record> out;
  take_changed(out);
  return out;
}

Result<std::vector<store::Record>> Incidents::feedback(std::uint64_t id, std::string_view cause, bool right, std::string by,
                                                       std::string note, Timestamp now) {
  auto said = book_.feedback(id, cause, right, std::move(by), std::move(note), now);
  if (!said) return said.error();
  std::vector<store::Record> out{to_record(*said, ++feedback_sequence_)};
  take_changed(out);
  return out;
}

IncidentStats Incidents::stats() const {
  auto out = stats_;
  out.book = book_.counts();
  return out;
}

}  // namespace ghm::services
