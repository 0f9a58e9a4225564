// Repair cases for a terminal.
#include <fmt/format.h>

#include "domain/views/case_view.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

const Json& at(const Json& j, const char* name) {
  static const Json none;
  const auto it = j.is_object() ? j.find(name) : j.end();
  return j.is_object() && it != j.end() ? *it : none;
}

std::string text(const Json& j, const char* name) {
  const auto& v = at(j, name);
  return v.is_string() ? printable(v.get<std::string>()) : v.is_number_integer() ? v.dump() : std::string();
}

std::string place(const Json& c) {
  const auto gpu = text(c, "gpu");
  return gpu.empty() ? "host " + text(c, "host") : gpu;
}

// What comes next in its life, in few words.
std::string until(const Json& c) {
  if (at(c, "outcome").is_string()) return text(c, "outcome");
  if (at(c, "watch_until").is_string()) return "watched until " + text(c, "watch_until");
  if (at(c, "overdue") == true) return "overdue since " + text(c, "due_at");
  return at(c, "due_at").is_string() ? "due " + text(c, "due_at") : std::string();
}

std::string signs_line(const Json& s) {
  if (!s.is_object()) return "nothing was done yet";
  const auto& rate = at(s, "per_30_days");
  return fmt::format("{} {} in {:g} days{}", text(s, "signs"), text(s, "signs") == "1" ? "sign" : "signs", at(s, "days").get<double>(),
                     rate.is_number() ? fmt::format(", {:g} per 30 days", rate.get<double>()) : "");
}

}  // namespace

std::string cases_text(const Json& list, std::size_t width) {
  TextTable table({{"id", true, 9},
                   {"state", false, 8},
                   {"what", false, 9},
                   {"host", false, 4},
                   {"fault", false, 5},
                   {"action", false, 7},
                   {"opened", false, 3},
                   {"then", false, 6},
                   {"symptom", false, 2}});
  for (const auto& c : at(list, "items"))
    table.add({text(c, "id"), text(c, "state"), place(c), text(c, "host"), text(c, "fault"), text(c, "action"), text(c, "opened_at"),
               until(c), text(c, "symptom")});
  if (at(list, "items").empty()) return "no repair cases\n";
  return table.text(width);
}

std::string case_text(const Json& d, std::size_t width) {
  auto out = fmt::format("case {}: {}{}{}\n", text(d, "id"), text(d, "state"),
                         at(d, "outcome").is_string() ? ", " + text(d, "outcome") : "", at(d, "simulated") == true ? " (simulated)" : "");
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += cut(fmt::format("{:<9} {}", name, value), width) + "\n";
  };
  line("what", place(d) + (at(d, "gpu").is_string() ? " on " + text(d, "host") : ""));
  line("symptom", text(d, "symptom"));
  line("action", fmt::format("{}: {}", text(d, "action"), text(d, "action_says")));
  line("expects", text(d, "expects"));
  line("then", until(d));
  line("before", signs_line(at(d, "before")));
  line("after", signs_line(at(d, "after")));
  if (at(d, "cost").is_number()) line("cost", fmt::format("{:g}", at(d, "cost").get<double>()));
  line("missing", text(d, "why_not_closed"));
  out += "\n";
  for (const auto& s : at(d, "steps"))
    out += cut(fmt::format("{}  {:<11} {}{}", text(s, "at"), text(s, "what"), text(s, "note"),
                           at(s, "by").is_string() ? " (" + text(s, "by") + ")" : ""),
               width) +
           "\n";
  return out;
}

std::string case_stats_text(const Json& stats, std::size_t width) {
  TextTable table({{"action", false, 9},
                   {"fault", false, 8},
                   {"model", false, 3},
                   {"closed", true, 4},
                   {"helped", true, 7},
                   {"did not", true, 7},
                   {"cannot tell", true, 2},
                   {"share", true, 6},
                   {"95 %", false, 6},
                   {"median days", true, 1}});
  for (const auto& r : at(stats, "items"))
    table.add({text(r, "action"), text(r, "fault"), text(r, "model"), text(r, "closed"), text(r, "helped"), text(r, "did_not_help"),
               text(r, "cannot_tell"), percent(at(r, "share")),
               at(r, "low").is_number() ? percent(at(r, "low")) + " to " + percent(at(r, "high")) : "-",
               at(r, "median_days").is_number() ? fmt::format("{:g}", at(r, "median_days").get<double>()) : "-"});
  if (at(stats, "items").empty()) return "no repair has been tried to its end yet\n";
  return table.text(width);
}

std::string case_offenders_text(const Json& offenders, std::size_t width) {
  TextTable table({{text(offenders, "by"), false, 9},
                   {"host", false, 3},
                   {"incidents", true, 7},
                   {"again", true, 7},
                   {"repairs", true, 6},
                   {"relapses", true, 7},
                   {"boards", true, 4},
                   {"last", false, 5},
                   {"what", false, 2}});
  for (const auto& o : at(offenders, "items"))
    table.add({text(o, "name"), text(o, "host"), text(o, "incidents"), text(o, "reopened"), text(o, "cases"), text(o, "relapses"),
               text(o, "boards"), text(o, "last_at"), text(o, "says")});
  if (at(offenders, "items").empty()) return fmt::format("nobody failed twice in {} days\n", text(offenders, "days"));
  return table.text(width);
}

}  // namespace ghm::views
