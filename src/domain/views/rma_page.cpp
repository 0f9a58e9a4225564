#include "domain/views/rma_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/utf8.h"
#include "domain/views/snapshot_view.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostLines = 400, kMostRows = 400;
constexpr double kWidth = 900, kHeight = 90;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#1a1f26;background:#fff;max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #d5dae1}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top;border-bottom:1px solid #eceff3}
th{font-weight:600}td.n,th.n{text-align:right}td{overflow-wrap:anywhere}
pre{background:#f5f7f9;padding:.8rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
.mark{background:#fff3cd;border:1px solid #e0c35a;padding:.6rem .9rem}
svg{display:block;width:100%;height:auto}figure{margin:1rem 0}figcaption{font-size:13px}
@media print{body{margin:0}}
</style>
)";

const Json& at(const Json& j, const char* name) {
  static const Json none;
  if (!j.is_object()) return none;
  const auto it = j.find(name);
  return it == j.end() ? none : *it;
}

std::string number_text(double v) {
  return std::abs(v) < 1e15 && v == std::floor(v) ? fmt::format("{:.0f}", v) : fmt::format("{:.6g}", v);
}

/// Any value as text that is safe in HTML; "not known" for none.
std::string cell(const Json& v) {
  if (v.is_null() || (v.is_string() && v.get_ref<const std::string&>().empty())) return "not known";
  if (v.is_string()) return html_text(v.get_ref<const std::string&>());
  if (v.is_number()) return number_text(v.get<double>());
  if (v.is_boolean()) return v.get<bool>() ? "yes" : "no";
  return html_text(v.dump(-1, ' ', false, Json::error_handler_t::replace));
}

struct Column {
  const char *title, *key;
  bool number = false;
};

std::string table(const Json& rows, const std::vector<Column>& columns, std::string_view none) {
  if (!rows.is_array() || rows.empty()) return fmt::format("<p>{}</p>\n", none);
  std::string out = "<table><tr>";
  for (const auto& c : columns) out += fmt::format("<th{}>{}</th>", c.number ? " class=n" : "", c.title);
  out += "</tr>\n";
  const auto shown = std::min(rows.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    out += "<tr>";
    for (const auto& c : columns) out += fmt::format("<td{}>{}</td>", c.number ? " class=n" : "", cell(at(rows[i], c.key)));
    out += "</tr>\n";
  }
  out += "</table>\n";
  if (rows.size() > shown) out += fmt::format("<p>{} more rows: see evidence.json.</p>\n", rows.size() - shown);
  return out;
}

std::string facts(const std::vector<std::pair<const char*, const Json*>>& rows) {
  std::string out = "<table>\n";
  for (const auto& [name, value] : rows) out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, cell(*value));
  return out + "</table>\n";
}

std::string board_part(const Json& e) {
  const auto& b = at(e, "board");
  const auto& warranty = at(e, "warranty");
  return "<h2>The board</h2>\n" + facts({{"Serial number", &at(b, "serial")},
                                         {"UUID", &at(b, "gpu_uuid")},
                                         {"Model", &at(b, "model")},
                                         {"Driver", &at(b, "driver_version")},
                                         {"VBIOS", &at(b, "vbios_version")},
                                         {"Host", &at(b, "host")},
                                         {"PCI address", &at(b, "pci_bus_id")},
                                         {"Rack", &at(b, "rack")},
                                         {"First seen", &at(b, "first_seen")},
                                         {"Last seen", &at(b, "last_seen")},
                                         {"Warranty until", &at(warranty, "until")},
                                         {"Warranty at the fault", &at(warranty, "at_fault")}});
}

std::string fault_part(const Json& e) {
  const auto& window = at(e, "window");
  return "<h2>The fault</h2>\n" + facts({{"When", &at(at(e, "fault"), "at")},
                                         {"Known from", &at(at(e, "fault"), "why")},
                                         {"Evidence from", &at(window, "from")},
                                         {"Evidence until", &at(window, "to")}});
}

std::string incident_part(const Json& e) {
  std::string out = "<h2>Incidents and causes</h2>\n";
  const auto& all = at(e, "incidents");
  if (!all.is_array() || all.empty()) return out + "<p>No incident touches this board.</p>\n";
  for (const auto& i : all) {
    out += fmt::format("<h3>Incident {}: {}</h3>\n<p>{} to {}, {}, {}. Next step named: {}</p>\n", cell(at(i, "id")),
                       at(i, "cannot_tell") == true ? "cause cannot be told" : cell(at(i, "cause_says")), cell(at(i, "opened_at")),
                       cell(at(i, "last_sign_at")), cell(at(i, "severity")), cell(at(i, "state")), cell(at(i, "action_says")));
    Json rows = Json::array();
    for (const auto& c : at(i, "causes"))
      if (c.is_object())
        rows.push_back(
            {{"says", at(c, "says")},
             {"cause", at(c, "cause")},
             {"p", at(c, "probability").is_number() ? Json(fmt::format("{:.0f} %", 100 * at(c, "probability").get<double>())) : Json()}});
    out += table(rows, {{"Ranked cause", "says"}, {"Name", "cause"}, {"Probability", "p", true}}, "No cause could be ranked.");
  }
  return out;
}

std::string missing_part(const Json& e) {
  std::string out = "<h2>What is missing</h2>\n<ul>\n";
  for (const auto& m : at(e, "missing")) out += fmt::format("<li>{}</li>\n", cell(m));
  return out + "</ul>\n";
}

/// Upper and lower bound per bucket as one filled band; a line would hide a peak between two buckets.
std::string band(const RmaChart& c, TimeRange window, double low, double high) {
  const double span = std::max(1.0, to_unix_seconds(window.to) - to_unix_seconds(window.from));
  const auto x = [&](Timestamp t) { return (to_unix_seconds(t) - to_unix_seconds(window.from)) / span * kWidth; };
  const auto y = [&](double v) { return kHeight - 4 - (v - low) / (high - low) * (kHeight - 8); };
  std::string out;
  for (const auto& b : c.buckets)
    out += fmt::format("M{:.1f} {:.1f}V{:.1f}", std::clamp(x(b.from), 0.0, kWidth), y(b.min) + 0.7, y(b.max) - 0.7);
  return out;
}

std::string chart(const RmaChart& c, const RmaPage& page) {
  if (c.buckets.empty()) return {};
  double low = c.buckets[0].min, high = c.buckets[0].max;
  for (const auto& b : c.buckets) low = std::min(low, b.min), high = std::max(high, b.max);
  const double edge = high > low ? 0 : std::max(1.0, std::abs(high) * 0.01);
  const double span = std::max(1.0, to_unix_seconds(page.window.to) - to_unix_seconds(page.window.from));
  const double fault = std::clamp((to_unix_seconds(page.fault) - to_unix_seconds(page.window.from)) / span, 0.0, 1.0) * kWidth;
  return fmt::format(
      "<figure><figcaption>{} ({}), {} to {}; the vertical line is the fault</figcaption>"
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\"><rect width=\"{:.0f}\" height=\"{:.0f}\" fill=\"#f5f7f9\"/>"
      "<path d=\"{}\" stroke=\"#1f5fbf\" stroke-width=\"1.4\" fill=\"none\"/>"
      "<path d=\"M{:.1f} 0V{:.0f}\" stroke=\"#c0392b\" stroke-dasharray=\"4 3\"/></svg></figure>\n",
      html_text(c.name), html_text(c.unit), number_text(low), number_text(high), kWidth, kHeight, kWidth, kHeight,
      band(c, page.window, low - edge, high + edge), fault, kHeight);
}

/// Those that ever counted; the zeros are told in one line, for they are evidence too.
std::string counter_part(const Json& e) {
  Json counted = Json::array();
  std::size_t zeros = 0;
  for (const auto& c : at(e, "counters"))
    if (at(c, "last") == 0 && at(c, "increase_90d") == 0) ++zeros;
    else counted.push_back(c);
  auto out = "<h2>Counters</h2>\n" + table(counted,
                                           {{"Counter", "metric"},
                                            {"Value", "last", true},
                                            {"7 days", "increase_7d", true},
                                            {"30 days", "increase_30d", true},
                                            {"90 days", "increase_90d", true},
                                            {"Trend", "trend"}},
                                           "No counter of trouble has counted anything.");
  if (zeros > 0) out += fmt::format("<p>{} more counters are known and stand at 0: see evidence.json.</p>\n", zeros);
  return out;
}

std::string kernel_part(const std::vector<std::string>& lines) {
  std::string out = "<h2>Kernel log</h2>\n";
  if (lines.empty()) return out + "<p>No line of the kernel log is known in this time.</p>\n";
  out += "<pre>";
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) out += html_text(lines[i]) + "\n";
  out += "</pre>\n";
  if (lines.size() > kMostLines) out += fmt::format("<p>{} more lines: see kernel.log.</p>\n", lines.size() - kMostLines);
  return out;
}

std::string snapshot_part(const std::vector<Json>& snapshots) {
  std::string out = "<h2>Written down at the fault, before any reboot</h2>\n";
  if (snapshots.empty()) return out + "<p>No snapshot was taken: see what is missing.</p>\n";
  for (const auto& s : snapshots) out += snapshot_html(s);
  return out;
}

std::string history_part(const Json& e) {
  return "<h2>Moves, firmware and repairs</h2>\n" +
         table(at(e, "history"), {{"From", "from"}, {"Until", "to"}, {"What", "kind"}, {"Value", "value"}}, "Nothing is known.") +
         table(at(e, "repairs"), {{"When", "at"}, {"What", "what"}, {"Details", "detail"}}, "No repair is on record.");
}

constexpr std::string_view kCheck =
    "<h2>How to check this bundle</h2>\n<p>manifest.json lists every file with its SHA-256; manifest.sig is an Ed25519 signature over its "
    "bytes. "
    "With <code>ghm</code>: <code>ghm rma verify FILE --key SITE.pem</code>. Without: <code>openssl pkeyutl -verify -pubin -inkey SITE.pem "
    "-rawin -in manifest.json -sigfile manifest.sig</code>, then compare the checksums. Take the site's public key from the site, not from "
    "the "
    "bundle.</p>\n";

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : to_utf8(text)) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  return out;
}

std::string rma_page(const RmaPage& page) {
  const auto& e = page.evidence;
  const auto name = cell(at(at(e, "board"), "id"));
  std::string out(kHead);
  out += fmt::format("<title>Evidence on GPU {}</title></head><body>\n<h1>Evidence on GPU {}</h1>\n", name, name);
  if (at(e, "simulated") == true) out += "<p class=mark>This board is simulated: nothing here happened to a real GPU.</p>\n";
  out += fmt::format("<p>Gathered {} by {}.</p>\n", cell(at(e, "made_at")), cell(at(e, "made_by")));
  out += board_part(e) + fault_part(e) + missing_part(e) + incident_part(e);
  out += snapshot_part(page.snapshots);
  out += counter_part(e);
  out += kernel_part(page.kernel_lines);
  out += "<h2>Telemetry around the fault</h2>\n";
  for (const auto& c : page.charts) out += chart(c, page);
  out += history_part(e);
  out += kCheck;
  return out + "</body></html>\n";
}

}  // namespace ghm::views
