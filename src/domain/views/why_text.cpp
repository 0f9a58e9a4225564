// The answer of why_gpu() for a terminal: one section after the other, empty ones left out.
#include <fmt/format.h>

#include "domain/views/text_table.h"
#include "domain/views/why.h"

namespace ghm::views {
namespace {

// The document may come from another version: what is missing reads as null.
const Json& at(const Json& object, std::string_view name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string text(const Json& value, std::string_view otherwise = "-") {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.is_null() ? std::string(otherwise) : printable(value.dump());
}

std::string points(const Json& value) {
  return value.is_number() ? fmt::format("{:.1f}", value.get<double>()) : "-";
}

std::string figure(const Json& value) {
  return value.is_number() ? fmt::format("{:.4g}", value.get<double>()) : "-";
}

std::string identity(const Json& why, std::size_t) {
  const auto& g = at(why, "gpu");
  std::string out = text(at(why, "verdict")) + "\n\n";
  const auto line = [&](std::string_view what, std::string value) {
    if (value != "-") out += fmt::format("{:<10} {}\n", what, value);
  };
  line("GPU", fmt::format("{} · serial {} · {}", text(at(g, "name")), text(at(g, "serial")), text(at(g, "model"))));
  line("place", fmt::format("rack {} · site {} · region {}", text(at(g, "rack")), text(at(g, "datacenter")), text(at(g, "region"))));
  line("firmware", fmt::format("driver {} · VBIOS {}", text(at(g, "driver_version")), text(at(g, "vbios_version"))));
  line("seen", fmt::format("{} to {}", text(at(g, "first_seen")), text(at(g, "last_seen"))));
  if (at(g, "simulated") == true) line("source", "simulated");
  return out;
}

std::string score(const Json& why, std::size_t width) {
  auto out = fmt::format("{:<10} {} {} · risk {} · coverage {} · peers' median {} · profile {}\n", "score", points(at(why, "score")),
                         text(at(why, "class")), text(at(why, "risk")), percent(at(why, "coverage")), points(at(why, "peers_median")),
                         text(at(why, "profile")));
  if (const auto& fell = at(why, "fell"); !fell.is_null())
    out +=
        fmt::format("{:<10} from {} to {} since {}\n", "fell", points(at(fell, "from")), points(at(fell, "to")), text(at(fell, "since")));
  const auto& steps = at(why, "waterfall");
  if (steps.empty()) return out;
  TextTable t({{"LOST", true, 9}, {"RULE", false, 8}, {"VALUE", true, 5}, {"REFERENCE", true, 4}, {"AT", false, 3}, {"WHAT", false, 7}});
  for (const auto& s : steps)
    t.add({"-" + points(at(s, "lost_overall")), text(at(s, "rule")), figure(at(s, "value")) + " " + text(at(s, "unit"), ""),
           figure(at(s, "reference")), text(at(s, "at")), (at(s, "critical") == true ? "CRITICAL " : "") + text(at(s, "text"))});
  return out + "\n" + t.text(width);
}

std::string peers(const Json& why, std::size_t width) {
  const auto& list = at(why, "unlike_peers");
  if (list.empty()) return {};
  TextTable t({{"UNLIKE ITS PEERS", false, 9},
               {"NOW", true, 8},
               {"P10", true, 5},
               {"MEDIAN", true, 6},
               {"P90", true, 5},
               {"PEERS", true, 2},
               {"UNIT", false, 3}});
  for (const auto& p : list)
    t.add({text(at(p, "metric")), figure(at(p, "value")), figure(at(p, "p10")), figure(at(p, "p50")), figure(at(p, "p90")),
           text(at(p, "of")), text(at(p, "unit"), "")});
  return t.text(width);
}

std::string bullets(std::string_view title, const Json& list, std::string_view name) {
  if (list.empty()) return {};
  std::string out(title);
  out += '\n';
  for (const auto& item : list) out += "  " + text(name.empty() ? item : at(item, name)) + "\n";
  return out;
}

std::string happened(const Json& why, std::size_t width) {
  std::string out;
  if (const auto& list = at(why, "xids"); !list.empty()) {
    TextTable t(
        {{"XID", true, 9}, {"NAME", false, 8}, {"ORIGIN", false, 6}, {"TIMES", true, 5}, {"LAST", false, 5}, {"FIRST STEP", false, 7}});
    for (const auto& x : list)
      t.add({text(at(x, "code")), text(at(x, "name")), text(at(x, "origin")), text(at(x, "count")), text(at(x, "last")),
             text(at(x, "first_action"))});
    out += t.text(width) + "\n";
  }
  const auto& events = at(why, "events");
  if (events.empty()) return out;
  TextTable t({{"LAST EVENTS", false, 9}, {"KIND", false, 8}, {"DETAIL", false, 7}});
  for (const auto& e : events) t.add({text(at(e, "at")), text(at(e, "kind")), text(at(e, "detail"))});
  return out + t.text(width);
}

std::string surroundings(const Json& why, std::size_t) {
  auto out = bullets("odd now", at(why, "anomalies"), "text");
  const auto& near = at(why, "near");
  if (!out.empty() && !near.empty()) out += "\n";
  return out + bullets("around it", near, "text");
}

std::string steps(const Json& why, std::size_t) {
  std::string out = at(why, "actions").empty() ? "" : "what to do\n";
  for (const auto& a : at(why, "actions"))
    out += fmt::format("  {} ({})\n      because: {}\n", text(at(a, "text")), text(at(a, "action")), text(at(a, "because")));
  return out;
}

std::string limits(const Json& why, std::size_t) {
  return bullets("not known", at(why, "unknown"), "");
}

constexpr std::string (*kSections[])(const Json&, std::size_t) = {identity, score, peers, happened, surroundings, steps, limits};

}  // namespace

std::string why_text(const Json& why, std::size_t width) {
  std::string out;
  for (const auto section : kSections)
    if (const auto part = section(why, width); !part.empty()) out += (out.empty() ? "" : "\n") + part;
  return out + "\nas of " + text(at(why, "as_of")) + "\n";
}

}  // namespace ghm::views
