#include "adapters/nvml/frames.h"

#include <nvml_frames.pb.h>

namespace ghm::nvml {
namespace {

const Error kDamaged{Errc::invalid_input, "the NVML reader sent something that is no frame"};

void fill(const HostReport& from, wire::Host& to) {
  to.set_status(from.status);
  to.set_trouble(from.trouble);
  to.set_driver(from.driver);
  to.set_library(from.library);
  to.set_gpus(from.gpus);
}

HostReport host_of(const wire::Host& from) {
  return {from.status(), from.trouble(), from.driver(), from.library(), from.gpus()};
}

void fill(const BoardReport& from, wire::Board& to) {
  to.set_index(from.index);
  to.set_uuid(from.uuid);
  to.set_serial(from.serial);
  to.set_pci_bus_id(from.pci_bus_id);
  to.set_model(from.model);
  to.set_vbios(from.vbios);
  to.set_status(from.status);
  to.set_errors(from.errors);
  to.set_not_permitted(from.not_permitted);
  for (const auto& v : from.values) {
    to.add_metric(static_cast<std::uint32_t>(v.metric));
    to.add_entity(static_cast<std::uint32_t>(v.entity.kind) << 16 | v.entity.number);
    to.add_value(v.value);
  }
  for (const auto& p : from.processes) to.add_pid(p.pid);
  to.set_minor(from.minor);
  for (const auto& uuid : from.mig_uuids) to.add_mig_uuid(uuid);
}

Result<BoardReport> board_of(const wire::Board& from) {
  if (from.metric_size() != from.value_size() || from.entity_size() != from.value_size()) return kDamaged;
  BoardReport to;
  to.index = from.index(), to.status = from.status(), to.errors = from.errors(), to.not_permitted = from.not_permitted();
  to.uuid = from.uuid(), to.serial = from.serial(), to.pci_bus_id = from.pci_bus_id(), to.model = from.model(), to.vbios = from.vbios();
  to.minor = from.minor(), to.mig_uuids = {from.mig_uuid().begin(), from.mig_uuid().end()};
  for (int i = 0; i < from.value_size(); ++i) {
    const auto kind = from.entity(i) >> 16;
    if (from.metric(i) > 0xFFFF || kind > static_cast<unsigned>(telemetry::Entity::Kind::node)) return kDamaged;
    to.values.push_back({telemetry::MetricId(static_cast<std::uint16_t>(from.metric(i))),
                         {static_cast<telemetry::Entity::Kind>(kind), static_cast<std::uint16_t>(from.entity(i))},
                         from.value(i)});
  }
  for (const auto pid : from.pid()) to.processes.push_back({pid});
  return to;
}

}  // namespace

std::string encode(const Frame& frame) {
  wire::Frame out;
  out.set_round(frame.round);
  if (const auto* host = std::get_if<HostReport>(&frame.what)) fill(*host, *out.mutable_host());
  else if (const auto* board = std::get_if<BoardReport>(&frame.what)) fill(*board, *out.mutable_board());
  else out.set_end(true);
  return out.SerializeAsString();
}

std::string encode(const Ask& ask) {
  wire::Ask out;
  out.set_round(ask.round);
  for (const auto& uuid : ask.last) out.add_last(uuid);
  for (const auto& uuid : ask.skip) out.add_skip(uuid);
  out.set_all(ask.all);
  return out.SerializeAsString();
}

Result<Frame> decode_frame(std::string_view bytes) {
  wire::Frame in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return kDamaged;
  if (in.has_host()) return Frame{in.round(), host_of(in.host())};
  if (in.has_board()) {
    auto board = board_of(in.board());
    if (!board) return board.error();
    return Frame{in.round(), std::move(*board)};
  }
  if (!in.end()) return kDamaged;
  return Frame{in.round(), RoundEnd{}};
}

Result<Ask> decode_ask(std::string_view bytes) {
  wire::Ask in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return kDamaged;
  return Ask{in.round(), {in.last().begin(), in.last().end()}, {in.skip().begin(), in.skip().end()}, in.all()};
}

}  // namespace ghm::nvml
