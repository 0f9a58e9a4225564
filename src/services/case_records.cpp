#include "services/case_records.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace ghm::services {
namespace {

using namespace fleet;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostMs = 8'640'000'000'000;  // year 2243, and 274 years of a span: sums stay far from the end of the numbers

void put(Json& out, const char* name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

std::uint32_t number_of(BoardId id) {
  return static_cast<std::uint32_t>(id);
}

Json step_json(const CaseStep& s) {
  Json out = {{"at", to_unix_ms(s.at)}, {"what", to_string(s.what)}, {"from", to_string(s.from)}, {"to", to_string(s.to)}};
  put(out, "note", s.note);
  put(out, "by", s.by);
  put(out, "subject", s.subject);
  put(out, "installed", s.installed);
  if (s.board != BoardId::none) out["board"] = number_of(s.board);
  if (s.unwatched > 0ms) out["unwatched"] = s.unwatched.count();
  if (s.cost) out["cost"] = *s.cost;
  if (s.outcome) out["outcome"] = to_string(*s.outcome);
  return out;
}

Json opening_json(const CaseOpening& o) {
  Json out = {{"id", o.id}, {"action", o.action}, {"opened", to_unix_ms(o.opened)}, {"watch", o.watch.count()}};
  const std::pair<const char*, const std::string*> texts[] = {{"gpu", &o.gpu},         {"host", &o.host},          {"slot", &o.slot},
                                                              {"pci", &o.pci},         {"model", &o.model},        {"fault", &o.fault},
                                                              {"symptom", &o.symptom}, {"opened_by", &o.opened_by}};
  for (const auto& [name, text] : texts) put(out, name, *text);
  if (o.board != BoardId::none) out["board"] = number_of(o.board);
  if (o.incident != 0) out["incident"] = o.incident;
  if (o.due) out["due"] = to_unix_ms(*o.due);
  if (o.simulated) out["simulated"] = true;
  return out;
}

// ---- and back: `good` is false from the first member on that is not what it should be

struct Reader {
  const Json& j;
  bool good = true;

  const Json* find(const char* name) const {
    const auto it = j.find(name);
    return it == j.end() ? nullptr : &*it;
  }
  std::string text(const char* name) {
    const auto* v = find(name);
    if (v == nullptr) return {};
    good = good && v->is_string();
    return v->is_string() ? v->get<std::string>() : std::string();
  }
  std::uint64_t number(const char* name, std::uint64_t most) {
    const auto* v = find(name);
    if (v == nullptr) return 0;
    const bool fine = v->is_number_unsigned() && v->get<std::uint64_t>() <= most;
    good = good && fine;
    return fine ? v->get<std::uint64_t>() : 0;
  }
  BoardId board() { return static_cast<BoardId>(number("board", 0xffff'ffff)); }
  Timestamp time(const char* name) {
    const auto* v = find(name);
    const bool fine = v != nullptr && v->is_number_integer() && std::abs(v->get<double>()) <= static_cast<double>(kMostMs);
    good = good && fine;
    return fine ? from_unix_ms(v->get<std::int64_t>()) : Timestamp();
  }
  std::optional<Timestamp> optional_time(const char* name) { return find(name) == nullptr ? std::nullopt : std::optional(time(name)); }
  std::chrono::milliseconds span(const char* name) { return std::chrono::milliseconds(number(name, kMostMs)); }
  template <class T>
  T word(const char* name, std::optional<T> (*named)(std::string_view)) {
    const auto found = named(text(name));
    good = good && found.has_value();
    return found.value_or(T{});
  }
};

CaseStep parse_step(const Json& j, bool& good) {
  Reader in{j};
  CaseStep s{.at = in.time("at"),
             .what = in.word("what", case_step_named),
             .from = in.word("from", case_state_named),
             .to = in.word("to", case_state_named),
             .note = in.text("note"),
             .by = in.text("by"),
             .subject = in.text("subject"),
             .installed = in.text("installed"),
             .board = in.board(),
             .unwatched = in.span("unwatched")};
  if (const auto* cost = in.find("cost"); cost != nullptr) {
    in.good = in.good && cost->is_number() && std::isfinite(cost->get<double>());
    if (in.good) s.cost = cost->get<double>();
  }
  if (in.find("outcome") != nullptr) s.outcome = in.word("outcome", case_outcome_named);
  good = good && in.good;
  return s;
}

CaseOpening parse_opening(Reader& in) {
  CaseOpening o;
  o.id = in.number("id", std::numeric_limits<std::int64_t>::max());
  o.board = in.board();
  o.gpu = in.text("gpu");
  o.host = in.text("host");
  o.slot = in.text("slot");
  o.pci = in.text("pci");
  o.model = in.text("model");
  o.fault = in.text("fault");
  o.incident = in.number("incident", std::numeric_limits<std::int64_t>::max());
  o.symptom = in.text("symptom");
  o.action = in.text("action");
  o.opened = in.time("opened");
  o.due = in.optional_time("due");
  o.watch = in.span("watch");
  o.opened_by = in.text("opened_by");
  o.simulated = in.find("simulated") != nullptr;
  return o;
}

std::optional<CaseBook::Gap> parse_gap(Reader& in) {
  const auto* gap = in.find("unseen");
  if (gap == nullptr) return std::nullopt;
  in.good = in.good && gap->is_object();
  if (!in.good) return std::nullopt;
  Reader inner{*gap};
  CaseBook::Gap out{inner.time("since"), inner.text("why")};
  in.good = inner.good;
  return out;
}

Error unreadable(const store::Record& r) {
  return {Errc::corrupt, fmt::format("record {}/{} cannot be read: restore ghm.db from a backup", r.kind, r.key)};
}

}  // namespace

std::string case_key(std::uint64_t id) {
  return fmt::format("{:010}", id);
}

store::Record to_record(const RepairCase& c, const CaseBook::Gap* gap) {
  Json body = opening_json(c);
  body["state"] = to_string(c.state);
  if (c.outcome) body["outcome"] = to_string(*c.outcome);
  put(body, "subject_gpu", c.subject_gpu);
  body["relapses"] = c.relapses;
  if (const auto until = c.watch_until()) body["watch_until"] = to_unix_ms(*until);
  if (gap != nullptr) body["unseen"] = {{"since", to_unix_ms(gap->since)}, {"why", gap->why}};
  Json steps = Json::array();
  for (const auto& s : c.steps) steps.push_back(step_json(s));
  body["steps"] = std::move(steps);
  return {"case", case_key(c.id), c.changed, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Result<KeptCase> parse_case(const store::Record& record) {
  const auto j = Json::parse(record.body, nullptr, false);
  if (!j.is_object()) return unreadable(record);
  Reader in{j};
  auto opening = parse_opening(in);
  auto gap = parse_gap(in);
  const auto* steps = in.find("steps");
  if (!in.good || steps == nullptr || !steps->is_array() || opening.id == 0) return unreadable(record);
  std::vector<CaseStep> all;
  for (const auto& s : *steps) {
    if (s.is_object()) all.push_back(parse_step(s, in.good));
    if (!s.is_object() || !in.good) return unreadable(record);
  }
  auto it = replay(std::move(opening), all);
  if (!it) return unreadable(record);
  return KeptCase{std::move(*it), std::move(gap)};
}

store::Record looked_record(Timestamp looked) {
  return {"case_watch", "looked", looked, Json{{"at", to_unix_ms(looked)}}.dump()};
}

std::optional<Timestamp> parse_looked(const store::Record& record) {
  const auto j = Json::parse(record.body, nullptr, false);
  if (!j.is_object()) return std::nullopt;
  Reader in{j};
  const auto at = in.time("at");
  return in.good ? std::optional(at) : std::nullopt;
}

}  // namespace ghm::services
