#include "pipeline/open_anomalies.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "domain/telemetry/metric_catalogue.h"

namespace ghm::pipeline {
namespace {

using nlohmann::json;

// "board 12: GPU temperature … (against its own past, warning)" -> "GPU temperature …"
std::string sentence_of(const std::string& detail) {
  const auto from = detail.find(": "), to = detail.rfind(" (");
  if (from == detail.npos) return detail;
  return detail.substr(from + 2, to == detail.npos || to < from ? detail.npos : to - from - 2);
}

template <class Word>
std::optional<Word> named(const std::string& word, std::size_t words) {
  for (std::size_t i = 0; i < words; ++i)
    if (to_string(static_cast<Word>(i)) == word) return static_cast<Word>(i);
  return std::nullopt;
}

std::optional<WasOpen> read(const json& body) {
  const auto numbers = body.find("anomaly");
  if (numbers == body.end()) return std::nullopt;
  const auto* metric = telemetry::MetricCatalogue::built_in().by_name(numbers->value("metric", ""));
  const auto detector = named<anomaly::Detector>(numbers->value("detector", ""), anomaly::kDetectors);
  const auto severity = named<anomaly::Severity>(numbers->value("severity", ""), 4);
  const auto peers = named<anomaly::Peers>(numbers->value("peers", ""), 4);
  const auto since = parse_time(numbers->value("since", ""));
  if (metric == nullptr || !detector || !severity || !peers || !since) return std::nullopt;
  WasOpen out;
  out.host = body.value("host", "");
  auto& a = out.anomaly;
  a.board = telemetry::BoardId{body.value("board", 0u)};
  a.metric = metric->id;
  a.detector = *detector;
  a.severity = *severity;
  a.peers = *peers;
  a.since = *since;
  a.value = numbers->value("value", 0.0);
  a.expected = numbers->value("expected", 0.0);
  a.sigma = numbers->value("sigma", 0.0);
  a.z = numbers->value("z", 0.0);
  a.sentence = sentence_of(body.value("detail", ""));
  return out;
}

// What is open at most once: per board (or host), detector and metric.
using Key = std::tuple<telemetry::BoardId, std::string, anomaly::Detector, telemetry::MetricId>;
Key key_of(const WasOpen& w) {
  const auto& a = w.anomaly;
  return {a.board, a.board == telemetry::BoardId::none ? w.host : std::string(), a.detector, a.metric};
}

void take(const store::Record& record, std::map<Key, WasOpen>& open) {
  if (record.body.find("\"anomaly") == record.body.npos) return;
  const auto body = json::parse(record.body, nullptr, false);
  if (!body.is_object()) return;
  try {
    const auto kind = body.value("kind", "");
    auto read_one = kind == "anomaly" || kind == "anomaly_cleared" ? read(body) : std::nullopt;
    if (!read_one) return;
    const auto key = key_of(*read_one);
    if (kind == "anomaly") open.insert_or_assign(key, std::move(*read_one));
    else open.erase(key);
  } catch (const json::exception&) {  // a field of another type than ours
  }
}

}  // namespace

Result<std::vector<WasOpen>> anomalies_of_before(const store::RecordStore& records, Timestamp now) {
  constexpr std::size_t kPage = 1000;
  const auto oldest = now - anomaly::BoardWatch::kAdopt;
  auto after = fmt::format("{:015}", to_unix_ms(oldest));  // keys begin with their time
  std::map<Key, WasOpen> open;
  for (bool more = true; more;) {
    const auto page = records.scan("event", "", after, kPage);
    if (!page) return page.error();
    for (const auto& record : *page) take(record, open);
    more = page->size() == kPage;
    if (more) after = page->back().key;
  }
  std::vector<WasOpen> out;
  for (auto& [key, was_open] : open)
    if (was_open.anomaly.since >= oldest) out.push_back(std::move(was_open));
  return out;
}

}  // namespace ghm::pipeline
