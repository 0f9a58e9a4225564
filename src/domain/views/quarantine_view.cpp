#include "domain/views/quarantine_view.h"

#include <fmt/format.h>

#include <unordered_map>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/text_table.h"

namespace ghm::views {
namespace {

std::string metric_name(telemetry::MetricId id) {
  const auto* spec = telemetry::MetricCatalogue::built_in().find(id);
  return spec ? spec->name : "";
}

/// Who an item is about: names as they are today.
struct Owner {
  std::string gpu, host;
};
using Owners = std::unordered_map<std::uint32_t, Owner>;

Owners owners_of(const FleetSnapshot& fleet, const std::vector<QuarantineItem>& items) {
  Owners wanted;
  for (const auto& item : items) wanted[static_cast<std::uint32_t>(item.board)];
  const auto find = [&](fleet::BoardId id) {
    return id == fleet::BoardId::none ? wanted.end() : wanted.find(static_cast<std::uint32_t>(id));
  };
  for (const auto& b : fleet.boards)
    if (const auto it = find(b.board.id); it != wanted.end())
      it->second = {b.board.serial.empty() ? b.board.uuid : b.board.serial, b.board.host};
  for (const auto& h : fleet.hosts)
    if (const auto it = find(h.host.id); it != wanted.end()) it->second.host = h.host.name;
  return wanted;
}

Json text_or_null(std::string text) {
  return text.empty() ? Json() : Json(std::move(text));
}

Json sample(const Owners& owners, const QuarantineItem& item) {
  const auto& owner = owners.at(static_cast<std::uint32_t>(item.board));
  return {{"id", item.id},
          {"at", format_rfc3339(item.last)},
          {"source", item.source},
          {"gpu", text_or_null(owner.gpu.empty() ? item.gpu : owner.gpu)},
          {"host", text_or_null(owner.host)},
          {"entity", to_string(item.entity)},
          {"metric", text_or_null(metric_name(item.metric))},
          {"value", item.value},
          {"reason", telemetry::to_string(item.reason)},
          {"count", item.count},
          {"first", format_rfc3339(item.first)},
          {"replayable", item.replayable}};
}

bool meant(const RefusedCount& r, const QuarantineQuery& q) {
  if (q.reason && telemetry::to_string(*q.reason) != r.reason) return false;
  if (!q.source.empty() && q.source != r.source) return false;
  return q.metric == telemetry::MetricId::none || metric_name(q.metric) == r.metric;
}

}  // namespace

Json quarantine(const FleetSnapshot& fleet, const QuarantineQuery& query, const QuarantinePage& page) {
  Json items = Json::array(), samples = Json::array();
  for (const auto& r : fleet.refused_by)
    if (meant(r, query)) items.push_back({{"source", r.source}, {"metric", r.metric}, {"reason", r.reason}, {"count", r.count}});
  const auto owners = owners_of(fleet, page.items);
  for (const auto& item : page.items) samples.push_back(sample(owners, item));
  return {{"items", std::move(items)},
          {"samples", std::move(samples)},
          {"next", page.next == 0 ? Json() : Json(std::to_string(page.next))},
          {"as_of", format_rfc3339(fleet.as_of)},
          {"accepted", fleet.accepted},
          {"refused", fleet.refused},
          {"kept", page.kept}};
}

namespace {

// The JSON may come from a server of another version: what is missing is a dash.
std::string cell(const Json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end() || found->is_null()) return "-";
  return printable(found->is_string() ? found->get_ref<const std::string&>() : found->dump());
}

const Json& list_in(const Json& document, const char* name) {
  static const Json none = Json::array();
  const auto found = document.find(name);
  return found != document.end() && found->is_array() ? *found : none;
}

}  // namespace

std::string quarantine_text(const Json& document, std::size_t width) {
  TextTable counts({{"source", false, 3}, {"metric", false, 4}, {"reason", false, 5}, {"values", true, 5}});
  for (const auto& i : list_in(document, "items")) counts.add({cell(i, "source"), cell(i, "metric"), cell(i, "reason"), cell(i, "count")});
  TextTable samples({{"last", false, 5},
                     {"gpu", false, 4},
                     {"metric", false, 5},
                     {"value", true, 5},
                     {"reason", false, 5},
                     {"times", true, 3},
                     {"source", false, 2}});
  for (const auto& s : list_in(document, "samples"))
    samples.add(
        {cell(s, "at"), cell(s, "gpu"), cell(s, "metric"), cell(s, "value"), cell(s, "reason"), cell(s, "count"), cell(s, "source")});
  if (list_in(document, "items").empty() && list_in(document, "samples").empty()) return "Nothing is in quarantine.\n";
  return fmt::format("{}\n{}\n{} of the refused values are kept and can be replayed.\n", counts.text(width), samples.text(width),
                     cell(document, "kept"));
}

}  // namespace ghm::views
