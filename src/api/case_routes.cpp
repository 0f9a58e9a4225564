// Repair cases: what is done about a fault, whether it helped, and who fails again and again.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/body.h"
#include "api/params.h"
#include "api/route.h"
#include "domain/faults/action.h"
#include "domain/faults/sign.h"
#include "domain/views/board_facts.h"
#include "domain/views/case_view.h"
#include "services/case_past.h"
#include "services/case_records.h"
#include "services/cases.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostCases = 1000, kMostLookedAt = 50'000, kPage = 1000, kMostOffenders = 500;
constexpr double kMostCost = 1e9;

Result<std::uint64_t> case_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0)
    return Error{Errc::not_found, fmt::format("case '{}' is not known: a case has a number, such as 12", text.substr(0, 40))};
  return id;
}

const fleet::CaseBook::Gap* gap_of(const services::KeptCase& kept) {
  return kept.gap ? &*kept.gap : nullptr;
}

Result<services::KeptCase> read_case(const World& world, std::uint64_t id) {
  const auto record = world.records.get("case", services::case_key(id));
  if (!record) return record.error();
  if (!*record) return Error{Errc::not_found, fmt::format("case {} is not known", id)};
  return services::parse_case(**record);
}

Result<views::Json> detail_of(const World& world, const views::FleetSnapshot& fleet, std::uint64_t id, Timestamp now) {
  const auto kept = read_case(world, id);
  if (!kept) return kept.error();
  const auto past = services::case_past(world.records, kept->it, fleet, now);
  if (!past) return past.error();
  return views::case_detail(kept->it, gap_of(*kept), *past, now);
}

struct Filter {
  std::string state = "active", gpu, host;
};

bool passes(const fleet::RepairCase& c, const Filter& f) {
  const bool state = f.state == "all" || (f.state == "active" ? c.is_active() : to_string(c.state) == f.state);
  const bool gpu = f.gpu.empty() || c.gpu == f.gpu || c.subject_gpu == f.gpu;
  return state && gpu && (f.host.empty() || c.host == f.host);
}

// The state stands in the record, so that most of what does not pass need not be read whole.
bool may_pass(const store::Record& r, const Filter& f) {
  if (f.state == "all") return true;
  if (f.state == "active") return r.body.find("\"state\":\"closed\"") == r.body.npos;
  return r.body.find(fmt::format("\"state\":\"{}\"", f.state)) != r.body.npos;
}

Result<views::Json> find_cases(const Call& call, const Filter& f, std::size_t limit) {
  views::Json items = views::Json::array();
  TimeRange range{Timestamp(), call.now() + std::chrono::days(2)};
  std::set<std::string> seen;
  for (std::size_t looked = 0; looked < kMostLookedAt && items.size() < limit;) {
    const auto page = call.world->records.recent("case", range, kPage);
    if (!page) return page.error();
    looked += page->size();
    for (const auto& record : *page) {
      if (items.size() >= limit || !seen.insert(record.key).second || !may_pass(record, f)) continue;
      const auto kept = services::parse_case(record);
      if (kept && passes(kept->it, f)) items.push_back(views::case_item(kept->it, gap_of(*kept), call.now()));
    }
    if (page->size() < kPage) break;
    const auto next = page->back().at + 1ms;  // the same instant once more: more may lie there than a page holds
    range.to = next < range.to ? next : page->back().at;
  }
  return items;
}

/// Does `change` to the cases on their own thread, and answers with the case (its number is in `id` then) when that is durable.
void change(const Call& call, Finish finish, std::shared_ptr<std::uint64_t> id, int status,
            std::function<services::Cases::Changed(services::Cases&)> change) {
  if (!call.world->change_cases) return finish(http::problem(503, "This server has no repair cases."));
  call.world->change_cases(std::move(change), [world = call.world, fleet = call.fleet, now = call.now(), id, status,
                                               finish = std::move(finish)](const Result<void>& kept) {
    if (!kept) return finish(problem_of(kept.error()));
    const auto detail = detail_of(*world, *fleet, *id, now);
    if (!detail) return finish(problem_of(detail.error()));
    auto answer = json_answer(*detail);
    answer.status = status;
    finish(std::move(answer));
  });
}

std::optional<double> read_cost(Body& body, std::string& wrong) {
  const auto cost = body.optional_number("cost");
  if (cost && !(*cost >= 0 && *cost <= kMostCost)) wrong = "cost: expected 0 to 1,000,000,000";
  return cost;
}

Result<void> finish_body(Body& body, const std::string& wrong) {
  if (auto good = body.finish(); !good) return good;
  return wrong.empty() ? Result<void>() : Error{Errc::invalid_input, "body: " + wrong};
}

/// The number of an incident, as text or number; 0: none.
std::uint64_t read_incident(Body& body, std::string& wrong) {
  const auto text = body.optional_text("incident");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size() || id == 0))
    wrong = "incident: expected its number, such as \"17\"";
  return id;
}

Result<services::CaseToOpen> read_opening(const Call& call) {
  Body body(call.request);
  std::string wrong;
  services::CaseToOpen o;
  const auto gpu = body.optional_text("gpu");
  o.host = body.optional_text("host");
  o.incident = read_incident(body, wrong);
  o.action = body.optional_text("action");
  o.fault = body.optional_text("fault");
  o.symptom = body.optional_text("symptom");
  o.note = body.optional_text("note");
  o.due = body.optional_time("due");
  const auto days = body.optional_number("watch_days");
  if (days && (*days < fleet::kLeastWatchDays || *days > fleet::kMostWatchDays || *days != std::floor(*days)))
    wrong = fmt::format("watch_days: expected a whole number from {} to {}", fleet::kLeastWatchDays, fleet::kMostWatchDays);
  else if (days) o.watch = std::chrono::days(static_cast<int>(*days));
  if (!gpu.empty() && !o.host.empty()) wrong = "gpu, host: expected one of them";
  if (gpu.empty() && o.host.empty() && o.incident == 0) wrong = "gpu, host or incident: one of them is needed";
  if (o.action.empty() && o.incident == 0) wrong = "action: is needed where no incident says it";
  if (!o.action.empty() && !faults::action_named(o.action))
    wrong = fmt::format("action: '{}': expected one of {}", o.action.substr(0, 40), faults::action_words());
  if (!o.fault.empty() && !faults::family_named(o.fault))
    wrong = fmt::format("fault: '{}': expected a family of signs, such as memory or pcie", o.fault.substr(0, 40));
  if (auto good = finish_body(body, wrong); !good) return good.error();
  if (!gpu.empty()) {
    const auto board = board_named(*call.fleet, gpu);
    if (!board) return board.error();
    o.board = call.fleet->boards[*board].board.id;
  }
  return o;
}

Result<fleet::CaseAdvance> read_advance(const Call& call) {
  Body body(call.request);
  std::string wrong;
  fleet::CaseAdvance a;
  const auto to = body.text("to");
  const auto state = fleet::case_state_named(to);
  if (!to.empty() && (!state || *state == fleet::CaseState::open || *state == fleet::CaseState::closed))
    wrong = fmt::format("to: '{}': expected acting, testing or watching", to.substr(0, 40));
  a.to = state.value_or(fleet::CaseState::acting);
  a.note = body.optional_text("note");
  a.replaced_by = body.optional_text("replaced_by");
  a.cost = read_cost(body, wrong);
  if (const auto test = body.optional_object("test")) {
    Body inner(*test);
    a.test = fleet::CaseAdvance::Test{inner.text("name"), inner.optional_text("detail"), inner.required_flag("passed")};
    if (auto good = inner.finish(); !good) wrong = "test: " + good.error().what;
  }
  if (auto good = finish_body(body, wrong); !good) return good.error();
  return a;
}

Result<fleet::CaseTallies::By> read_by(const http::Request& request) {
  fleet::CaseTallies::By by{false, false, false};
  const auto text = request.param("by").value_or("action,fault,model");
  for (const auto& word : split_list(text)) {
    if (word == "action") by.action = true;
    else if (word == "fault") by.fault = true;
    else if (word == "model") by.model = true;
    else
      return Error{Errc::invalid_input,
                   fmt::format("by: '{}': expected any of action, fault and model, with commas between", word.substr(0, 40))};
  }
  return by;
}

}  // namespace

http::Response get_cases(const Call& call) {
  const auto limit = number_param(call.request, "limit", 100, 1, kMostCases);
  if (!limit) return problem_of(limit.error());
  Filter f;
  f.state = call.request.param("state").value_or("active");
  if (f.state != "active" && f.state != "all" && !fleet::case_state_named(f.state))
    return problem_of({Errc::invalid_input,
                       fmt::format("state: '{}': expected open, acting, testing, watching, closed, active or all", f.state.substr(0, 40))});
  f.host = call.request.param("host").value_or("");
  if (const auto gpu = call.request.param("gpu").value_or(""); !gpu.empty()) {
    const auto board = board_named(*call.fleet, gpu);
    if (!board) return problem_of(board.error());
    f.gpu = views::id_of(call.fleet->boards[*board].board);
  }
  auto items = find_cases(call, f, *limit);
  if (!items) return problem_of(items.error());
  return json_answer({{"items", std::move(*items)}, {"next", nullptr}, {"as_of", format_rfc3339(call.fleet->as_of)}});
}

http::Response get_case(const Call& call) {
  const auto id = case_id(call.id);
  if (!id) return problem_of(id.error());
  const auto detail = detail_of(*call.world, *call.fleet, *id, call.now());
  return detail ? json_answer(*detail) : problem_of(detail.error());
}

http::Response get_case_stats(const Call& call) {
  const auto by = read_by(call.request);
  if (!by) return problem_of(by.error());
  const auto now = call.world->cases ? call.world->cases() : std::make_shared<const services::CasesNow>();
  return json_answer(views::case_stats(now->tallies, *by, call.fleet->as_of));
}

http::Response get_case_offenders(const Call& call) {
  const auto limit = number_param(call.request, "limit", 50, 1, kMostOffenders);
  if (!limit) return problem_of(limit.error());
  const auto by = fleet::offender_by_named(call.request.param("by").value_or("serial"));
  if (!by) return problem_of({Errc::invalid_input, "by: expected serial, slot or host"});
  const auto days = number_param(call.request, "days", 30, 7, 90);
  if (!days) return problem_of(days.error());
  if (*days != 7 && *days != 30 && *days != 90) return problem_of({Errc::invalid_input, "days: expected 7, 30 or 90"});
  const auto now = call.now();
  const auto all = services::troubles(call.world->records, *call.fleet, {now - std::chrono::days(*days), now + std::chrono::days(1)});
  if (!all) return problem_of(all.error());
  return json_answer(views::case_offenders(fleet::repeat_offenders(*all, *by, *limit), *by, static_cast<int>(*days), call.fleet->as_of));
}

void post_case(const Call& call, Finish finish) {
  auto wanted = read_opening(call);
  if (!wanted) return finish(problem_of(wanted.error()));
  auto id = std::make_shared<std::uint64_t>(0);
  change(call, std::move(finish), id, 201,
         [id, wanted = std::move(*wanted), by = who(call), now = call.now()](services::Cases& cases) -> services::Cases::Changed {
           auto opened = cases.open(wanted, by, now);
           if (!opened) return opened.error();
           *id = opened->id;
           return std::move(opened->records);
         });
}

void post_case_advance(const Call& call, Finish finish) {
  const auto id = case_id(call.id);
  if (!id) return finish(problem_of(id.error()));
  auto advance = read_advance(call);
  if (!advance) return finish(problem_of(advance.error()));
  change(call, std::move(finish), std::make_shared<std::uint64_t>(*id), 200,
         [id = *id, a = std::move(*advance), by = who(call), now = call.now()](services::Cases& cases) {
           return cases.advance(id, a, by, now);
         });
}

void post_case_close(const Call& call, Finish finish) {
  const auto id = case_id(call.id);
  if (!id) return finish(problem_of(id.error()));
  Body body(call.request);
  std::string wrong;
  fleet::CaseClosing closing;
  if (const auto outcome = body.optional_text("outcome"); !outcome.empty()) {
    closing.outcome = fleet::case_outcome_named(outcome);
    if (!closing.outcome)
      wrong = fmt::format("outcome: '{}': expected helped, did_not_help, cannot_tell or cancelled", outcome.substr(0, 40));
  }
  closing.reason = body.optional_text("reason");
  closing.cost = read_cost(body, wrong);
  if (auto good = finish_body(body, wrong); !good) return finish(problem_of(good.error()));
  change(call, std::move(finish), std::make_shared<std::uint64_t>(*id), 200,
         [id = *id, closing, by = who(call), now = call.now()](services::Cases& cases) { return cases.close(id, closing, by, now); });
}

void post_case_note(const Call& call, Finish finish) {
  const auto id = case_id(call.id);
  if (!id) return finish(problem_of(id.error()));
  Body body(call.request);
  std::string wrong;
  const auto note = body.text("note");
  const auto cost = read_cost(body, wrong);
  if (auto good = finish_body(body, wrong); !good) return finish(problem_of(good.error()));
  change(call, std::move(finish), std::make_shared<std::uint64_t>(*id), 200,
         [id = *id, note, cost, by = who(call), now = call.now()](services::Cases& cases) { return cases.note(id, note, cost, by, now); });
}

}  // namespace ghm::api
