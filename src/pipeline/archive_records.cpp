#include "pipeline/archive_records.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "adapters/archive/rows.h"

namespace ghm::pipeline {
namespace {

using Json = nlohmann::json;

// The ledger's own kinds of events, for which the format has no word, are notes with such a code there.
constexpr std::string_view kOwn = "own:";

std::string text_of(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// FNV-1a over texts with their lengths: the same row has the same key.
std::uint64_t hash_of(std::initializer_list<std::string_view> texts) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const auto text : texts) {
    for (const unsigned char c : text) h = (h ^ c) * 0x100000001b3ull;
    h = (h ^ (text.size() + 256)) * 0x100000001b3ull;
  }
  return h;
}

std::string key_of(Timestamp at, std::uint64_t hash) {
  return fmt::format("{:015}-{:016x}", to_unix_ms(at), hash);
}

void put_board(Json& body, const fleet::Board& board) {
  body["board"] = static_cast<std::uint32_t>(board.id);
  body["gpu"] = board.serial.empty() ? board.uuid : board.serial;
}

Error unreadable(const store::Record& r, const std::exception& e) {
  return {Errc::corrupt, fmt::format("record {}/{} cannot be read ({}): restore ghm.db from a backup", r.kind, r.key, e.what())};
}

std::optional<Timestamp> read_ms(const Json& in, const char* key) {
  const auto it = in.find(key);
  if (it == in.end() || it->is_null()) return std::nullopt;
  return from_unix_ms(it->get<std::int64_t>());
}

std::string_view own_kind(std::string_view kind, std::string_view code) {
  return kind == "note" && code.starts_with(kOwn) ? code.substr(kOwn.size()) : std::string_view();
}

}  // namespace

std::string archive_uuid(const fleet::Board& b) {
  if (!b.uuid.empty()) return b.uuid;
  return b.serial.empty() ? b.host + " " + b.pci_bus_id : b.serial;
}

store::Record to_record(const archive::EventRow& row, const fleet::Board* board) {
  const auto own = own_kind(row.kind, row.code);
  Json body{{"kind", own.empty() ? std::string_view(row.kind) : own}, {"host", row.host}, {"detail", row.detail}};
  if (own.empty() && !row.code.empty()) body["code"] = row.code;
  if (board != nullptr) put_board(body, *board);
  return {"event", key_of(row.at, hash_of({row.kind, row.gpu_uuid, row.host, row.code, row.detail})), row.at, text_of(body)};
}

Result<archive::EventRow> parse_event(const store::Record& r, const fleet::Ledger& ledger) try {
  const Json in = Json::parse(r.body);
  archive::EventRow row{r.at, in.at("kind"), {}, in.value("host", ""), {}, in.value("detail", "")};
  if (const auto it = in.find("code"); it != in.end()) row.code = it->is_string() ? it->get<std::string>() : it->dump();
  if (const auto it = in.find("board"); it != in.end())
    if (const auto* board = ledger.find(static_cast<fleet::BoardId>(it->get<std::uint32_t>()))) row.gpu_uuid = archive_uuid(*board);
  if (!archive::is_event_kind(row.kind)) row.code = std::string(kOwn) + std::exchange(row.kind, "note");
  return row;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

store::Record to_record(const archive::FailureRow& row, const fleet::Board& board) {
  const auto resolved = row.resolved_at ? format_rfc3339(*row.resolved_at) : std::string();
  Json body{{"detected_at", format_rfc3339(row.detected_at)}, {"gpu_uuid", row.gpu_uuid}, {"failure_type", row.failure_type}};
  const std::pair<const char*, const std::string*> texts[] = {
      {"serial", &row.serial}, {"severity", &row.severity}, {"resolved_at", &resolved}, {"resolution", &row.resolution}};
  for (const auto& [name, text] : texts)
    if (!text->empty()) body[name] = *text;
  put_board(body, board);
  const auto hash = hash_of({row.gpu_uuid, row.failure_type, row.serial, row.severity, resolved, row.resolution});
  return {"failure", key_of(row.detected_at, hash), row.detected_at, text_of(body)};
}

Result<archive::FailureRow> parse_failure(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  archive::FailureRow row{r.at, in.at("gpu_uuid"),         in.at("failure_type"), in.value("serial", ""), in.value("severity", ""),
                          {},   in.value("resolution", "")};
  if (const auto text = in.value("resolved_at", ""); !text.empty()) row.resolved_at = archive::read_time(text);
  return row;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

store::Record to_record(const ImportProgress& p) {
  Json body{{"name", p.name},           {"state", p.done ? "done" : "running"},
            {"boards", p.boards},       {"stays", p.stays},
            {"events", p.events},       {"failures", p.failures},
            {"rows", p.rows},           {"cells", p.cells},
            {"file", p.file},           {"offset", p.offset},
            {"line", p.line},           {"refused", p.refusals.counts},
            {"named", p.refusals.named}};
  if (p.first) body["first"] = to_unix_ms(*p.first);
  if (p.last) body["last"] = to_unix_ms(*p.last);
  return {"import", p.identity, p.last.value_or(Timestamp{}), text_of(body)};
}

Result<ImportProgress> parse_import(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  ImportProgress p;
  p.identity = r.key;
  p.name = in.at("name");
  p.done = in.at("state") == "done";
  const std::pair<const char*, std::uint64_t*> numbers[] = {{"boards", &p.boards},     {"stays", &p.stays}, {"events", &p.events},
                                                            {"failures", &p.failures}, {"rows", &p.rows},   {"cells", &p.cells},
                                                            {"offset", &p.offset},     {"line", &p.line}};
  for (const auto& [name, to] : numbers) *to = in.at(name);
  p.file = in.at("file");
  for (const auto& [reason, count] : in.at("refused").items()) p.refusals.counts[reason] = count;
  p.refusals.named = in.at("named");
  p.first = read_ms(in, "first");
  p.last = read_ms(in, "last");
  return p;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

}  // namespace ghm::pipeline
