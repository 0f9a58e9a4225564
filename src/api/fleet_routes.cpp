#include <fmt/format.h>

#include <set>

#include "api/params.h"
#include "api/route.h"
#include "api/static_files.h"
#include "domain/store/subjects.h"
#include "domain/views/ledger_views.h"
#include "pipeline/event_code.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostEvents = 1000;
constexpr std::size_t kMostLookedAt = 20'000;  // of all kinds, while looking for one kind

std::string text_at(const views::Json& body, const char* key) {
  const auto found = body.find(key);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

views::Json event_item(const store::Record& record, const views::Json& body) {
  const auto text_or_null = [&](const char* key) -> views::Json {
    const auto found = body.find(key);
    return found == body.end() || !found->is_string() || found->get_ref<const std::string&>().empty() ? views::Json() : *found;
  };
  const int code = pipeline::event_code(body);
  views::Json item{{"at", format_rfc3339(record.at)},
                   {"kind", text_or_null("kind")},
                   {"gpu", text_or_null("gpu")},
                   {"host", text_or_null("host")},
                   {"code", code == 0 ? views::Json() : views::Json(code)},
                   {"detail", text_or_null("detail")}};
  if (const auto numbers = body.find("anomaly"); numbers != body.end() && numbers->is_object()) item["anomaly"] = *numbers;
  return item;
}

}  // namespace

http::Response get_summary(const Call& call) {
  return json_answer(views::fleet_summary(*call.fleet));
}

http::Response get_layout(const Call& call) {
  auto r = json_answer(views::fleet_layout(*call.fleet));
  r.headers.emplace_back("ETag", fmt::format("\"{}\"", views::layout_version(*call.fleet)));
  r.static_headers = standard_headers(Caching::revalidate);
  return r;
}

http::Response get_cells(const Call& call) {
  auto cells = views::fleet_cells(*call.fleet, call.request.param("colour").value_or("health"));
  if (!cells) return problem_of(cells.error());
  http::Response r;
  r.content_type = "application/octet-stream";
  r.body = std::move(*cells);
  return r;
}

http::Response get_meta(const Call& call) {
  return json_answer(views::meta(call.fleet->as_of, *call.world->profile));
}

http::Response get_coverage(const Call& call) {
  return json_answer(views::fleet_coverage(*call.fleet));
}

namespace {

/// Hosts of a place that was asked for; all when none was.
class HostFilter {
 public:
  explicit HostFilter(const Call& call) {
    const auto host = call.request.param("host"), rack = call.request.param("rack"), site = call.request.param("datacenter");
    active_ = host || rack || site;
    if (!active_) return;
    for (const auto& h : call.fleet->hosts)
      if ((!host || *host == h.host.name) && (!rack || *rack == h.host.place.rack) && (!site || *site == h.host.place.datacenter))
        names_.insert(h.host.name);
  }
  bool is_active() const { return active_; }
  bool passes(const std::string& host) const { return !active_ || names_.contains(host); }

 private:
  bool active_ = false;
  std::set<std::string> names_;
};

// `board`: only events about it; none: all.
http::Response events(const Call& call, fleet::BoardId board) {
  const auto limit = number_param(call.request, "limit", 100, 1, kMostEvents);
  if (!limit) return problem_of(limit.error());
  const auto kind = call.request.param("kind");
  const HostFilter hosts(call);
  const bool of_board = board != fleet::BoardId::none;
  const bool all = !kind && !hosts.is_active();
  // The future too: a clock that was set back must not hide what happened.
  const TimeRange ever{Timestamp(), call.now() + std::chrono::days(2)};
  const auto most = all ? *limit : kMostLookedAt;
  const auto records = of_board ? call.world->records.about("event", store::board_subject(board), ever, most)
                                : call.world->records.recent("event", ever, most);
  if (!records) return problem_of(records.error());
  views::Json items = views::Json::array();
  for (const auto& record : *records) {
    const auto body = views::Json::parse(record.body, nullptr, false);
    if (!body.is_object() || (kind && body.value("kind", "") != *kind)) continue;
    if (!hosts.passes(text_at(body, "host"))) continue;
    items.push_back(event_item(record, body));
    if (items.size() == *limit) break;
  }
  return json_answer({{"items", std::move(items)}, {"next", nullptr}, {"as_of", format_rfc3339(call.fleet->as_of)}});
}

}  // namespace

http::Response get_events(const Call& call) {
  return events(call, fleet::BoardId::none);
}

http::Response get_gpu_events(const Call& call) {
  const auto board = board_named(*call.fleet, call.id);
  if (!board) return problem_of(board.error());
  return events(call, call.fleet->boards[*board].board.id);
}

}  // namespace ghm::api
