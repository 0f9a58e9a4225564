#include "domain/health/case_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "domain/health/case_reader.h"

namespace ghm::health {
namespace {

constexpr double kMostTime = 1e11, kMostValue = 1e18, kMostInterval = 86'400, kMostReadings = 20e6;
constexpr std::size_t kMostIntervals = 10'000;
constexpr const char* kATime = "a time in Unix seconds, 0 to 1e11";
constexpr const char* kRising = "a later time than the one before";

class Reader : public CaseReader {
 public:
  explicit Reader(std::string_view file) : CaseReader(file) {}
  Case read(const Node& root);

 private:
  double time(const Node& node) { return number(node, 0, kMostTime, kATime); }
  void add(Series& out, const Node& node, double at, const CaseJson& value, const char* when);
  void count(const Node& node, double readings);
  Series pairs(const Node& node);
  Series steps(const Node& node);
  void values(const Node& node, double start, double step, Series& out);
  void runs(const Node& node, double start, double step, Series& out);
  Series series(const Node& node);
  Metrics metrics(const Node& node);
  std::vector<Interval> intervals(const Node& node);
  Event event(const Node& node);
  Job job(const Node& node);
  Peer peer(const Node& node);
  void happenings(const Node& root, Input& in);
  void surroundings(const Node& root, Input& in);

  std::vector<std::string> ignored_;
  double readings_ = 0;
};

void Reader::count(const Node& node, double readings) {
  readings_ += readings;
  if (readings_ > kMostReadings) complain(node, "at most 20 million readings in all");
}

void Reader::add(Series& out, const Node& node, double at, const CaseJson& value, const char* when) {
  if (at > kMostTime || (!out.empty() && at <= out.back().at)) return complain(node, when);
  if (!value.is_null()) out.push_back({at, value.get<double>()});
}

Series Reader::pairs(const Node& node) {
  Series out;
  double last = -1;
  elements(node, "a list of [time, value]", [&](const Node& pair) {
    if (!pair.json().is_array() || pair.json().size() != 2) return complain(pair, "[time, value]");
    const double at = time(pair.at(0));
    if (!pair.json()[1].is_null()) number(pair.at(1), -kMostValue, kMostValue, "a number, -1e18 to 1e18, or null");
    if (at <= last) complain(pair.at(0), kRising);
    if (failed()) return;
    last = at;
    count(pair, 1);
    add(out, pair.at(0), at, pair.json()[1], kRising);
  });
  return out;
}

constexpr const char* kStepTooSmall = "steps that lead to later and later times, at most 1e11";

void Reader::values(const Node& node, double start, double step, Series& out) {
  double n = 0;
  elements(node, "a list of values", [&](const Node& value) {
    if (!value.json().is_null()) number(value, -kMostValue, kMostValue, "a number, -1e18 to 1e18, or null");
    count(value, 1);
    if (!failed()) add(out, value, start + step * n++, value.json(), kStepTooSmall);
  });
}

void Reader::runs(const Node& node, double start, double step, Series& out) {
  double n = 0;
  elements(node, "a list of [value, count]", [&](const Node& run) {
    if (!run.json().is_array() || run.json().size() != 2) return complain(run, "[value, count]");
    const auto value = run.at(0), times = run.at(1);
    if (!value.json().is_null()) number(value, -kMostValue, kMostValue, "a number, -1e18 to 1e18, or null");
    const double length = number(times, 0, kMostReadings, "how many readings, a whole number from 0");
    if (length != std::floor(length)) complain(times, "how many readings, a whole number from 0");
    count(times, length);
    for (const double end = n + length; n < end && !failed(); ++n) add(out, run, start + step * n, value.json(), kStepTooSmall);
  });
}

Series Reader::steps(const Node& node) {
  Series out;
  double start = 0, step = 0;
  required(node, "start", kATime, [&](const Node& n) { start = time(n); });
  required(node, "step_s", "seconds between readings, above 0", [&](const Node& n) {
    step = number(n, 0, kMostTime, "seconds between readings, above 0");
    if (step <= 0) complain(n, "seconds between readings, above 0");
  });
  note_unknown(node, {"start", "step_s", "values", "runs"}, ignored_);
  if (failed()) return out;
  const bool has_values = node.json().contains("values"), has_runs = node.json().contains("runs");
  if (has_values == has_runs) complain(node, "either \"values\" or \"runs\" beside \"start\" and \"step_s\"");
  else if (has_values) required(node, "values", "", [&](const Node& n) { values(n, start, step, out); });
  else required(node, "runs", "", [&](const Node& n) { runs(n, start, step, out); });
  return out;
}

Series Reader::series(const Node& node) {
  if (node.json().is_array()) return pairs(node);
  if (node.json().is_object()) return steps(node);
  complain(node, "a series: [[time, value], ...] or {\"start\", \"step_s\", \"values\" or \"runs\"}");
  return {};
}

Metrics Reader::metrics(const Node& node) {
  Metrics out;
  members(node, "an object of series by metric name", [&](const std::string& name, const Node& n) {
    auto& metric = out[name];
    if (!n.json().is_null()) metric = series(n);
  });
  return out;
}

std::vector<Interval> Reader::intervals(const Node& node) {
  std::vector<Interval> out;
  if (node.json().size() > kMostIntervals) complain(node, "at most 10,000 intervals");
  elements(node, "a list of [from, to]", [&](const Node& pair) {
    if (!pair.json().is_array() || pair.json().size() != 2) return complain(pair, "[from, to]");
    out.push_back({time(pair.at(0)), time(pair.at(1))});
    if (out.back().to < out.back().from) complain(pair.at(1), "an end that is not before the beginning");
  });
  return out;
}

Event Reader::event(const Node& node) {
  constexpr double kMostCode = 1e6;
  Event e{};
  if (!is_object(node, "an event: {\"time\", \"kind\", \"code\"}")) return e;
  note_unknown(node, {"time", "kind", "code"}, ignored_);
  required(node, "time", kATime, [&](const Node& n) { e.time = time(n); });
  required(node, "kind", "a kind such as \"xid\" or \"gpu_reset\"",
           [&](const Node& n) { e.kind = text(n, "a kind such as \"xid\" or \"gpu_reset\""); });
  member(node, "code", [&](const Node& n) {
    const double code = number(n, 0, kMostCode, "a code, a whole number");
    if (code != std::floor(code)) complain(n, "a code, a whole number");
    e.code = static_cast<int>(code);
  });
  return e;
}

Job Reader::job(const Node& node) {
  Job j{};
  if (!is_object(node, "the end of a job: {\"time\", \"ok\"}")) return j;
  note_unknown(node, {"time", "ok"}, ignored_);
  required(node, "time", kATime, [&](const Node& n) { j.time = time(n); });
  required(node, "ok", "true or false", [&](const Node& n) { j.ok = boolean(n, "true or false"); });
  return j;
}

Peer Reader::peer(const Node& node) {
  Peer p;
  if (!is_object(node, "a peer: {\"metrics\", \"same_host\", \"same_job\"}")) return p;
  note_unknown(node, {"metrics", "same_host", "same_job"}, ignored_);
  required(node, "metrics", "an object of series by metric name", [&](const Node& n) { p.metrics = metrics(n); });
  member(node, "same_host", [&](const Node& n) { p.same_host = boolean(n, "true or false"); });
  member(node, "same_job", [&](const Node& n) { p.same_job = boolean(n, "true or false"); });
  return p;
}

void Reader::happenings(const Node& root, Input& in) {
  member(root, "events", [&](const Node& n) {
    in.events.emplace();
    elements(n, "a list of events, or null where they are not known", [&](const Node& e) { in.events->push_back(event(e)); });
  });
  member(root, "jobs", [&](const Node& n) {
    in.jobs.emplace();
    elements(n, "a list of jobs' ends, or null where they are not known", [&](const Node& e) { in.jobs->push_back(job(e)); });
  });
  member(root, "maintenance", [&](const Node& n) { in.maintenance = intervals(n); });
  in.source_silent.emplace();
  member(root, "source_silent", [&](const Node& n) { in.source_silent = intervals(n); });
}

void Reader::surroundings(const Node& root, Input& in) {
  constexpr double kMostLinks = 1000, kMostRatio = 100;
  member(root, "peers", [&](const Node& n) { elements(n, "a list of peers", [&](const Node& e) { in.peers.push_back(peer(e)); }); });
  member(root, "links_expected", [&](const Node& n) {
    const double links = number(n, 0, kMostLinks, "the part's NVLinks, a whole number, or null");
    if (links != std::floor(links)) complain(n, "the part's NVLinks, a whole number, or null");
    in.links_expected = static_cast<int>(links);
  });
  member(root, "bandwidth_test", [&](const Node& n) {
    Input::BandwidthTest test{};
    if (!is_object(n, "a test's record {\"time\", \"ratio\"}, or null")) return;
    note_unknown(n, {"time", "ratio"}, ignored_);
    required(n, "time", kATime, [&](const Node& at) { test.time = time(at); });
    required(n, "ratio", "measured over rated bandwidth, 0 to 100",
             [&](const Node& r) { test.ratio = number(r, 0, kMostRatio, "measured over rated bandwidth, 0 to 100"); });
    in.bandwidth_test = test;
  });
  member(root, "previous_scores", [&](const Node& n) {
    in.previous_scores = series(n);
    const auto bad = std::ranges::find_if(in.previous_scores, [](const Reading& r) { return r.value < 0 || r.value > 100; });
    if (bad != in.previous_scores.end()) complain(n, "scores from 0 to 100");
  });
}

Case Reader::read(const Node& root) {
  Case c;
  auto& in = c.input;
  if (!is_object(root, "an object with \"t\", \"interval_s\", \"deployed_at\" and \"metrics\"")) return c;
  note_unknown(root,
               {"t", "interval_s", "deployed_at", "model", "metrics", "events", "peers", "links_expected", "bandwidth_test", "jobs",
                "maintenance", "source_silent", "previous_scores"},
               ignored_);
  required(root, "t", kATime, [&](const Node& n) { in.t = time(n); });
  required(root, "interval_s", "seconds between two readings, above 0 to 86400", [&](const Node& n) {
    in.interval_s = number(n, 0, kMostInterval, "seconds between two readings, above 0 to 86400");
    if (in.interval_s <= 0) complain(n, "seconds between two readings, above 0 to 86400");
  });
  required(root, "deployed_at", kATime, [&](const Node& n) { in.deployed_at = time(n); });
  member(root, "model", [&](const Node& n) { in.model = text(n, "the model's name"); });
  required(root, "metrics", "an object of series by metric name", [&](const Node& n) { in.metrics = metrics(n); });
  happenings(root, in);
  surroundings(root, in);
  c.ignored = std::move(ignored_);
  return c;
}

}  // namespace

Result<Case> parse_case(std::string_view json, std::string_view file) {
  CaseJson document;
  try {
    document = CaseJson::parse(json);
  } catch (const CaseJson::parse_error& e) {
    return Error{Errc::invalid_input, fmt::format("{}: not JSON at byte {}: expected one case as a JSON object", file, e.byte)};
  } catch (const CaseJson::exception&) {  // a number beyond a double's range
    return Error{Errc::invalid_input, fmt::format("{}: a number is beyond 1e308: expected one case as a JSON object", file)};
  }
  Reader reader(file);
  auto result = reader.read(Node(document));
  if (reader.failed()) return *reader.error();
  return result;
}

}  // namespace ghm::health
