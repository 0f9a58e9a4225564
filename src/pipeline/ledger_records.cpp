#include "pipeline/ledger_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ghm::pipeline {
namespace {

using Json = nlohmann::json;

// Ten digits: keys sort as numbers do.
std::string id_key(fleet::BoardId id) {
  return fmt::format("{:010}", static_cast<std::uint32_t>(id));
}

void write_place(Json& out, const fleet::Place& p) {
  out["region"] = p.region;
  out["datacenter"] = p.datacenter;
  out["rack"] = p.rack;
}

fleet::Place read_place(const Json& in) {
  return {in.value("region", ""), in.value("datacenter", ""), in.value("rack", "")};
}

fleet::BoardId read_id(const Json& in) {
  return static_cast<fleet::BoardId>(in.at("id").get<std::uint32_t>());
}

Timestamp read_time(const Json& in, const char* key) {
  return from_unix_ms(in.at(key).get<std::int64_t>());
}

void write_time(Json& out, const char* key, const std::optional<Timestamp>& t) {
  if (t) out[key] = to_unix_ms(*t);
}

std::optional<Timestamp> read_optional_time(const Json& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() ? std::nullopt : std::optional(from_unix_ms(found->get<std::int64_t>()));
}

std::string text_of(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// FNV-1a: keys need to differ, and to be the same again tomorrow.
std::uint64_t hash_of(const fleet::Interval& i) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  const auto mix = [&h](std::string_view text) {
    for (const unsigned char c : text) h = (h ^ c) * 0x100000001b3ull;
    h = (h ^ 0xff) * 0x100000001b3ull;
  };
  mix(i.value);
  for (const auto& [name, value] : i.facts) {
    mix(name);
    mix(value);
  }
  return h;
}

Json interval_json(const fleet::Interval& i) {
  Json body = {{"board", static_cast<std::uint32_t>(i.board)}, {"kind", i.kind}, {"value", i.value}, {"from", to_unix_ms(i.from)}};
  if (!i.facts.empty()) body["facts"] = i.facts;
  write_time(body, "to", i.to);
  return body;
}

fleet::Interval read_interval(const Json& in) {
  fleet::Interval i;
  i.board = static_cast<fleet::BoardId>(in.at("board").get<std::uint32_t>());
  i.kind = in.at("kind");
  i.value = in.at("value");
  i.facts = in.value("facts", fleet::Facts{});
  i.from = read_time(in, "from");
  i.to = read_optional_time(in, "to");
  return i;
}

Json asset_json(const fleet::Asset& a) {
  Json body = {{"serial", a.serial}, {"uuid", a.uuid},   {"model", a.model},          {"host", a.host},
               {"slot", a.slot},     {"batch", a.batch}, {"pci_bus_id", a.pci_bus_id}};
  write_place(body, a.place);
  write_time(body, "manufactured_at", a.manufactured_at);
  write_time(body, "deployed_at", a.deployed_at);
  write_time(body, "retired_at", a.retired_at);
  write_time(body, "warranty_until", a.warranty_until);
  if (a.purchase_price_usd) body["purchase_price_usd"] = *a.purchase_price_usd;
  if (!a.attributes.empty()) body["attributes"] = a.attributes;
  return body;
}

fleet::Asset read_asset(const Json& in) {
  fleet::Asset a;
  a.serial = in.at("serial");
  a.uuid = in.at("uuid");
  a.model = in.at("model");
  a.host = in.at("host");
  a.slot = in.at("slot");
  a.batch = in.at("batch");
  a.pci_bus_id = in.at("pci_bus_id");
  a.place = read_place(in);
  a.manufactured_at = read_optional_time(in, "manufactured_at");
  a.deployed_at = read_optional_time(in, "deployed_at");
  a.retired_at = read_optional_time(in, "retired_at");
  a.warranty_until = read_optional_time(in, "warranty_until");
  if (const auto price = in.find("purchase_price_usd"); price != in.end()) a.purchase_price_usd = price->get<double>();
  a.attributes = in.value("attributes", fleet::Facts{});
  return a;
}

Json numbers_json(const fleet::AnomalyNumbers& a) {
  return {{"metric", a.metric},
          {"detector", a.detector},
          {"severity", a.severity},
          {"value", a.value},
          {"expected", a.expected},
          {"sigma", a.sigma},
          {"z", a.z},
          {"unit", a.unit},
          {"peers", a.peers},
          {"since", format_rfc3339(a.since)}};
}

Error unreadable(const store::Record& r, const std::exception& e) {
  return Error{Errc::corrupt,
               fmt::format("record {}/{} of the ledger cannot be read ({}): restore ghm.db from a backup", r.kind, r.key, e.what())};
}

}  // namespace

store::Record to_record(const fleet::Board& b) {
  Json body = {{"id", static_cast<std::uint32_t>(b.id)},
               {"serial", b.serial},
               {"uuid", b.uuid},
               {"pci_bus_id", b.pci_bus_id},
               {"model", b.model},
               {"driver_version", b.driver_version},
               {"vbios_version", b.vbios_version},
               {"host", b.host},
               {"slot", b.slot},
               {"simulated", b.simulated},
               {"in_service", b.in_service},
               {"first_seen", to_unix_ms(b.first_seen)},
               {"last_seen", to_unix_ms(b.last_seen)}};
  write_place(body, b.place);
  write_time(body, "silent_since", b.silent_since);
  if (b.asset != nullptr) body["asset"] = asset_json(*b.asset);
  return {"board", id_key(b.id), b.first_seen, text_of(body)};
}

store::Record to_record(const fleet::Host& h) {
  Json body = {{"id", static_cast<std::uint32_t>(h.id)},
               {"name", h.name},
               {"simulated", h.simulated},
               {"first_seen", to_unix_ms(h.first_seen)},
               {"last_answer", to_unix_ms(h.last_answer)},
               {"interval_ms", h.interval.count()},
               {"last_error", h.last_error}};
  write_place(body, h.place);
  write_time(body, "silent_since", h.silent_since);
  return {"host", id_key(h.id), h.first_seen, text_of(body)};
}

store::Record to_record(const fleet::FleetEvent& e, const fleet::Board* board, std::uint64_t sequence) {
  Json body = {{"kind", e.kind}, {"host", e.host}, {"detail", e.detail}};
  if (e.code != 0) body["code"] = e.code;
  if (!e.fields.empty()) body["fields"] = e.fields;
  if (e.anomaly) body["anomaly"] = numbers_json(*e.anomaly);
  if (board != nullptr) {
    body["board"] = static_cast<std::uint32_t>(board->id);
    body["gpu"] = board->serial.empty() ? board->uuid : board->serial;
  }
  return {"event", fmt::format("{:015}-{:010}", to_unix_ms(e.at), sequence), e.at, text_of(body)};
}

store::Record to_record(const fleet::Interval& i) {
  return {"interval", fmt::format("{}/{}/{:015}/{:016x}", id_key(i.board), i.kind, to_unix_ms(i.from), hash_of(i)), i.from,
          text_of(interval_json(i))};
}

store::Record to_record(fleet::BoardId board, const std::vector<fleet::Interval>& open, Timestamp now) {
  Json body = Json::array();
  for (const auto& i : open) body.push_back(interval_json(i));
  return {"open", id_key(board), now, text_of(body)};
}

store::Record to_record(const fleet::Maintenance& m) {
  Json body = {{"id", m.id}, {"scope", fleet::to_string(m.scope)}, {"target", m.target}, {"reason", m.reason},
               {"by", m.by}, {"from", to_unix_ms(m.from)}};
  write_time(body, "until", m.until);
  return {"maintenance", m.id, m.from, text_of(body)};
}

store::Record to_record(fleet::BoardId board, const fleet::Asset& a) {
  const fleet::Interval place{board, "asset", a.host, {{"slot", a.slot}, {"pci_bus_id", a.pci_bus_id}}, {}, {}};
  const auto at = a.deployed_at.value_or(Timestamp{});
  return {"asset", fmt::format("{}/{:015}/{:016x}", id_key(board), to_unix_ms(at), hash_of(place)), at, text_of(asset_json(a))};
}

std::vector<store::Record> to_records(const fleet::Ledger::Changes& changes, const fleet::Ledger& ledger, Timestamp now,
                                      std::uint64_t& sequence) {
  std::vector<store::Record> out;
  for (const auto& b : changes.boards) out.push_back(to_record(b));
  for (const auto& h : changes.hosts) out.push_back(to_record(h));
  for (const auto& i : changes.intervals.ended) out.push_back(to_record(i));
  for (const auto& [board, open] : changes.intervals.open) out.push_back(to_record(board, open, now));
  for (const auto& m : changes.maintenance) out.push_back(to_record(m));
  for (const auto& e : changes.events) out.push_back(to_record(e, ledger.find(e.board), ++sequence));
  return out;
}

Result<fleet::Board> parse_board(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  fleet::Board b;
  b.id = read_id(in);
  b.serial = in.at("serial");
  b.uuid = in.at("uuid");
  b.pci_bus_id = in.at("pci_bus_id");
  b.model = in.at("model");
  b.driver_version = in.at("driver_version");
  b.vbios_version = in.at("vbios_version");
  b.host = in.at("host");
  b.slot = in.at("slot");
  b.place = read_place(in);
  b.simulated = in.at("simulated");
  b.in_service = in.at("in_service");
  b.first_seen = read_time(in, "first_seen");
  b.last_seen = read_time(in, "last_seen");
  b.silent_since = read_optional_time(in, "silent_since");
  if (const auto asset = in.find("asset"); asset != in.end()) b.asset = std::make_shared<const fleet::Asset>(read_asset(*asset));
  return b;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

Result<fleet::Asset> parse_asset(const store::Record& r) try { return read_asset(Json::parse(r.body)); } catch (const std::exception& e) {
  return unreadable(r, e);
}

Result<fleet::Host> parse_host(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  fleet::Host h;
  h.id = read_id(in);
  h.name = in.at("name");
  h.place = read_place(in);
  h.simulated = in.at("simulated");
  h.first_seen = read_time(in, "first_seen");
  h.last_answer = read_time(in, "last_answer");
  h.interval = std::chrono::milliseconds(in.at("interval_ms").get<std::int64_t>());
  h.last_error = in.at("last_error");
  h.silent_since = read_optional_time(in, "silent_since");
  return h;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

Result<std::vector<fleet::Interval>> parse_intervals(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  std::vector<fleet::Interval> out;
  if (in.is_array())
    for (const auto& one : in) out.push_back(read_interval(one));
  else out.push_back(read_interval(in));
  return out;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

Result<fleet::Maintenance> parse_maintenance(const store::Record& r) try {
  const Json in = Json::parse(r.body);
  fleet::Maintenance m;
  m.id = in.at("id");
  const auto scope = fleet::parse_scope(in.at("scope").get<std::string>());
  if (!scope) throw std::invalid_argument("unknown scope");
  m.scope = *scope;
  m.target = in.at("target");
  m.from = read_time(in, "from");
  m.until = read_optional_time(in, "until");
  m.reason = in.at("reason");
  m.by = in.at("by");
  return m;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

namespace {

template <class T, class Parse>
Result<std::vector<T>> load_all(const store::RecordStore& records, std::string_view kind, Parse parse, std::string_view prefix = {}) {
  constexpr std::size_t kPage = 1000;
  std::vector<T> all;
  for (std::string after;;) {
    auto page = records.scan(kind, prefix, after, kPage);
    if (!page) return page.error();
    for (const auto& r : *page) {
      auto one = parse(r);
      if (!one) return one.error();
      all.push_back(std::move(*one));
    }
    if (page->size() < kPage) return all;
    after = page->back().key;
  }
}

}  // namespace

Result<fleet::Ledger::Kept> load_ledger(const store::RecordStore& records) {
  auto boards = load_all<fleet::Board>(records, "board", parse_board);
  if (!boards) return boards.error();
  auto hosts = load_all<fleet::Host>(records, "host", parse_host);
  if (!hosts) return hosts.error();
  auto open = load_all<std::vector<fleet::Interval>>(records, "open", parse_intervals);
  if (!open) return open.error();
  auto maintenance = load_all<fleet::Maintenance>(records, "maintenance", parse_maintenance);
  if (!maintenance) return maintenance.error();
  fleet::Ledger::Kept kept{std::move(*boards), std::move(*hosts), {}, std::move(*maintenance)};
  for (auto& of_board : *open) std::ranges::move(of_board, std::back_inserter(kept.open));
  return kept;
}

Result<std::vector<fleet::Asset>> board_assets(const store::RecordStore& records, fleet::BoardId board) {
  return load_all<fleet::Asset>(records, "asset", parse_asset, id_key(board) + "/");
}

Result<std::vector<fleet::Interval>> board_intervals(const store::RecordStore& records, fleet::BoardId board, std::string_view kind) {
  const auto prefix = kind.empty() ? id_key(board) + "/" : fmt::format("{}/{}/", id_key(board), kind);
  auto ended = load_all<std::vector<fleet::Interval>>(records, "interval", parse_intervals, prefix);
  if (!ended) return ended.error();
  auto open = records.get("open", id_key(board));
  if (!open) return open.error();
  if (*open) {
    auto now = parse_intervals(**open);
    if (!now) return now.error();
    ended->push_back(std::move(*now));
  }
  std::vector<fleet::Interval> all;
  for (auto& some : *ended)
    for (auto& i : some)
      if (kind.empty() || i.kind == kind) all.push_back(std::move(i));
  std::ranges::stable_sort(all, {}, &fleet::Interval::from);
  return all;
}

}  // namespace ghm::pipeline
