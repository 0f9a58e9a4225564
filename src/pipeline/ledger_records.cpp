#include "pipeline/ledger_records.h"

#include <fmt/format.h>

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
  return {"board", id_key(b.id), b.first_seen, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
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
  return {"host", id_key(h.id), h.first_seen, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

store::Record to_record(const fleet::FleetEvent& e, const fleet::Board* board, std::uint64_t sequence) {
  Json body = {{"kind", e.kind}, {"host", e.host}, {"detail", e.detail}};
  if (board != nullptr) {
    body["board"] = static_cast<std::uint32_t>(board->id);
    body["gpu"] = board->serial.empty() ? board->uuid : board->serial;
  }
  return {"event", fmt::format("{:015}-{:010}", to_unix_ms(e.at), sequence), e.at,
          body.dump(-1, ' ', false, Json::error_handler_t::replace)};
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
  return b;
} catch (const std::exception& e) {
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
  return h;
} catch (const std::exception& e) {
  return unreadable(r, e);
}

namespace {

template <class T, class Parse>
Result<std::vector<T>> load_all(const store::RecordStore& records, std::string_view kind, Parse parse) {
  constexpr std::size_t kPage = 1000;
  std::vector<T> all;
  for (std::string after;;) {
    auto page = records.scan(kind, "", after, kPage);
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

Result<KeptLedger> load_ledger(const store::RecordStore& records) {
  auto boards = load_all<fleet::Board>(records, "board", parse_board);
  if (!boards) return boards.error();
  auto hosts = load_all<fleet::Host>(records, "host", parse_host);
  if (!hosts) return hosts.error();
  return KeptLedger{std::move(*boards), std::move(*hosts)};
}

}  // namespace ghm::pipeline
