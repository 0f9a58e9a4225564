// What went wrong and why: incidents, a board's timeline, and what operators say about both.
#include <fmt/format.h>

#include <charconv>

#include "api/body.h"
#include "api/params.h"
#include "api/route.h"
#include "domain/store/subjects.h"
#include "domain/views/case_view.h"
#include "domain/views/incident_view.h"
#include "services/case_past.h"
#include "services/cases.h"
#include "services/incident_records.h"
#include "services/incidents.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostIncidents = 1000, kMostLookedAt = 50'000, kPage = 1000;
constexpr std::size_t kLongestWord = 500;

/// The number in a path: incidents are counted from 1.
Result<std::uint64_t> incident_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0)
    return Error{Errc::not_found, fmt::format("incident '{}' is not known: an incident has a number, such as 17", text.substr(0, 40))};
  return id;
}

struct Filter {
  std::string state = "all", gpu, host, rack;
};

bool passes(const views::Json& item, const Filter& f, const std::string& serial, std::string_view body) {
  if (f.state != "all" && item["state"] != f.state) return false;
  // The body names every part; a row only the first.
  const auto named = [&](const char* key, const std::string& name) {
    if (name.empty()) return true;
    const auto text = views::Json(name).dump(-1, ' ', false, views::Json::error_handler_t::replace);
    return body.find(fmt::format("\"{}\":{}", key, text)) != body.npos;
  };
  return named("gpu", serial) && named("host", f.host) && named("rack", f.rack);
}

// The part of a filter that reads least, as the store's index knows it; empty: all incidents are looked at.
std::string subject_of(const Filter& f, std::optional<telemetry::BoardId> board) {
  if (board) return store::board_subject(*board);
  if (!f.host.empty()) return store::host_subject(f.host);
  return f.rack.empty() ? std::string() : store::rack_subject(f.rack);
}

/// The newest incidents that pass, from pages of records.
Result<views::Json> find_incidents(const Call& call, const Filter& f, const std::string& serial, const std::string& subject,
                                   std::size_t limit) {
  views::Json items = views::Json::array();
  TimeRange range{Timestamp(), call.now() + std::chrono::days(2)};
  const auto& records = call.world->records;
  std::set<std::string> seen;
  for (std::size_t looked = 0; looked < kMostLookedAt && items.size() < limit;) {
    const auto page = subject.empty() ? records.recent("incident", range, kPage) : records.about("incident", subject, range, kPage);
    if (!page) return page.error();
    looked += page->size();
    for (const auto& record : *page) {
      if (items.size() >= limit || !seen.insert(record.key).second) continue;
      if (f.state == "open" && record.body.find("\"state\":\"open\"") == record.body.npos) continue;
      auto item = views::incident_item(record);
      if (item && passes(*item, f, serial, record.body)) items.push_back(std::move(*item));
    }
    if (page->size() < kPage) break;
    const auto next = page->back().at + 1ms;  // the same instant once more: more may lie there than a page holds
    range.to = next < range.to ? next : page->back().at;
  }
  return items;
}

// What helped before against this fault on boards of this model.
views::Json helped_before(const World& world, const views::FleetSnapshot& fleet, const store::Record& record) {
  const auto incident = services::parse_incident(record);
  if (!world.cases || !incident || incident->parts.empty()) return views::Json::array();
  const auto& first = incident->parts.front();
  std::string model;
  for (const auto& v : fleet.boards)
    if (v.board.id == first.board || (first.board == fleet::BoardId::none && v.board.host == first.host && model.empty()))
      model = v.board.model;
  const auto family = faults::EvidenceTable::built_in()[faults::facts_of(*incident).leading].family;
  return views::what_helped(world.cases()->tallies.what_helped(std::string(faults::to_string(family)), model, incident->simulated));
}

Result<views::Json> detail_of(const World& world, const views::FleetSnapshot& fleet, const store::Record& record) {
  auto detail = views::incident_detail(record);
  if (detail) (*detail)["what_helped"] = helped_before(world, fleet, record);
  return detail;
}

/// Does `change` to the incidents on their own thread, and answers with the incident when that is durable.
void change(const Call& call, Finish finish, std::uint64_t id,
            std::function<Result<std::vector<store::Record>>(services::Incidents&)> change) {
  if (!call.world->change_incidents) return finish(http::problem(503, "This server has no incidents."));
  call.world->change_incidents(std::move(change),
                               [world = call.world, fleet = call.fleet, id, finish = std::move(finish)](const Result<void>& kept) {
                                 if (!kept) return finish(problem_of(kept.error()));
                                 const auto record = world->records.get("incident", fmt::format("{:010}", id));
                                 if (!record) return finish(problem_of(record.error()));
                                 if (!*record) return finish(http::problem(500, "The incident is not on disk."));
                                 const auto detail = detail_of(*world, *fleet, **record);
                                 finish(detail ? json_answer(*detail) : problem_of(detail.error()));
                               });
}

}  // namespace

http::Response get_incidents(const Call& call) {
  const auto limit = number_param(call.request, "limit", 100, 1, kMostIncidents);
  if (!limit) return problem_of(limit.error());
  Filter f;
  f.state = call.request.param("state").value_or("all");
  if (f.state != "all" && f.state != "open" && f.state != "cleared")
    return problem_of({Errc::invalid_input, fmt::format("state: '{}': expected open, cleared or all", f.state.substr(0, 40))});
  f.gpu = call.request.param("gpu").value_or("");
  f.host = call.request.param("host").value_or("");
  f.rack = call.request.param("rack").value_or("");
  std::string serial;
  std::optional<telemetry::BoardId> id;
  if (!f.gpu.empty()) {
    const auto board = board_named(*call.fleet, f.gpu);
    if (!board) return problem_of(board.error());
    const auto& b = call.fleet->boards[*board].board;
    serial = b.serial.empty() ? b.uuid : b.serial;
    id = b.id;
  }
  auto items = find_incidents(call, f, serial, subject_of(f, id), *limit);
  if (!items) return problem_of(items.error());
  return json_answer({{"items", std::move(*items)}, {"next", nullptr}, {"as_of", format_rfc3339(call.fleet->as_of)}});
}

http::Response get_incident(const Call& call) {
  const auto id = incident_id(call.id);
  if (!id) return problem_of(id.error());
  const auto record = call.world->records.get("incident", fmt::format("{:010}", *id));
  if (!record) return problem_of(record.error());
  if (!*record) return problem_of({Errc::not_found, fmt::format("incident {} is not known", *id)});
  const auto detail = detail_of(*call.world, *call.fleet, **record);
  return detail ? json_answer(*detail) : problem_of(detail.error());
}

http::Response get_gpu_timeline(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  const auto limit = number_param(call.request, "limit", 500, 1, 5000);
  if (!limit) return problem_of(limit.error());
  const auto range = range_param(call.request, call.now(), std::chrono::days(7), std::chrono::days(3650));
  if (!range) return problem_of(range.error());
  const auto& b = call.fleet->boards[*board].board;
  // An incident's record carries its newest step: one that began in the range may have changed behind it.
  const TimeRange changed{range->from, call.now() + std::chrono::days(2)};
  std::vector<store::Record> events, incidents;
  std::set<std::string> seen;
  // One more of each than is shown: so the answer knows that there is more.
  for (const auto& [kind, subject, within, into] : {std::tuple{"event", store::board_subject(b.id), *range, &events},
                                                    {"event", store::host_itself_subject(b.host), *range, &events},
                                                    {"incident", store::board_subject(b.id), changed, &incidents},
                                                    {"incident", store::host_subject(b.host), changed, &incidents}}) {
    auto some = call.world->records.about(kind, subject, within, *limit + 1);
    if (!some) return problem_of(some.error());
    for (auto& r : *some)
      if (seen.insert(r.kind + r.key).second) into->push_back(std::move(r));
  }
  const auto cases = services::cases_of(call.world->records, b, range->from, call.now());
  if (!cases) return problem_of(cases.error());
  std::vector<std::pair<Timestamp, views::Json>> repairs;
  for (const auto& c : *cases) std::ranges::move(views::case_timeline(c, *range), std::back_inserter(repairs));
  return json_answer(views::gpu_timeline(*call.fleet, *board, events, incidents, *range, *limit, std::move(repairs)));
}

void post_incident_feedback(const Call& call, Finish finish) {
  const auto id = incident_id(call.id);
  if (!id) return finish(problem_of(id.error()));
  Body body(call.request);
  const auto cause = body.text("cause"), verdict = body.text("verdict");
  const auto note = body.optional_text("note");
  if (auto good = body.finish(); !good) return finish(problem_of(good.error()));
  if (verdict != "right" && verdict != "wrong")
    return finish(problem_of({Errc::invalid_input, fmt::format("verdict: '{}': expected right or wrong", verdict.substr(0, 40))}));
  change(call, std::move(finish), *id,
         [id = *id, cause, right = verdict == "right", note = note.substr(0, kLongestWord), by = who(call),
          now = call.now()](services::Incidents& incidents) { return incidents.feedback(id, cause, right, by, note, now); });
}

void post_incident_clear(const Call& call, Finish finish) {
  const auto id = incident_id(call.id);
  if (!id) return finish(problem_of(id.error()));
  Body body(call.request);
  const auto reason = body.text("reason");
  if (auto good = body.finish(); !good) return finish(problem_of(good.error()));
  change(call, std::move(finish), *id,
         [id = *id, reason = reason.substr(0, kLongestWord), by = who(call), now = call.now()](services::Incidents& incidents) {
           return incidents.clear(id, by, reason, now);
         });
}

}  // namespace ghm::api
