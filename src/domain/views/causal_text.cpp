// The answer of GET why for a terminal.
#include <fmt/format.h>

#include "domain/views/causal.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostLines = 60, kMostShownJobs = 10;

// The document may come from another version: what is missing reads as null.
const Json& at(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string text(const Json& object, const char* name) {
  const auto& value = at(object, name);
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.is_null() ? "-" : printable(value.dump());
}

std::string verdict(const Json& a, std::size_t) {
  auto out = text(a, "verdict") + "\n";
  const auto& next = at(a, "next");
  if (next.is_object())
    out += fmt::format("next: {} ({})\n  because: {}\n", text(next, "says"), text(next, "action"), text(next, "because"));
  return out;
}

std::string causes(const Json& a, std::size_t width) {
  std::string out;
  for (const auto& i : at(a, "incidents")) {
    out += cut(fmt::format("incident {}: {}, {}, {}: {}", text(i, "id"), text(i, "state"), text(i, "severity"), text(i, "place"),
                           text(i, "sign_says")),
               width) +
           "\n";
    if (&i != &at(a, "incidents")[0]) continue;  // of the others the line of time tells enough
    for (const auto& c : at(i, "causes")) {
      out += cut(fmt::format("{:>5}  {}: {}", percent(at(c, "probability")), text(c, "cause"), text(c, "says")), width) + "\n";
      for (const auto& [name, sign] : {std::pair{"evidence_for", "+"}, {"evidence_against", "-"}})
        for (const auto& e : at(c, name))
          out += cut(fmt::format("         {} {}{}", sign, at(e, "present") == true ? "" : "not seen: ", text(e, "says")), width) + "\n";
    }
  }
  for (const auto& r : at(a, "ruled_out"))
    out += cut(fmt::format("ruled out  {}: {} ({})", text(r, "cause"), text(r, "says"), text(r, "because")), width) + "\n";
  return out;
}

// The newest ones when there are many, and the first sign whatever.
std::string line_of_time(const Json& a, std::size_t width) {
  const auto& all = at(a, "timeline");
  if (all.empty()) return "";
  TextTable t({{"TIME", false, 9}, {"LANE", false, 8}, {"WHERE", false, 6}, {"WHAT", false, 7}, {"", false, 9}, {"DETAIL", false, 9}});
  const std::size_t skip = all.size() > kMostLines ? all.size() - kMostLines : 0;
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto& m = all[n];
    const bool first = at(m, "first") == true;
    if (n < skip && !first) continue;
    const auto where = !at(m, "gpu").is_null() ? text(m, "gpu") : !at(m, "host").is_null() ? text(m, "host") : text(m, "job");
    t.add({text(m, "at"), text(m, "lane"), where, at(m, "code").is_null() ? text(m, "kind") : text(m, "kind") + " " + text(m, "code"),
           first ? "◀ first sign" : "", text(m, "detail")});
  }
  auto out = t.text(width);
  if (skip > 0) out += fmt::format("{} earlier moments are not shown here: --json has them\n", skip);
  if (at(a, "left_out").is_number() && at(a, "left_out") > 0)
    out += fmt::format("{} moments were left out: ask for fewer days\n", text(a, "left_out"));
  return out;
}

std::string jobs(const Json& a, std::size_t width) {
  const auto& all = at(a, "ran_there");
  if (all.empty()) return "";
  TextTable t(
      {{"WHAT ELSE RAN THERE", false, 9}, {"USER", false, 5}, {"GPUS", true, 6}, {"FROM", false, 8}, {"TO", false, 8}, {"END", false, 7}});
  for (std::size_t n = 0; n < std::min(all.size(), kMostShownJobs); ++n)
    t.add({text(all[n], "job"), text(all[n], "user"), text(all[n], "gpus"), text(all[n], "from"), text(all[n], "to"), text(all[n], "end")});
  auto out = t.text(width);
  if (all.size() > kMostShownJobs) out += fmt::format("and {} more\n", all.size() - kMostShownJobs);
  return out;
}

std::string limits(const Json& a, std::size_t) {
  std::string out;
  for (const auto& u : at(a, "unknown"))
    out += (out.empty() ? "not known\n  " : "  ") + printable(u.is_string() ? u.get<std::string>() : u.dump()) + "\n";
  return out;
}

constexpr std::string (*kSections[])(const Json&, std::size_t) = {verdict, causes, line_of_time, jobs, limits};

}  // namespace

std::string causal_text(const Json& answer, std::size_t width) {
  std::string out;
  for (const auto section : kSections)
    if (const auto part = section(answer, width); !part.empty()) out += (out.empty() ? "" : "\n") + part;
  return out;
}

}  // namespace ghm::views
