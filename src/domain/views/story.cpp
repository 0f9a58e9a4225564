#include "domain/views/story.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/telemetry/metric_catalogue.h"
#include "domain/views/board_facts.h"
#include "domain/views/headline.h"
#include "domain/views/links.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostListed = 20, kMostAsked = 64;
constexpr auto kDay = std::chrono::hours(24), kMonth = std::chrono::hours(24 * 30);

struct Verb {
  std::string_view one, many;
};
constexpr std::array<Verb, kCauses> kVerbs = {{
    {"runs hot", "run hot"},
    {"has power trouble", "have power trouble"},
    {"shows memory errors", "show memory errors"},
    {"has NVLink trouble", "have NVLink trouble"},
    {"has PCIe trouble", "have PCIe trouble"},
    {"raises hardware Xids", "raise hardware Xids"},
    {"is silent", "are silent"},
    {"runs slow", "run slow"},
}};

struct Subject {
  std::string_view kind, words;
  bool place;
};
constexpr Subject kSubjects[] = {
    {"region", "Region", true},
    {"datacenter", "Site", true},
    {"rack", "Rack", true},
    {"host", "Host", true},
    {"model", "GPUs of model", false},
    {"batch", "GPUs of batch", false},
    {"driver", "GPUs with driver", false},
};

const Subject& subject_of(const Grouping& kind) {
  return *std::ranges::find(kSubjects, kind.name, &Subject::kind);
}

bool cuts_clocks(const BoardView& view) {
  if (!view.health) return false;
  for (const auto& d : view.health->dimensions)
    if (std::ranges::find(d.findings, "thermal.throttle", &health::Finding::rule) != d.findings.end()) return true;
  return false;
}

std::string effect(const Cluster& c, const FleetSnapshot& fleet) {
  const auto how_many = [&](auto test) {
    return static_cast<std::size_t>(std::ranges::count_if(c.boards, [&](std::size_t i) { return test(fleet.boards[i]); }));
  };
  if (c.cause == Cause::heat)
    if (const auto n = how_many(cuts_clocks); n > 0)
      return fmt::format(" and {} already cut clocks on {}", subject_of(*c.kind).place ? "has" : "have", counted(n, "GPU"));
  const auto n = how_many([](const BoardView& v) { return v.health && v.health->risk == "critical"; });
  return n == 0 ? std::string() : fmt::format("; {} {} action", counted(n, "GPU"), n == 1 ? "needs" : "need");
}

// When half of its boards showed it: the first may have had another, older trouble.
std::optional<Timestamp> since_of(const Cluster& c, const FleetSnapshot& fleet, const Signs& signs, const FallOf& falls) {
  std::vector<Timestamp> known;
  for (const auto i : std::span(c.boards).first(std::min(c.boards.size(), kMostAsked))) {
    auto since = signs.since(c.cause, i);
    for (const auto within : {kDay, kMonth})
      if (!since && falls)
        if (const auto fall = falls(fleet.boards[i].board.id, score_series(c.cause), within)) since = fall->since;
    if (since) known.push_back(*since);
  }
  if (known.size() * 2 < std::min(c.boards.size(), kMostAsked)) return std::nullopt;
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>((known.size() - 1) / 2);
  std::ranges::nth_element(known, middle);
  return *middle;
}

// What runs hot or short of power runs slow: that is one story.
bool is_consequence(const Cluster& c, const std::vector<Cluster>& all) {
  if (c.cause != Cause::performance) return false;
  return std::ranges::any_of(
      all, [&](const Cluster& o) { return (o.cause == Cause::heat || o.cause == Cause::power) && o.kind == c.kind && o.id == c.id; });
}

Json cluster_json(const Cluster& c, const FleetSnapshot& fleet, const Signs& signs, const FallOf& falls) {
  const auto since = since_of(c, fleet, signs, falls);
  Json members = Json::array();
  for (const auto i : std::span(c.boards).first(std::min(c.boards.size(), kMostAsked))) members.push_back(id_of(fleet.boards[i].board));
  return {{"kind", c.kind->name},
          {"id", c.id},
          {"cause", to_string(c.cause)},
          {"since", since ? Json(format_rfc3339(*since)) : Json()},
          {"gpus", c.gpus},
          {"of", c.of},
          {"elsewhere", c.elsewhere},
          {"others", c.others},
          {"text", cluster_text(c, fleet, since)},
          {"evidence", group_link(c.kind->name, c.id)},
          {"p_chance", c.p_chance},
          {"members", std::move(members)}};
}

const BoardView* board_of(const FleetSnapshot& fleet, fleet::BoardId id) {
  const auto found = std::ranges::find(fleet.boards, id, [](const BoardView& v) { return v.board.id; });
  return found == fleet.boards.end() ? nullptr : &*found;
}

Json anomaly_json(const OpenAnomaly& a, const FleetSnapshot& fleet) {
  const auto* view = a.board == fleet::BoardId::none ? nullptr : board_of(fleet, a.board);
  const auto* metric = telemetry::MetricCatalogue::built_in().find(a.metric);
  const auto cause = cause_of_metric(a.metric);
  return {{"gpu", view ? Json(id_of(view->board)) : Json()},
          {"host", a.host},
          {"metric", metric ? Json(metric->name) : Json()},
          {"cause", cause ? Json(to_string(*cause)) : Json()},
          {"detector", a.detector},
          {"severity", a.severity},
          {"since", format_rfc3339(a.since)},
          {"text", fmt::format("{}: {}", view ? name_of(view->board) : a.host, a.sentence)}};
}

// Of one kind of trouble the worst first, then the newest.
Json anomalies_json(const FleetSnapshot& fleet) {
  constexpr std::string_view kOrder[] = {"critical", "error", "warning", "info"};
  const auto rank = [&](const OpenAnomaly* a) {
    return std::pair(std::ranges::find(kOrder, a->severity) - std::begin(kOrder), -to_unix_ms(a->since));
  };
  std::vector<const OpenAnomaly*> all;
  for (const auto& a : fleet.anomalies) all.push_back(&a);
  std::ranges::stable_sort(all, {}, rank);
  Json items = Json::array();
  for (const auto* a : all) {
    if (items.size() == kMostListed) break;
    items.push_back(anomaly_json(*a, fleet));
  }
  return {{"open", all.size()}, {"items", std::move(items)}};
}

Json silence_json(const char* kind, const std::string& id, const std::string& name, Timestamp since, Timestamp now) {
  return {
      {"kind", kind}, {"id", id}, {"since", or_null(since)}, {"text", fmt::format("{} is silent since {}.", name, since_text(since, now))}};
}

// A silent host speaks for its boards.
Json silences_json(const FleetSnapshot& fleet) {
  Json items = Json::array();
  std::size_t open = 0;
  std::map<std::string_view, bool> silent_host;
  const auto add = [&](Json item) {
    ++open;
    if (items.size() < kMostListed) items.push_back(std::move(item));
  };
  for (const auto& h : fleet.hosts) {
    if (!h.silent || fleet.maintenance.covering_host(h.host.name, h.host.place.rack, fleet.as_of) != nullptr) continue;
    silent_host[h.host.name] = true;
    add(silence_json("host", h.host.name, "Host " + h.host.name, h.host.silent_since.value_or(h.host.last_answer), fleet.as_of));
  }
  for (const auto& v : fleet.boards) {
    if (!v.silent || !v.board.in_service || silent_host.contains(v.board.host) || fleet.maintenance.covering(v.board, fleet.as_of))
      continue;
    add(silence_json("gpu", id_of(v.board), name_of(v.board), v.board.silent_since.value_or(v.board.last_seen), fleet.as_of));
  }
  return {{"open", open}, {"items", std::move(items)}};
}

}  // namespace

std::string since_text(Timestamp since, Timestamp now) {
  if (since == Timestamp{}) return "the beginning";
  const auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(since));
  return now - since < kDay ? text.substr(11, 5) + " UTC" : text.substr(0, 10);
}

std::string cluster_text(const Cluster& c, const FleetSnapshot& fleet, std::optional<Timestamp> since) {
  const auto& subject = subject_of(*c.kind);
  const auto& verb = kVerbs[index_of(c.cause)];
  const auto when = since ? " since " + since_text(*since, fleet.as_of) : std::string();
  if (subject.place)
    return fmt::format("{} {} {}{} ({} of {}){}.", subject.words, c.id, verb.one, when, c.gpus, counted(c.of, "GPU"), effect(c, fleet));
  return fmt::format("{} {} {} more often than others{}: {} of {}, elsewhere {} of {}{}.", subject.words, c.id, verb.many, when, c.gpus,
                     c.of, c.elsewhere, c.others, effect(c, fleet));
}

Json story_clusters(const FleetSnapshot& fleet, const FallOf& falls, const std::function<bool(const Cluster&)>& concerns) {
  const Signs signs(fleet);
  Json out = Json::array();
  const auto clusters = find_clusters(fleet, signs);
  for (const auto& c : clusters)
    if (concerns(c) && !is_consequence(c, clusters)) out.push_back(cluster_json(c, fleet, signs, falls));
  return out;
}

Json fleet_story(const FleetSnapshot& fleet, const FallOf& falls) {
  const auto summary = fleet_summary(fleet);
  return {{"as_of", summary["as_of"]},
          {"headline", summary["headline"]},
          {"need_action", summary["need_action"]},
          {"simulated", summary["simulated"]},
          {"clusters", story_clusters(fleet, falls, [](const Cluster&) { return true; })},
          {"moved", moved_groups(fleet, falls)},
          {"anomalies", anomalies_json(fleet)},
          {"silences", silences_json(fleet)}};
}

}  // namespace ghm::views
