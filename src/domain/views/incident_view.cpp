#include "domain/views/incident_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "domain/faults/catalogue.h"
#include "domain/faults/sign.h"
#include "domain/views/json_fields.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

constexpr std::array<const char*, 4> kSeverities = {"info", "warning", "error", "critical"};
constexpr std::size_t kMostParts = 200;

Json text_or_null(const Json& j, const char* name) {
  const auto t = text(j, name);
  return t.empty() ? Json() : Json(t);
}

Json time_json(const Json& j, const char* name) {
  return format_rfc3339(from_unix_ms(whole(j, name)));
}

std::string says(const std::string& sign) {
  const auto& table = faults::EvidenceTable::built_in();
  const auto id = table.find(sign);
  return id ? table[*id].says : sign;
}

// The sign that the incident is named after; of records that do not say it, the heaviest one.
std::string leading_sign(const Json& body) {
  if (auto named = text(body, "leading"); !named.empty()) return named;
  const auto& table = faults::EvidenceTable::built_in();
  std::optional<faults::EvidenceId> heaviest;
  for (const auto& [word, n] : at(body, "counts").items())
    if (const auto id = table.find(word); id && (!heaviest || table[*id].severity > table[*heaviest].severity)) heaviest = *id;
  return heaviest ? table[*heaviest].word : std::string();
}

// "the GPU fell off the bus (Xid 79)".
Json sign_says(const Json& body, const std::string& sign) {
  if (sign.empty()) return nullptr;
  for (const auto& line : at(body, "lines")) {
    if (text(line, "sign") != sign || whole(line, "code") == 0) continue;
    const auto kind = text(line, "kind");
    return fmt::format("{} ({} {})", says(sign), kind == "xid" ? "Xid" : kind == "sxid" ? "SXid" : "DCGM", whole(line, "code"));
  }
  return says(sign);
}

std::string action_says(const std::string& word) {
  const auto action = faults::action_named(word);
  return std::string(action ? faults::sentence_of(*action) : "");
}

std::int64_t boards_of(const Json& body) {
  std::int64_t n = whole(body, "more_parts");
  for (const auto& p : at(body, "parts")) n += whole(p, "board") != 0;
  return n;
}

Json hosts_of(const Json& body) {
  std::set<std::string> names;
  for (const auto& p : at(body, "parts")) names.insert(text(p, "host"));
  return names.size();
}

Json row(const Json& body) {
  const auto& ranking = at(body, "ranking");
  const auto& first = at(ranking, "causes").empty() ? Json() : at(ranking, "causes")[0];
  const bool told = at(ranking, "cannot_tell").is_boolean() && !at(ranking, "cannot_tell").get<bool>();
  const auto severity = std::clamp<std::int64_t>(whole(body, "severity"), 0, 3);
  const auto& parts = at(body, "parts");
  const auto sign = leading_sign(body);
  return {{"id", std::to_string(whole(body, "id"))},
          {"state", text(body, "state")},
          {"severity", kSeverities[static_cast<std::size_t>(severity)]},
          {"scope", text(body, "scope")},
          {"place", text(body, "place")},
          {"gpu", parts.empty() ? Json() : text_or_null(parts[0], "gpu")},
          {"host", parts.empty() ? Json() : text_or_null(parts[0], "host")},
          {"gpus", boards_of(body)},
          {"hosts", hosts_of(body)},
          {"opened_at", time_json(body, "opened")},
          {"last_sign_at", time_json(body, "last")},
          {"changed_at", time_json(body, "changed")},
          {"reopened", whole(body, "reopened")},
          {"sign", sign.empty() ? Json() : Json(sign)},
          {"sign_says", sign_says(body, sign)},
          {"cause", told ? Json(text(first, "cause")) : Json()},
          {"cause_says", told ? Json(text(first, "says")) : Json()},
          {"probability", told ? at(first, "probability") : Json()},
          {"cannot_tell", !told},
          {"side", text(ranking, "side")},
          {"action", text(ranking, "action")},
          {"action_says", action_says(text(ranking, "action"))},
          {"confirmed_cause", text_or_null(body, "confirmed_cause")},
          {"simulated", at(body, "simulated") == true}};
}

Json evidence_json(const Json& all) {
  Json out = Json::array();
  for (const auto& e : all)
    out.push_back({{"evidence", text(e, "evidence")},
                   {"says", says(text(e, "evidence"))},
                   {"present", at(e, "present") == true},
                   {"weight", at(e, "weight")},
                   {"source", text(e, "source")}});
  return out;
}

Json causes_json(const Json& ranking) {
  Json out = Json::array();
  for (const auto& c : at(ranking, "causes"))
    out.push_back({{"cause", text(c, "cause")},
                   {"says", text(c, "says")},
                   {"side", text(c, "side")},
                   {"probability", at(c, "probability")},
                   {"action", text(c, "action")},
                   {"action_says", action_says(text(c, "action"))},
                   {"sources", text(c, "sources")},
                   {"evidence_for", evidence_json(at(c, "for"))},
                   {"evidence_against", evidence_json(at(c, "against"))}});
  return out;
}

Json lines_json(const Json& body) {
  Json out = Json::array();
  for (const auto& l : at(body, "lines")) {
    const auto code = whole(l, "code");
    out.push_back({{"at", time_json(l, "at")},
                   {"sign", text(l, "sign")},
                   {"says", says(text(l, "sign"))},
                   {"gpu", text_or_null(l, "gpu")},
                   {"host", text_or_null(l, "host")},
                   {"code", code == 0 ? Json() : Json(code)},
                   {"kind", text_or_null(l, "kind")},
                   {"job", text_or_null(l, "job")},
                   {"process", text_or_null(l, "process")},
                   {"detail", text_or_null(l, "text")}});
  }
  return out;
}

Json parts_json(const Json& body) {
  Json out = Json::array();
  for (const auto& p : at(body, "parts")) {
    if (out.size() >= kMostParts) break;
    Json signs = Json::array();
    bool open = false;
    for (const auto& [word, c] : at(p, "signs").items()) {
      signs.push_back(word);
      open |= c.is_array() && c.size() == 3 && c[2] == true;
    }
    out.push_back({{"gpu", text_or_null(p, "gpu")},
                   {"host", text_or_null(p, "host")},
                   {"rack", text_or_null(p, "rack")},
                   {"job", text_or_null(p, "job")},
                   {"open", open},
                   {"signs", std::move(signs)}});
  }
  return out;
}

Json history_json(const Json& body) {
  Json out = Json::array();
  for (const auto& h : at(body, "history"))
    out.push_back({{"at", time_json(h, "at")}, {"what", text(h, "what")}, {"why", text(h, "why")}, {"by", text_or_null(h, "by")}});
  return out;
}

bool touches(const Json& body, std::uint32_t board, const std::string& host) {
  return std::ranges::any_of(at(body, "parts"), [&](const Json& p) {
    return static_cast<std::uint32_t>(whole(p, "board")) == board || (whole(p, "board") == 0 && text(p, "host") == host);
  });
}

}  // namespace

std::optional<Json> incident_item(const store::Record& record) {
  const auto body = Json::parse(record.body, nullptr, false);
  if (!body.is_object() || whole(body, "id") == 0 || text(body, "state") == "merged") return std::nullopt;
  return row(body);
}

Result<Json> incident_detail(const store::Record& record) {
  const auto body = Json::parse(record.body, nullptr, false);
  if (!body.is_object() || whole(body, "id") == 0)
    return Error{Errc::corrupt, fmt::format("record incident/{} cannot be read: restore ghm.db from a backup", record.key)};
  return incident_detail_of(body);
}

Json incident_detail_of(const Json& body) {
  auto out = row(body);
  const auto& ranking = at(body, "ranking");
  const auto merged = whole(body, "merged_into");
  out["merged_into"] = merged == 0 ? Json() : Json(std::to_string(merged));
  out["unknown_probability"] = at(ranking, "unknown");
  out["sides"] = at(ranking, "sides");
  out["catalogue"] = faults::FaultCatalogue::built_in().version();
  out["causes"] = causes_json(ranking);
  Json signs = Json::array();
  for (const auto& [word, n] : at(body, "counts").items()) signs.push_back({{"sign", word}, {"says", says(word)}, {"count", n}});
  out["signs"] = std::move(signs);
  out["lines"] = lines_json(body);
  out["lines_left_out"] = whole(body, "more_lines");
  out["parts"] = parts_json(body);
  out["history"] = history_json(body);
  return out;
}

Json gpu_timeline(const FleetSnapshot& fleet, std::size_t board, const std::vector<store::Record>& events,
                  const std::vector<store::Record>& incidents, TimeRange range, std::size_t limit,
                  std::vector<std::pair<Timestamp, Json>> repairs) {
  const auto& b = fleet.boards[board].board;
  std::vector<std::pair<Timestamp, Json>> all;
  for (const auto& r : events) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (!body.is_object()) continue;
    const auto of = static_cast<std::uint32_t>(whole(body, "board"));
    if (of != static_cast<std::uint32_t>(b.id) && !(of == 0 && text(body, "host") == b.host)) continue;
    const auto code = whole(body, "code");
    all.emplace_back(r.at, Json{{"what", "event"},
                                {"kind", text(body, "kind")},
                                {"about", of == 0 ? "host" : "gpu"},
                                {"code", code == 0 ? Json() : Json(code)},
                                {"incident", nullptr},
                                {"detail", text(body, "detail")}});
  }
  for (const auto& r : incidents) {
    const auto body = Json::parse(r.body, nullptr, false);
    if (!body.is_object() || text(body, "state") == "merged" || !touches(body, static_cast<std::uint32_t>(b.id), b.host)) continue;
    for (const auto& h : at(body, "history")) {
      const auto when = from_unix_ms(whole(h, "at"));
      if (!range.contains(when)) continue;
      all.emplace_back(when, Json{{"what", "incident"},
                                  {"kind", text(h, "what")},
                                  {"about", text(body, "scope")},
                                  {"code", nullptr},
                                  {"incident", std::to_string(whole(body, "id"))},
                                  {"detail", text(h, "why")}});
    }
  }
  // From the last step back, so that steps of one moment stand in their order too.
  std::move(repairs.rbegin(), repairs.rend(), std::back_inserter(all));
  std::ranges::stable_sort(all, std::greater<>(), [](const auto& e) { return e.first; });
  const bool more = all.size() > limit;
  if (more) all.resize(limit);
  Json items = Json::array();
  for (auto& [when, item] : all) {
    Json full = {{"at", format_rfc3339(when)}};
    full.update(item);
    items.push_back(std::move(full));
  }
  return {
      {"items", std::move(items)}, {"next", nullptr}, {"as_of", format_rfc3339(fleet.as_of)}, {"more", more}, {"simulated", b.simulated}};
}

std::string incidents_text(const Json& list, std::size_t width) {
  const auto& items = at(list, "items");
  if (items.empty()) return "no incidents\n";
  TextTable table({{"id", true, 9},
                   {"state", false, 3},
                   {"severity", false, 6},
                   {"since", false, 4},
                   {"where", false, 8},
                   {"cause", false, 8},
                   {"sure", true, 2},
                   {"next step", false, 7},
                   {"sign", false, 1}});
  for (const auto& i : items) {
    const bool told = at(i, "cannot_tell") != true;
    table.add({text(i, "id"), text(i, "state"), text(i, "severity"), text(i, "opened_at").substr(0, 16) + "Z", printable(text(i, "place")),
               told ? text(i, "cause") : "cannot tell", told ? percent(at(i, "probability")) : "", text(i, "action_says"),
               text(i, "sign_says")});
  }
  return table.text(width);
}

std::string incident_text(const Json& d, std::size_t width) {
  auto out = fmt::format("incident {}: {}, {}, {}{}\n", text(d, "id"), text(d, "state"), text(d, "severity"), printable(text(d, "place")),
                         at(d, "simulated") == true ? " (simulated)" : "");
  out += fmt::format("since {}, last sign {}\n", text(d, "opened_at"), text(d, "last_sign_at"));
  if (at(d, "sign_says").is_string()) out += fmt::format("sign: {}\n", text(d, "sign_says"));
  if (at(d, "cannot_tell") == true) out += "cause: cannot tell\n";
  out += fmt::format("next step: {}\n", text(d, "action_says"));
  for (const auto& h : at(d, "what_helped")) out += fmt::format("before: {}\n", text(h, "says"));
  for (const auto& e : at(d, "evidence"))
    out += cut(fmt::format("evidence: {} of {} on {}, snapshot {}: a reboot loses none of it (ghm rma)", text(e, "at"),
                           at(e, "gpu").is_string() ? "GPU " + printable(text(e, "gpu")) : std::string("the host"),
                           printable(text(e, "host")), printable(text(e, "id"))),
               width) +
           "\n";
  out += "\n";
  for (const auto& c : at(d, "causes")) {
    out += cut(fmt::format("{:>5}  {}: {}", percent(at(c, "probability")), text(c, "cause"), text(c, "says")), width) + "\n";
    for (const auto& [name, sign] : {std::pair{"evidence_for", "+"}, {"evidence_against", "-"}})
      for (const auto& e : at(c, name))
        out += cut(fmt::format("         {} {}{} ({})", sign, at(e, "present") == true ? "" : "not seen: ", text(e, "says"),
                               text(e, "source")),
                   width) +
               "\n";
  }
  out += "\n";
  for (const auto& h : at(d, "history"))
    out += cut(fmt::format("{}  {:<9} {}{}", text(h, "at"), text(h, "what"), printable(text(h, "why")),
                           at(h, "by").is_string() ? " (" + printable(text(h, "by")) + ")" : ""),
               width) +
           "\n";
  return out;
}

}  // namespace ghm::views
