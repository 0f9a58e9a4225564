#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "domain/views/board_facts.h"
#include "domain/views/json_views.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

constexpr std::size_t kPageWidth = 120;  // of the views without a width of their own

// The JSON may come from a server of another version: what is missing reads as null, never as an exception.
const Json& member(const Json& object, std::string_view name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string text_of(const Json& value, std::string_view otherwise = "-") {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.is_null() ? std::string(otherwise) : printable(value.dump());
}
std::string text_of(const Json& object, std::string_view name, std::string_view otherwise) {
  return text_of(member(object, name), otherwise);
}

std::string number(const Json& value, int digits, std::string_view unit = "") {
  if (!value.is_number()) return "-";
  return fmt::format("{:.{}f}{}", value.get<double>(), digits, unit);
}

// "12345" as "12,345".
std::string grouped(const Json& value) {
  if (!value.is_number()) return "-";
  auto digits = fmt::format("{:.0f}", value.get<double>());
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (digits[0] == '-' ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

bool is_true(const Json& value) {
  return value.is_boolean() && value.get<bool>();
}

std::string figures(const Json& s) {
  TextTable t({{"figure", false, 9}, {"value", true, 9}, {"", false, 0}});
  t.add({"GPUs in service", grouped(member(s, "total_gpus")), grouped(member(s, "reporting_gpus")) + " reporting"});
  t.add({"hosts", grouped(member(s, "hosts")), grouped(member(s, "silent_hosts")) + " silent"});
  t.add({"need action", grouped(member(s, "need_action")), "risk critical"});
  t.add({"health index", number(member(s, "index"), 1),
         fmt::format("median {}, worst 5 % at or below {}", number(member(s, "median"), 1), number(member(s, "worst5"), 1))});
  t.add({"coverage", percent(member(s, "coverage")), "of what a score looks at"});
  const auto& ingest = member(s, "ingest");
  t.add({"accepted values", grouped(member(ingest, "accepted_values")), grouped(member(ingest, "refused_values")) + " refused"});
  return t.text(kPageWidth);
}

std::string counts(const Json& object, std::string_view title) {
  TextTable t({{std::string(title), false, 1}, {"GPUs", true, 1}});
  if (object.is_object())
    for (const auto& [name, count] : object.items()) t.add({printable(name), grouped(count)});
  return t.text(kPageWidth);
}

std::string footer(const Json& answer) {
  return fmt::format("as of {}{}\n", text_of(answer, "as_of", "-"), is_true(member(answer, "simulated")) ? " · simulated" : "");
}

std::vector<std::string> gpu_cells(const Json& g) {
  return {text_of(g, "band", "-"),
          number(member(g, "score"), 0),
          text_of(g, "name", "-"),
          text_of(g, "id", "-"),
          text_of(g, "model", "-"),
          text_of(g, "rack", "-"),
          number(member(g, "temperature"), 0, " °C"),
          number(member(g, "power"), 0, " W"),
          number(member(g, "utilisation"), 0, " %"),
          is_true(member(g, "silent")) ? "silent" : "",
          text_of(g, "top_finding", "")};
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string out;
  for (const auto& p : parts)
    if (!p.empty()) out += (out.empty() ? "" : " · ") + p;
  return out + "\n";
}

std::string named(std::string_view what, const Json& object, std::string_view name) {
  const auto& value = member(object, name);
  return value.is_null() ? std::string() : fmt::format("{} {}", what, text_of(value));
}

std::string identity(const Json& g) {
  return joined(
             {text_of(g, "name", "-"), is_true(member(g, "simulated")) ? "simulated" : "", is_true(member(g, "silent")) ? "silent" : ""}) +
         joined({named("serial", g, "serial"), text_of(g, "uuid", ""), text_of(g, "model", "")}) +
         joined({named("rack", g, "rack"), named("site", g, "datacenter"), named("PCI", g, "pci_bus_id"),
                 named("driver", g, "driver_version")}) +
         joined({named("first seen", g, "first_seen"), named("last seen", g, "last_seen")});
}

std::string score_line(const Json& h) {
  if (member(h, "score").is_null()) return joined({"no score", text_of(h, "note", ""), named("risk", h, "risk")});
  return joined({"score " + number(member(h, "score"), 1), text_of(h, "class", ""), named("risk", h, "risk"),
                 "coverage " + percent(member(h, "coverage")), "peers' median " + number(member(h, "peers_median"), 1)});
}

std::string dimension_text(const Json& d) {
  auto out = fmt::format("{:<12} {:>6} {:>6}  {}\n", text_of(d, "name", "-"), number(member(d, "score"), 1), number(member(d, "lost"), 1),
                         text_of(d, "note", ""));
  for (const auto& f : member(d, "findings"))
    out += fmt::format("{:>27}  {}{}\n", "-" + number(member(f, "lost"), 1), is_true(member(f, "critical")) ? "CRITICAL " : "",
                       text_of(f, "text", "-"));
  return out;
}

std::string why(const Json& health) {
  const auto& dimensions = member(health, "dimensions");
  if (dimensions.empty()) return {};
  auto out = fmt::format("\n{:<12} {:>6} {:>6}\n", "dimension", "score", "lost");
  for (const auto& d : dimensions) out += dimension_text(d);
  return out;
}

// A board's links mostly say the same: then one line stands for all of them.
std::map<std::string, std::vector<const Json*>> alike(const Json& list) {
  std::map<std::string, std::vector<const Json*>> by_metric;
  for (const auto& r : list)
    if (text_of(r, "entity", "gpu") != "gpu") by_metric[text_of(r, "metric", "-")].push_back(&r);
  std::erase_if(by_metric, [](const auto& entry) {
    const auto& all = entry.second;
    return all.size() < 2 || std::ranges::any_of(all, [&](const Json* r) { return member(*r, "value") != member(*all[0], "value"); });
  });
  return by_metric;
}

std::string readings(const Json& gpu) {
  const auto& list = member(gpu, "readings");
  if (list.empty()) return {};
  const auto folded = alike(list);
  TextTable t({{"reading", false, 9}, {"value", true, 9}, {"unit", false, 8}, {"at", false, 1}});
  for (const auto& r : list) {
    const auto entity = text_of(r, "entity", "gpu"), metric = text_of(r, "metric", "-");
    auto name = metric + (entity == "gpu" ? "" : "@" + entity);
    if (const auto all = folded.find(metric); entity != "gpu" && all != folded.end()) {
      if (all->second[0] != &r) continue;
      name = fmt::format("{} to {}, {} alike", name, text_of(*all->second.back(), "entity", "-"), all->second.size());
    }
    t.add({name, text_of(member(r, "value")), text_of(r, "unit", ""), text_of(r, "at", "-")});
  }
  return "\n" + t.text(kPageWidth);
}

}  // namespace

std::string status_text(const Json& summary) {
  auto out = text_of(summary, "headline", "No headline.") + "\n";
  if (const auto& detail = member(summary, "headline_detail"); !detail.is_null()) out += text_of(detail) + "\n";
  return out + "\n" + figures(summary) + "\n" + counts(member(summary, "bands"), "band") + "\n" + footer(summary);
}

std::string gpus_text(const Json& gpus, std::size_t width) {
  TextTable t({{"BAND", false, 10},
               {"SCORE", true, 11},
               {"NAME", false, 12},
               {"ID", false, 9},
               {"MODEL", false, 2},
               {"RACK", false, 3},
               {"TEMP", true, 6},
               {"POWER", true, 4},
               {"UTIL", true, 1},
               {"", false, 5},
               {"TOP FINDING", false, 7}});
  const auto& items = member(gpus, "items");
  for (const auto& g : items) t.add(gpu_cells(g));
  const auto total = member(gpus, "total");
  const auto note = fmt::format("{} of {} GPUs · as of {}", items.size(), grouped(total), text_of(gpus, "as_of", "-"));
  return t.text(width) + cut(note, width) + "\n";
}

std::string gpu_text(const Json& gpu, const Json& health) {
  return identity(gpu) + "\n" + score_line(health) + why(health) + readings(gpu);
}

}  // namespace ghm::views
