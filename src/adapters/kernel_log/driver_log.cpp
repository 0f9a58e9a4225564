#include "adapters/kernel_log/driver_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ghm::kernel_log {
namespace {

using transport::AgentEvent;
using Events = std::vector<AgentEvent>;

constexpr std::size_t kMostGpus = 64;        // addresses remembered; a host has at most 16 GPUs and 18 switches
constexpr std::size_t kMostHeld = 256;       // faults waiting for further lines
constexpr std::size_t kMostLine = 16 << 10;  // of fragments put together

void put(AgentEvent& e, const char* key, const std::optional<unsigned>& value) {
  if (value) e.fields[key] = std::to_string(*value);
}
void put(AgentEvent& e, const char* key, const std::optional<bool>& value) {
  if (value) e.fields[key] = *value ? "yes" : "no";
}

void put_link_error(AgentEvent& e, const LinkError& link) {
  e.fields["unit"] = printable(link.unit, 60);
  e.fields["fatal"] = link.fatal ? "yes" : "no";
  e.fields["subcode"] = std::to_string(link.subcode());
  e.fields["status"] = fmt::format("0x{:08x}", link.status);
  e.fields["info"] = fmt::format("0x{:08x}", link.info);
  const auto number = link.link >= 0 ? link.link : static_cast<int>(link.info_link());
  e.fields["link"] = std::to_string(number);
}

void append_evidence(AgentEvent& e, std::string_view line) {
  e.text += " | " + printable(line, DriverLog::kMostEvidence);
  e.text.resize(std::min(e.text.size(), transport::kLongestEventText));
}

}  // namespace

AgentEvent DriverLog::event(std::string kind, const Source& from, const std::string& pci) const {
  AgentEvent e;
  e.at = from.at;
  e.kind = std::move(kind);
  e.gpu.pci_bus_id = pci;
  if (const auto known = identities_.find(pci); known != identities_.end()) {
    e.gpu.uuid = known->second.uuid;
    e.gpu.serial = known->second.serial;
  }
  e.text = printable(from.line, kMostEvidence);
  e.fields["boot_id"] = boot_id_;
  e.fields["seq"] = std::to_string(from.seq);
  e.fields["monotonic_us"] = std::to_string(from.at_boot.count());
  if (!driver_version_.empty()) e.fields["driver"] = driver_version_;
  if (from.by_process) e.fields["written_by"] = "process";  // anybody who may write to the device can write such a line
  return e;
}

void DriverLog::say(AgentEvent e, std::chrono::microseconds at_boot, Events& out) {
  folder_.add(std::move(e), at_boot, out);
}

void DriverLog::on(const XidLine& line, const Source& from, Events& out) {
  auto e = event("xid", from, line.pci_bus_id);
  e.code = line.code;
  put(e, "pid", line.pid);
  if (!line.process.empty()) e.fields["process"] = printable(line.process, 60);
  put(e, "gpu_instance", line.gpu_instance);
  put(e, "compute_instance", line.compute_instance);
  if (line.caused_by) e.fields["caused_by"] = std::to_string(*line.caused_by);
  put(e, "recovery_from", line.recovery_from);
  put(e, "recovery_to", line.recovery_to);
  put(e, "needs_reset", line.needs_reset);
  put(e, "needs_drain_and_reset", line.needs_drain_and_reset);
  put(e, "rpc_function", line.rpc_function);
  if (line.link_error) put_link_error(e, *line.link_error);
  say(std::move(e), from.at_boot, out);
}

void DriverLog::on(const SxidLine& line, const Source& from, Events& out) {
  const auto key = std::pair(line.pci_bus_id, line.code);
  auto held = sxids_.find(key);
  const bool more_of_it = held != sxids_.end() && line.part != SxidLine::Part::fault;
  if (!more_of_it) {
    if (held != sxids_.end() || sxids_.size() >= kMostHeld) flush(from.at_boot + kHold, out);  // a second fault: the first is told
    auto e = event("sxid", from, line.pci_bus_id);
    e.code = line.code;
    if (line.nvswitch >= 0) e.fields["nvswitch"] = std::to_string(line.nvswitch);
    const auto today = current_sxid(line.code, driver_version_);
    e.fields["code_now"] = today ? std::to_string(*today) : "unknown";
    held = sxids_.insert_or_assign(key, Held{std::move(e), from.at_boot}).first;
  } else {
    append_evidence(held->second.event, from.line);
  }
  auto& fields = held->second.event.fields;
  if (!line.severity.empty()) fields["severity"] = line.severity;
  if (line.link) fields["link"] = std::to_string(*line.link);
  if (line.instance) fields["instance"] = std::to_string(*line.instance);
}

void DriverLog::on(const OffBusLine& line, const Source& from, Events& out) {
  auto e = event("gpu_off_bus", from, line.pci_bus_id);
  if (line.complete) return say(std::move(e), from.at_boot, out);
  falling_ = Held{std::move(e), from.at_boot};
}

void DriverLog::on(const OffBusTail&, const Source& from, Events& out) {
  if (!falling_) return on(UnreadableLine{"a GPU has fallen off the bus, and the line does not say which"}, from, out);
  append_evidence(falling_->event, from.line);
  say(std::move(falling_->event), from.at_boot, out);
  falling_.reset();
}

void DriverLog::on(const GpuAtLine& line, const Source&, Events&) {
  if (identities_.size() >= kMostGpus && !identities_.contains(line.pci_bus_id)) return;
  auto& known = identities_[line.pci_bus_id];
  if (known.uuid != line.uuid) known = {line.uuid, {}};
  last_introduced_ = line.pci_bus_id;
}

void DriverLog::on(const BoardSerialLine& line, const Source&, Events&) {
  // "0" and "N/A" are printed for boards whose InfoROM has none.
  const bool none = line.serial.find_first_not_of('0') == std::string::npos || line.serial == "N/A";
  if (!last_introduced_.empty() && !none) identities_[last_introduced_].serial = printable(line.serial, 60);
  last_introduced_.clear();
}

void DriverLog::on(const DriverLoadedLine& line, const Source&, Events&) {
  driver_version_ = line.version;
}

void DriverLog::on(const PrintsLimitedLine& line, const Source& from, Events& out) {
  auto e = event("gsp_prints_limited", from, {});
  if (line.one_of > 0) e.fields["one_of"] = std::to_string(line.one_of);
  say(std::move(e), from.at_boot, out);
}

void DriverLog::on(const UnreadableLine& line, const Source& from, Events& out) {
  auto e = event("kernel_unreadable", from, {});
  e.fields["why"] = line.why;
  say(std::move(e), from.at_boot, out);
}

void DriverLog::add_line(const Source& from, Events& out) {
  if (const auto line = read_driver_line(from.line)) std::visit([&](const auto& said) { on(said, from, out); }, *line);
}

// One record can hold several of the driver's lines, and one of the driver's lines can hold a newline: what does not begin
// with the driver's name belongs to the line before.
void DriverLog::add_whole(const KmsgRecord& record, Timestamp at, Events& out) {
  Source from{record.seq, record.at, at, record.facility != 0, {}};
  std::string_view left = record.text;
  while (!left.empty()) {
    auto end = left.find('\n');
    while (end != left.npos && !left.substr(end + 1).starts_with("NVRM: ") && !left.substr(end + 1).starts_with("nvidia-nvswitch"))
      end = left.find('\n', end + 1);
    from.line = left.substr(0, end);
    add_line(from, out);
    left.remove_prefix(end == left.npos ? left.size() : end + 1);
  }
}

void DriverLog::add(const KmsgRecord& record, Timestamp at, Events& out) {
  flush(record.at, out);
  if (record.fragment == Fragment::continuation && fragments_) {
    if (fragments_->text.size() < kMostLine) fragments_->text += record.text;
    return;
  }
  if (const auto complete = std::exchange(fragments_, std::nullopt)) add_whole(*complete, fragments_at_, out);
  if (record.fragment != Fragment::start) return add_whole(record, at, out);
  fragments_ = record;
  fragments_at_ = at;
}

void DriverLog::flush(std::chrono::microseconds now, Events& out) {
  if (fragments_ && now - fragments_->at >= kHold) add_whole(*std::exchange(fragments_, std::nullopt), fragments_at_, out);
  if (falling_ && now - falling_->since >= kHold) {  // the rest never came: the beginning is worth telling
    falling_->event.kind = "kernel_unreadable";
    falling_->event.fields["why"] = "the driver names a GPU and does not say what happened to it";
    say(std::move(falling_->event), now, out);
    falling_.reset();
  }
  for (auto at = sxids_.begin(); at != sxids_.end();) {
    if (now - at->second.since < kHold) {
      ++at;
      continue;
    }
    say(std::move(at->second.event), at->second.since, out);
    at = sxids_.erase(at);
  }
  folder_.flush(now, out);
}

}  // namespace ghm::kernel_log
