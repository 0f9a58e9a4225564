#include "services/incident_records.h"

#include <fmt/format.h>

#include <charconv>

namespace ghm::services {
namespace {

using namespace faults;
using Json = nlohmann::ordered_json;

std::string text_of(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const std::string& word(EvidenceId id) {
  return EvidenceTable::built_in()[id].word;
}

Json weighed_json(const std::vector<Weighed>& all) {
  Json out = Json::array();
  for (const auto& w : all)
    out.push_back(
        {{"evidence", word(w.what)}, {"present", w.present}, {"weight", w.weight}, {"source", w.source.empty() ? "chance" : w.source}});
  return out;
}

Json ranking_json(const Ranking& r, const CauseTable& table) {
  Json causes = Json::array(), sides = Json::object();
  for (const auto& c : r.causes) {
    const auto& cause = table.causes()[c.cause];
    causes.push_back({{"cause", cause.name},
                      {"side", to_string(cause.side)},
                      {"probability", c.probability},
                      {"action", to_string(c.action)},
                      {"says", cause.says},
                      {"sources", cause.sources},
                      {"for", weighed_json(c.evidence_for)},
                      {"against", weighed_json(c.evidence_against)}});
  }
  for (std::size_t s = 0; s < kSides; ++s) sides[std::string(to_string(static_cast<Side>(s)))] = r.sides[s];
  return {{"cannot_tell", r.cannot_tell}, {"unknown", r.unknown},          {"side", to_string(r.side)},
          {"sides", std::move(sides)},    {"action", to_string(r.action)}, {"causes", std::move(causes)}};
}

Json part_json(const Part& p) {
  Json signs = Json::object();
  for (const auto& [what, c] : p.signs) signs[word(what)] = {c.times, to_unix_ms(c.last), c.open};
  Json out = {{"board", static_cast<std::uint32_t>(p.board)}, {"host", p.host}, {"on_host", p.boards_on_host}, {"signs", std::move(signs)}};
  const std::pair<const char*, const std::string*> texts[] = {
      {"gpu", &p.gpu}, {"rack", &p.rack}, {"feed", &p.feed}, {"fabric", &p.fabric}, {"job", &p.job}};
  for (const auto& [name, text] : texts)
    if (!text->empty()) out[name] = *text;
  if (p.several_jobs) out["several_jobs"] = true;
  return out;
}

Json line_json(const SignLine& l) {
  Json out = {
      {"id", l.id}, {"at", to_unix_ms(l.at)}, {"sign", word(l.what)}, {"board", static_cast<std::uint32_t>(l.board)}, {"host", l.host}};
  const std::pair<const char*, const std::string*> texts[] = {{"gpu", &l.gpu}, {"job", &l.job}, {"process", &l.process}, {"text", &l.text}};
  for (const auto& [name, text] : texts)
    if (!text->empty()) out[name] = *text;
  if (l.code != 0) {
    out["code"] = l.code;
    out["kind"] = to_string(l.kind);
  }
  return out;
}

// ---- and back

std::string text(const Json& j, const char* name) {
  const auto it = j.find(name);
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

template <class T>
T number(const Json& j, const char* name, T otherwise = {}) {
  const auto it = j.find(name);
  return it != j.end() && it->is_number() ? it->get<T>() : otherwise;
}

bool flag(const Json& j, const char* name) {
  const auto it = j.find(name);
  return it != j.end() && it->is_boolean() && it->get<bool>();
}

Timestamp time(const Json& j, const char* name) {
  return from_unix_ms(number<std::int64_t>(j, name));
}

const Json& list(const Json& j, const char* name) {
  static const Json none = Json::array();
  const auto it = j.find(name);
  return it != j.end() && (it->is_array() || it->is_object()) ? *it : none;
}

// A word that a later version no longer has is left out: the rest of the incident stays.
template <class Take>
void with_word(const std::string& word, Take take) {
  if (const auto id = EvidenceTable::built_in().find(word)) take(*id);
}

Part parse_part(const Json& j) {
  Part p;
  p.board = static_cast<BoardId>(number<std::uint32_t>(j, "board"));
  p.gpu = text(j, "gpu");
  p.host = text(j, "host");
  p.rack = text(j, "rack");
  p.feed = text(j, "feed");
  p.fabric = text(j, "fabric");
  p.job = text(j, "job");
  p.several_jobs = flag(j, "several_jobs");
  p.boards_on_host = number<int>(j, "on_host");
  for (const auto& [name, c] : list(j, "signs").items())
    if (c.is_array() && c.size() == 3 && c[0].is_number() && c[1].is_number() && c[2].is_boolean())
      with_word(name, [&](EvidenceId id) { p.signs[id] = {c[0].get<int>(), from_unix_ms(c[1].get<std::int64_t>()), c[2].get<bool>()}; });
  return p;
}

SignLine parse_line(const Json& j, EvidenceId what) {
  SignLine l;
  l.id = text(j, "id");
  l.at = time(j, "at");
  l.what = what;
  l.board = static_cast<BoardId>(number<std::uint32_t>(j, "board"));
  l.gpu = text(j, "gpu");
  l.host = text(j, "host");
  l.job = text(j, "job");
  l.process = text(j, "process");
  l.text = text(j, "text");
  l.code = number<int>(j, "code");
  for (std::size_t k = 0; k < kCodeKinds; ++k)
    if (to_string(static_cast<CodeKind>(k)) == text(j, "kind")) l.kind = static_cast<CodeKind>(k);
  return l;
}

void parse_lists(const Json& j, Incident& i) {
  for (const auto& [name, n] : list(j, "counts").items())
    if (n.is_number()) with_word(name, [&](EvidenceId id) { i.counts[id] = n.get<int>(); });
  for (const auto& p : list(j, "parts"))
    if (p.is_object()) i.parts.push_back(parse_part(p));
  for (const auto& l : list(j, "lines"))
    if (l.is_object()) with_word(text(l, "sign"), [&](EvidenceId id) { i.lines.push_back(parse_line(l, id)); });
  for (const auto& h : list(j, "history"))
    if (h.is_object()) i.history.push_back({time(h, "at"), text(h, "what"), text(h, "why"), text(h, "by")});
  for (const auto& f : list(j, "flags"))
    if (f.is_string()) with_word(f.get<std::string>(), [&](EvidenceId id) { i.flags.set(id); });
}

Error unreadable(const store::Record& r) {
  return {Errc::corrupt, fmt::format("record {}/{} cannot be read: restore ghm.db from a backup", r.kind, r.key)};
}

int int_of(const std::string& text, int otherwise) {
  int n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

}  // namespace

store::Record to_record(const Incident& i, const Ranking& ranking, const CauseTable& causes) {
  Json counts = Json::object(), parts = Json::array(), lines = Json::array(), history = Json::array(), flags = Json::array();
  for (const auto& [what, n] : i.counts) counts[word(what)] = n;
  for (const auto& p : i.parts) parts.push_back(part_json(p));
  for (const auto& l : i.lines) lines.push_back(line_json(l));
  for (const auto& c : i.history) {
    history.push_back({{"at", to_unix_ms(c.at)}, {"what", c.what}, {"why", c.why}});
    if (!c.by.empty()) history.back()["by"] = c.by;
  }
  for (std::size_t e = 0; e < EvidenceTable::built_in().size(); ++e)
    if (i.flags[e]) flags.push_back(word(static_cast<EvidenceId>(e)));
  const Json body = {{"id", i.id},
                     {"state", to_string(i.state)},
                     {"severity", static_cast<int>(i.severity)},
                     {"scope", to_string(i.scope())},
                     {"place", i.place()},
                     {"leading", i.parts.empty() ? "" : word(facts_of(i).leading)},
                     {"opened", to_unix_ms(i.opened)},
                     {"last", to_unix_ms(i.last)},
                     {"changed", to_unix_ms(i.changed)},
                     {"merged_into", i.merged_into},
                     {"reopened", i.reopened},
                     {"simulated", i.simulated},
                     {"escalated", i.escalated},
                     {"confirmed_cause", i.confirmed_cause},
                     {"link", i.link},
                     {"nvswitch", i.nvswitch},
                     {"flags", std::move(flags)},
                     {"counts", std::move(counts)},
                     {"ranking", ranking_json(ranking, causes)},
                     {"parts", std::move(parts)},
                     {"more_parts", i.more_parts},
                     {"lines", std::move(lines)},
                     {"more_lines", i.more_lines},
                     {"history", std::move(history)}};
  return {"incident", fmt::format("{:010}", i.id), i.changed, text_of(body)};
}

Result<Incident> parse_incident(const store::Record& record) {
  const auto j = Json::parse(record.body, nullptr, false);
  if (!j.is_object()) return unreadable(record);
  Incident i;
  i.id = number<std::uint64_t>(j, "id");
  const auto state = text(j, "state");
  for (const auto s : {State::open, State::cleared, State::merged})
    if (to_string(s) == state) i.state = s;
  const int severity = number<int>(j, "severity", -1);
  if (i.id == 0 || state != to_string(i.state) || severity < 0 || severity > 3) return unreadable(record);
  i.severity = static_cast<Severity>(severity);
  i.opened = time(j, "opened");
  i.last = time(j, "last");
  i.changed = time(j, "changed");
  i.merged_into = number<std::uint64_t>(j, "merged_into");
  i.reopened = number<int>(j, "reopened");
  i.simulated = flag(j, "simulated");
  i.escalated = flag(j, "escalated");
  i.confirmed_cause = text(j, "confirmed_cause");
  i.link = number<int>(j, "link", -1);
  i.nvswitch = number<int>(j, "nvswitch", -1);
  i.more_parts = number<std::size_t>(j, "more_parts");
  i.more_lines = number<std::size_t>(j, "more_lines");
  parse_lists(j, i);
  if (i.parts.empty() && i.state != State::merged) return unreadable(record);
  return i;
}

store::Record to_record(const Feedback& f, std::uint64_t sequence) {
  const Json body = {{"incident", f.incident}, {"leading", word(f.leading)}, {"cause", f.cause}, {"right", f.right}, {"by", f.by},
                     {"note", f.note}};
  return {"incident_feedback", fmt::format("{:015}-{:06}", to_unix_ms(f.at), sequence), f.at, text_of(body)};
}

Result<Feedback> parse_feedback(const store::Record& record) {
  const auto j = Json::parse(record.body, nullptr, false);
  if (!j.is_object() || text(j, "cause").empty()) return unreadable(record);
  Feedback f{record.at, number<std::uint64_t>(j, "incident"), 0, text(j, "cause"), flag(j, "right"), text(j, "by"), text(j, "note")};
  const auto leading = EvidenceTable::built_in().find(text(j, "leading"));
  if (!leading) return unreadable(record);
  f.leading = *leading;
  return f;
}

std::optional<Heard> heard(const store::Record& event) {
  if (event.kind != "event") return std::nullopt;
  const auto j = Json::parse(event.body, nullptr, false);
  if (!j.is_object()) return std::nullopt;
  Heard h;
  h.id = event.key;
  h.at = event.at;
  h.kind = text(j, "kind");
  h.board = static_cast<BoardId>(number<std::uint32_t>(j, "board"));
  h.host = text(j, "host");
  h.detail = text(j, "detail");
  // The number of an Xid; archives write it as text.
  h.code = j.contains("code") && j["code"].is_string() ? int_of(j["code"].get<std::string>(), 0) : number<int>(j, "code");
  const auto& fields = list(j, "fields");
  h.process = text(fields, "process");
  h.job = text(fields, "job");
  h.severity = text(fields, "severity");
  h.driver = text(fields, "driver");
  h.pid = int_of(text(fields, "pid"), 0);
  h.link = int_of(text(fields, "link"), -1);
  h.nvswitch = int_of(text(fields, "nvswitch"), -1);
  return h;
}

}  // namespace ghm::services
