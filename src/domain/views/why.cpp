#include "domain/views/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "domain/faults/catalogue.h"
#include "domain/views/headline.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostEvents = 10;

const Json& at(const Json& object, std::string_view name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

double number(const Json& value) {
  return value.is_number() ? value.get<double>() : 0;
}

// Every lost point, the dearest first.
Json waterfall(const Json& health) {
  std::vector<Json> steps;
  for (const auto& d : at(health, "dimensions"))
    for (const auto& f : at(d, "findings")) {
      Json step{{"dimension", at(d, "name")}};
      for (const auto* name : {"rule", "lost_overall", "value", "reference", "unit", "window", "at", "text", "critical", "evidence"})
        step[name] = at(f, name);
      steps.push_back(std::move(step));
    }
  std::ranges::stable_sort(steps, [](const Json& a, const Json& b) { return number(a["lost_overall"]) > number(b["lost_overall"]); });
  return steps;
}

// From the highest score of the history to the last one, and when it had lost half of that.
Json fall(const Json& history) {
  const Json* highest = nullptr;
  const Json* last = nullptr;
  for (const auto& p : at(history, "items")) {
    if (!at(p, "score").is_number()) continue;
    last = &p;
    if (highest == nullptr || number(at(p, "score")) >= number(at(*highest, "score"))) highest = &p;
  }
  if (last == nullptr || number(at(*highest, "score")) - number(at(*last, "score")) < 1) return nullptr;
  const double from = number(at(*highest, "score")), to = number(at(*last, "score")), middle = (from + to) / 2;
  Json since = at(*last, "at");
  bool down = false;
  for (const auto& p : at(history, "items")) {
    if (!at(p, "score").is_number()) continue;
    const bool low = number(at(p, "score")) <= middle;
    if (low && !down) since = at(p, "at");
    down = low;
  }
  return {{"from", from}, {"to", to}, {"since", std::move(since)}};
}

struct Compared {
  double value, p10, p50, p90;
};

// The newest bucket that both have.
std::optional<Compared> newest(const Json& series, const Json& peers) {
  const auto& own = at(series, text(at(peers, "figure")));
  const auto &low = at(peers, "p10"), &middle = at(peers, "p50"), &high = at(peers, "p90");
  for (std::size_t i = std::min(own.size(), low.size()); i-- > 0;)
    if (own[i].is_number() && low[i].is_number()) return Compared{number(own[i]), number(low[i]), number(middle[i]), number(high[i])};
  return std::nullopt;
}

// Beyond the band by more than the band is wide, and by more than is worth a word.
bool is_unlike(const Compared& c) {
  const double room = std::max({c.p90 - c.p10, std::fabs(c.p50) * 0.05, 1e-9});
  return c.value > c.p90 + room || c.value < c.p10 - room;
}

// Gauges of peers are those of busy boards: an idle board is unlike them in its work, and that says all.
Json unlike_peers(const Json& metrics) {
  const auto& all = at(metrics, "series");
  Json out = Json::array();
  bool idle = false;
  const auto look = [&](const std::string& name, const Json& series) {
    const auto& peers = at(series, "peers");
    if (idle && at(peers, "under_load") == true) return;
    const auto c = newest(series, peers);
    if (!c || !is_unlike(*c)) return;
    out.push_back({{"metric", name},
                   {"unit", at(series, "unit")},
                   {"value", c->value},
                   {"p10", c->p10},
                   {"p50", c->p50},
                   {"p90", c->p90},
                   {"of", at(peers, "of")}});
  };
  constexpr std::string_view kWork = "DCGM_FI_DEV_GPU_UTIL";
  look(std::string(kWork), at(all, kWork));
  idle = !out.empty() && number(out[0]["value"]) < number(out[0]["p50"]);
  if (all.is_object())
    for (const auto& [name, series] : all.items())
      if (name != kWork) look(name, series);
  return out;
}

// By code, the newest first.
Json xids(const Json& events) {
  Json out = Json::array();
  for (const auto& e : at(events, "items")) {
    if (at(e, "kind") != "xid" || !at(e, "code").is_number_integer()) continue;
    const int code = at(e, "code");
    const auto same = std::ranges::find_if(out, [&](const Json& x) { return x["code"] == code; });
    if (same != out.end()) {
      (*same)["count"] = (*same)["count"].get<int>() + 1;
      continue;
    }
    const auto* known = faults::FaultCatalogue::built_in().find(faults::CodeKind::xid, code).code;
    out.push_back({{"code", code},
                   {"name", known ? Json(known->name) : Json()},
                   {"origin", known ? Json(to_string(known->origin)) : Json()},
                   {"first_action", known ? Json(to_string(known->first_action)) : Json()},
                   {"last", at(e, "at")},
                   {"count", 1}});
  }
  return out;
}

Json last_events(const Json& events) {
  Json out = Json::array();
  for (const auto& e : at(events, "items"))
    if (out.size() < kMostEvents) out.push_back(e);
  return out;
}

Json anomalies(const WhyParts& parts) {
  Json out = Json::array();
  for (const auto& a : at(at(parts.story, "anomalies"), "items")) {
    const bool of_host = at(a, "gpu").is_null() && at(a, "host") == at(parts.gpu, "host");
    if (of_host || at(a, "gpu") == at(parts.gpu, "id")) out.push_back(a);
  }
  return out;
}

// Clusters of the story that the board stands in, whether or not it shows the sign itself.
Json near(const WhyParts& parts) {
  Json out = Json::array();
  for (const auto& c : at(parts.story, "clusters")) {
    const auto kind = text(at(c, "kind"));
    const auto field = kind == "driver" ? std::string("driver_version") : kind;
    const auto& members = at(c, "members");
    const bool shows = std::ranges::find(members, at(parts.gpu, "id")) != members.end();
    if (!shows && at(c, "id") != at(parts.gpu, field)) continue;
    Json item = c;
    item.erase("members");
    item["shows_it"] = shows;
    out.push_back(std::move(item));
  }
  return out;
}

struct Step {
  std::string_view action, text;
};
// The words of data/faults/xids.csv, and the few that a score or the surroundings ask for.
constexpr Step kSteps[] = {
    {"replace_board", "Take it out of service and open an RMA with this page as evidence."},
    {"reset_gpu", "Drain it, reset the GPU (nvidia-smi -r), and look again after a day."},
    {"reboot_host", "Drain the host and reboot it."},
    {"drain_then_inspect", "Drain it, run a diagnostic (dcgmi diag -r 3), and inspect it before it works again."},
    {"check_seating_and_power", "Check seating, cables and power of the board."},
    {"update_driver", "Update the driver."},
    {"restart_job", "Restart the job; the board is not to blame."},
    {"check_cooling", "Look at air flow, fans, inlet temperature and thermal paste."},
    {"look_at_the_place", "Look at what they share before you touch this board."},
    {"look_at_the_host", "Find out why its exporter or host does not answer."},
};

Json action(std::string_view word, std::string because) {
  const auto found = std::ranges::find(kSteps, word, &Step::action);
  return {{"action", word}, {"text", found == std::end(kSteps) ? "" : found->text}, {"because", std::move(because)}};
}

struct RuleAction {
  std::string_view rule, action;
};
// What a rule says by itself; the rest is for the Xid, or for people.
constexpr RuleAction kRuleActions[] = {
    {"memory.remap_failed", "replace_board"},
    {"memory.remap_pending", "reset_gpu"},
    {"memory.ue_30d", "drain_then_inspect"},
    {"memory.ue_rising", "drain_then_inspect"},
    {"performance.pcie", "check_seating_and_power"},
    {"performance.nvlink", "reset_gpu"},
    {"thermal.throttle", "check_cooling"},
    {"thermal.mean", "check_cooling"},
    {"thermal.trend", "check_cooling"},
};

// The most certain first: nobody answers; the board is worn out; its surroundings; what the Xid asks for; what a rule asks for.
Json actions(const WhyParts& parts, const Json& why) {
  Json out = Json::array();
  std::set<std::string> told;
  const auto add = [&](std::string_view word, std::string because) {
    if (word != "none" && told.insert(std::string(word)).second) out.push_back(action(word, std::move(because)));
  };
  if (at(parts.gpu, "silent") == true) add("look_at_the_host", "it has stopped reporting since " + text(at(parts.gpu, "last_seen")));
  const auto by_rule = [&](bool critical) {
    for (const auto& step : why["waterfall"]) {
      const auto found = std::ranges::find(kRuleActions, std::string_view(step["rule"].get_ref<const std::string&>()), &RuleAction::rule);
      if (found != std::end(kRuleActions) && (at(step, "critical") == true) == critical) add(found->action, text(step["text"]));
    }
  };
  by_rule(true);
  for (const auto& c : why["near"])
    if (c["shows_it"] == true) add("look_at_the_place", text(c["text"]));
  for (const auto& x : why["xids"])
    if (at(x, "first_action").is_string())
      add(text(x["first_action"]), fmt::format("Xid {} ({}), last at {}", x["code"].get<int>(), text(x["name"]), text(x["last"])));
  by_rule(false);
  return out;
}

Json unknown(const WhyParts& parts, const Json& why) {
  Json out = Json::array();
  for (const auto& d : at(parts.health, "dimensions"))
    if (!at(d, "note").is_null()) out.push_back(fmt::format("{}: {}", text(at(d, "name")), text(at(d, "note"))));
  if (!at(parts.health, "note").is_null()) out.push_back(text(at(parts.health, "note")));
  if (at(parts.story, "clusters").is_null()) out.push_back("the fleet's story could not be read: whether it stands alone is not known");
  if (why["unlike_peers"].empty() && at(parts.metrics, "series").is_null())
    out.push_back("its readings could not be compared with its peers'");
  out.push_back("the kernel log was not read: Xids are those that its exporter printed");
  out.push_back("no diagnostic was run, and how likely it is to fail is not estimated by this version");
  return out;
}

// One sentence: what stands first, and the first step.
std::string verdict(const WhyParts& parts, const Json& why) {
  const auto name = text(at(parts.gpu, "name"));
  const bool silent = at(parts.gpu, "silent") == true;
  std::string state = silent ? fmt::format("{} is silent", name) : fmt::format("{} has no score", name);
  if (!silent && why["score"].is_number()) state = fmt::format("{} scores {:.1f} ({})", name, number(why["score"]), text(why["class"]));
  if (!silent && why["score"].is_number() && !why["waterfall"].empty()) state += ": " + text(why["waterfall"][0]["text"]);
  if (why["actions"].empty()) return state + ". Nothing asks for action.";
  return fmt::format("{}. First: {}", state, text(why["actions"][0]["text"]));
}

}  // namespace

Json why_gpu(const WhyParts& parts) {
  Json why{{"as_of", at(parts.gpu, "as_of")}};
  Json gpu = parts.gpu;
  for (const auto* name : {"readings", "siblings", "as_of", "dimensions", "top_finding"}) gpu.erase(name);
  why["gpu"] = std::move(gpu);
  why["verdict"] = "";
  for (const auto* name : {"score", "class", "band", "risk", "coverage", "peers_median", "profile", "scored_at"})
    why[name] = at(parts.health, name);
  why["waterfall"] = waterfall(parts.health);
  why["fell"] = fall(parts.history);
  why["unlike_peers"] = unlike_peers(parts.metrics);
  why["xids"] = xids(parts.events);
  why["events"] = last_events(parts.events);
  why["anomalies"] = anomalies(parts);
  why["near"] = near(parts);
  why["actions"] = actions(parts, why);
  why["unknown"] = unknown(parts, why);
  why["verdict"] = verdict(parts, why);
  return why;
}

}  // namespace ghm::views
