#include "pipeline/snapshot_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/utf8.h"
#include "domain/telemetry/identity.h"

namespace ghm::pipeline {
namespace {

using Json = nlohmann::ordered_json;

std::string word(std::string text, std::string_view otherwise) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  if (text.empty() || text.size() > transport::kLongestSnapshotWord || !std::ranges::all_of(text, fits)) return std::string(otherwise);
  return text;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(to_utf8(text));
}

/// What the ledger knows of the GPU fills what the witness did not.
Json gpu_json(const transport::GpuName& said, const fleet::Board* board) {
  auto pci = telemetry::normalise_pci_bus_id(said.pci_bus_id);
  if (!board) return {{"serial", or_null(said.serial)}, {"uuid", or_null(said.uuid)}, {"pci_bus_id", or_null(pci)}};
  return {{"serial", or_null(board->serial.empty() ? said.serial : board->serial)},
          {"uuid", or_null(board->uuid.empty() ? said.uuid : board->uuid)},
          {"pci_bus_id", or_null(pci.empty() ? board->pci_bus_id : pci)}};
}

}  // namespace

std::string evidence_prefix(fleet::BoardId board) {
  return fmt::format("b{:010}/", static_cast<std::uint32_t>(board));
}

std::string evidence_prefix(std::string_view host) {
  return fmt::format("h{}/", host);
}

std::string evidence_key_from(std::string_view prefix, Timestamp from) {
  return fmt::format("{}{:015}", prefix, std::max<std::int64_t>(0, to_unix_ms(from)));
}

store::Record evidence_record(const transport::Snapshot& said, const std::string& host, const fleet::Board* board, Timestamp at,
                              const std::string& unique) {
  const auto id = word(said.id, "odd");
  const bool about_gpu = !said.gpu.is_host();
  Json body = {{"id", id},
               {"at", format_rfc3339(at)},
               {"part", word(said.part, "odd")},
               {"host", to_utf8(host)},
               {"board", board ? static_cast<std::uint32_t>(board->id) : 0},
               {"gpu", about_gpu ? gpu_json(said.gpu, board) : Json()}};
  auto document = Json::parse(said.body.substr(0, transport::kLargestSnapshot), nullptr, false);
  if (document.is_object()) body["said"] = std::move(document);
  else body["unreadable"] = to_utf8(said.body.substr(0, transport::kLargestSnapshot));
  const auto prefix = board ? evidence_prefix(board->id) : evidence_prefix(host);
  return {"evidence", fmt::format("{}-{}-{}", evidence_key_from(prefix, at), id, unique), at,
          body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

}  // namespace ghm::pipeline
