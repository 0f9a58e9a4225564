#include "services/back_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ghm::services {
namespace {

using Json = nlohmann::json;

std::string key_of(telemetry::BoardId board) {
  return fmt::format("{:010}", static_cast<std::uint32_t>(board));
}

TimeRange range_of(const Json& in) {
  return {from_unix_ms(in.at(0).get<std::int64_t>()), from_unix_ms(in.at(1).get<std::int64_t>())};
}

Result<BackRecord> parse(const store::Record& r, BackRecord out) try {
  const auto in = Json::parse(r.body);
  for (const auto& span : in.at("spans")) out.spans.push_back({range_of(span), std::chrono::milliseconds(span.at(2).get<std::int64_t>())});
  for (const auto& range : in.at("scored")) out.scored.push_back(range_of(range));
  return out;
} catch (const std::exception& e) {
  return Error{Errc::corrupt, fmt::format("record {}/{} cannot be read ({}): restore ghm.db from a backup", r.kind, r.key, e.what())};
}

}  // namespace

std::optional<std::chrono::milliseconds> BackRecord::interval_at(Timestamp t) const {
  for (auto span = spans.rbegin(); span != spans.rend(); ++span)
    if (span->range.contains(t)) return span->interval;
  return std::nullopt;
}

bool BackRecord::is_scored(Timestamp t) const {
  return std::ranges::any_of(scored, [&](const TimeRange& r) { return r.contains(t); });
}

void BackRecord::note_span(Span span) {
  std::erase_if(spans, [&](const Span& s) { return span.range.from <= s.range.from && s.range.to <= span.range.to; });
  spans.push_back(span);
}

void BackRecord::note_scored(TimeRange range) {
  scored.push_back(range);
  std::ranges::sort(scored, {}, &TimeRange::from);
  std::vector<TimeRange> joined;
  for (const auto& r : scored)
    if (!joined.empty() && r.from <= joined.back().to) joined.back().to = std::max(joined.back().to, r.to);
    else joined.push_back(r);
  scored = std::move(joined);
}

store::Record to_record(const BackRecord& record) {
  Json body = {{"spans", Json::array()}, {"scored", Json::array()}};
  for (const auto& s : record.spans)
    body["spans"].push_back(Json::array({to_unix_ms(s.range.from), to_unix_ms(s.range.to), s.interval.count()}));
  for (const auto& r : record.scored) body["scored"].push_back(Json::array({to_unix_ms(r.from), to_unix_ms(r.to)}));
  const auto at = record.scored.empty() ? Timestamp{} : record.scored.back().to;
  return {"back_scores", key_of(record.board), at, body.dump()};
}

Result<BackRecord> read_back_record(const store::RecordStore& records, telemetry::BoardId board) {
  const auto record = records.get("back_scores", key_of(board));
  if (!record) return record.error();
  BackRecord none;
  none.board = board;
  return *record ? parse(**record, std::move(none)) : std::move(none);
}

}  // namespace ghm::services
