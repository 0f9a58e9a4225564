#include "domain/views/snapshot_view.h"

#include <fmt/format.h>

#include <array>

#include "core/utf8.h"
#include "domain/views/rma_page.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostRows = 600;  // of facts and readings, on a page
constexpr std::array<std::pair<const char*, const char*>, 4> kParts = {{{"host_state", "The host at the sign"},
                                                                        {"gpu_state", "The GPU at the sign"},
                                                                        {"later_host", "The host a moment later"},
                                                                        {"later", "The GPU a moment later"}}};

const Json& at(const Json& j, const char* name) {
  static const Json none;
  const auto it = j.is_object() ? j.find(name) : j.end();
  return j.is_object() && it != j.end() ? *it : none;
}

std::string text(const Json& v) {
  if (v.is_null()) return "not known";
  return printable(to_utf8(v.is_string() ? v.get<std::string>() : v.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

/// What the agent said, or that it cannot be read.
Json said(const Json& body) {
  if (at(body, "said").is_object()) return at(body, "said");
  if (at(body, "unreadable").is_string())
    return {{"missing", "the agent's document cannot be read"}, {"unreadable", at(body, "unreadable")}};
  return nullptr;
}

void add_lines(const Json& part, std::vector<std::string>& out) {
  const auto& lines = at(at(at(part, "sources"), "kernel_log"), "lines");
  if (!lines.is_array()) return;
  for (const auto& l : lines) out.push_back(text(l));
}

struct Row {
  std::string name, value;
};

void add_rows(const std::string& prefix, const Json& object, std::vector<Row>& out) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.items()) out.push_back({prefix + text(name), text(value)});
}

/// All that a part says in names and values: of its sources, then what else it has.
std::vector<Row> rows_of(const Json& part) {
  std::vector<Row> out;
  const auto& sources = at(part, "sources");
  if (sources.is_object())
    for (const auto& [name, source] : sources.items()) {
      add_rows(text(name) + ".", at(source, "facts"), out);
      const auto& processes = at(source, "processes");
      if (processes.is_array())
        for (const auto& p : processes) out.push_back({text(name) + ".process", text(p)});
    }
  for (const auto* name : {"gpu", "agent", "host"}) add_rows(std::string(name) + ".", at(part, name), out);
  add_rows("reading ", at(at(part, "readings"), "values"), out);
  return out;
}

std::string sign_line(const Json& d) {
  const auto& s = at(d, "sign");
  const auto& code = at(s, "code");
  return fmt::format("{}{}", text(at(s, "kind")), code.is_number() ? " " + code.dump() : std::string());
}

std::string gpu_line(const Json& d) {
  const auto& g = at(d, "gpu");
  for (const auto* name : {"serial", "uuid", "pci_bus_id"})
    if (at(g, name).is_string()) return "GPU " + text(at(g, name));
  return "the host as such";
}

}  // namespace

Json snapshot_document(const Json& sign, const Json& context, const Json& later, const Json& later_context) {
  auto gpu_state = said(sign);
  if (gpu_state.is_object()) gpu_state.erase("jobs");
  return {{"id", at(sign, "id")},
          {"at", at(sign, "at")},
          {"host", at(sign, "host")},
          {"gpu", at(sign, "gpu")},
          {"sign", at(gpu_state, "sign")},
          {"host_state", said(context)},
          {"gpu_state", std::move(gpu_state)},
          {"later", said(later)},
          {"later_host", said(later_context)}};
}

std::vector<std::string> snapshot_missing(const Json& d) {
  std::vector<std::string> out;
  for (const auto& [part, title] : kParts) {
    if (at(at(d, part), "missing").is_string()) out.push_back(text(at(at(d, part), "missing")));
    const auto& sources = at(at(d, part), "sources");
    if (!sources.is_object()) continue;
    for (const auto& [name, source] : sources.items())
      if (at(source, "missing").is_string()) out.push_back(fmt::format("{}: {}", text(name), text(at(source, "missing"))));
  }
  if (at(d, "host_state").is_null()) out.push_back("what the host said at the sign has not reached the server");
  return out;
}

std::vector<std::string> snapshot_lines(const Json& d) {
  std::vector<std::string> out;
  add_lines(at(d, "host_state"), out);
  add_lines(at(d, "later_host"), out);
  return out;
}

std::string snapshot_text(const Json& d) {
  auto out = fmt::format("snapshot {}\ntaken    {} on {}, of {}\nsign     {}: {}\nwhy      {}\n", text(at(d, "id")), text(at(d, "at")),
                         text(at(d, "host")), gpu_line(d), sign_line(d), text(at(at(d, "sign"), "text")), text(at(at(d, "sign"), "why")));
  out += "\nWhat could not be read\n";
  const auto missing = snapshot_missing(d);
  for (const auto& m : missing) out += "  " + m + "\n";
  if (missing.empty()) out += "  nothing: all was read\n";
  for (const auto& [part, title] : kParts) {
    const auto rows = rows_of(at(d, part));
    if (rows.empty()) continue;
    out += fmt::format("\n{}\n", title);
    for (const auto& r : rows) out += fmt::format("  {}: {}\n", r.name, r.value);
  }
  out += "\nThe kernel's log: number, seconds since the boot, level, text\n";
  for (const auto& l : snapshot_lines(d)) out += "  " + l + "\n";
  return out;
}

std::string snapshot_html(const Json& d) {
  auto out = fmt::format("<h3>Snapshot {}</h3>\n<p>Taken {} on host {}, of {}. Sign: {}. {}</p>\n", html_text(text(at(d, "id"))),
                         html_text(text(at(d, "at"))), html_text(text(at(d, "host"))), html_text(gpu_line(d)), html_text(sign_line(d)),
                         html_text(text(at(at(d, "sign"), "text"))));
  const auto missing = snapshot_missing(d);
  out += missing.empty() ? "<p>All was read.</p>\n" : "<p>What could not be read:</p>\n<ul>\n";
  for (const auto& m : missing) out += fmt::format("<li>{}</li>\n", html_text(m));
  if (!missing.empty()) out += "</ul>\n";
  out += "<p>The kernel's log around it, all lines:</p>\n<pre>";
  for (const auto& l : snapshot_lines(d)) out += html_text(l) + "\n";
  out += "</pre>\n";
  for (const auto& [part, title] : kParts) {
    const auto rows = rows_of(at(d, part));
    if (rows.empty()) continue;
    out += fmt::format("<details><summary>{}</summary>\n<table>\n", title);
    for (std::size_t i = 0; i < std::min(rows.size(), kMostRows); ++i)
      out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", html_text(rows[i].name), html_text(rows[i].value));
    out += "</table></details>\n";
  }
  return out;
}

}  // namespace ghm::views
