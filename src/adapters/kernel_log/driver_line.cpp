#include "adapters/kernel_log/driver_line.h"

#include "adapters/kernel_log/line_cursor.h"
#include "adapters/kernel_log/pci_text.h"
#include "adapters/kernel_log/sxid_line.h"
#include "adapters/kernel_log/xid_line.h"
#include "domain/telemetry/identity.h"

namespace ghm::kernel_log {
namespace {

using std::string_view;

constexpr string_view kFallen = "fallen off the bus";

// "NVRM: GPU at PCI:0000:9b:00: GPU-5b0c..."
std::optional<DriverLine> read_gpu_at(string_view text) {
  LineCursor in(text);
  if (!in.word("GPU at ")) return std::nullopt;
  const auto uuid_at = text.find("GPU-");
  if (uuid_at == text.npos) return std::nullopt;
  auto address = in.until(" ");
  while (address.ends_with(':')) address.remove_suffix(1);
  LineCursor rest(text.substr(uuid_at));
  const auto uuid = rest.until(" \t,.");
  auto pci = pci_of(address);
  if (pci.empty() || !telemetry::is_gpu_uuid(uuid)) return std::nullopt;
  return GpuAtLine{std::move(pci), std::string(uuid)};
}

std::optional<DriverLine> read_board_serial(string_view text) {
  LineCursor in(text);
  if (!in.word("GPU Board Serial Number:")) return std::nullopt;
  in.blanks();
  const auto serial = in.until(" \t\r");
  if (serial.empty()) return std::nullopt;
  return BoardSerialLine{std::string(serial)};
}

// "GPU 0000:29:00.0: GPU has fallen off the bus."; "The NVIDIA GPU 0000:18:00.0" with the rest on this line or the next ones.
std::optional<DriverLine> read_off_bus(string_view text) {
  const bool says_it = text.find(kFallen) != text.npos;
  LineCursor in(text);
  const bool several_lines = in.word("The NVIDIA GPU ");
  if (!several_lines && !in.word("GPU ")) return says_it ? std::optional<DriverLine>(OffBusTail{}) : std::nullopt;
  auto address = in.until(" ");
  while (address.ends_with(':')) address.remove_suffix(1);
  auto pci = pci_of(address);
  if (pci.empty() || (!says_it && !several_lines)) return std::nullopt;
  return OffBusLine{std::move(pci), says_it};
}

// "loading NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 ..." or "... Open Kernel Module for x86_64  570.86.15 ..."
std::optional<DriverLine> read_loaded(string_view text) {
  LineCursor in(text);
  if (!in.word("loading NVIDIA") || !in.behind("Kernel Module")) return std::nullopt;
  while (!in.at_end()) {
    in.blanks();
    const auto word = in.until(" ");
    const bool version = !word.empty() && word.find_first_not_of("0123456789.") == word.npos && word.find('.') != word.npos;
    if (version) return DriverLoadedLine{std::string(word)};
  }
  return std::nullopt;
}

std::optional<DriverLine> read_prints_limited(string_view text) {
  LineCursor in(text);
  if (!in.word("Rate limiting GSP RPC error prints")) return std::nullopt;
  PrintsLimitedLine out;
  if (in.behind("1 of every ")) out.one_of = in.number().value_or(0);
  return out;
}

std::optional<DriverLine> read_nvrm(string_view text) {
  for (const auto read : {read_gpu_at, read_board_serial, read_off_bus, read_loaded, read_prints_limited})
    if (auto line = read(text)) return line;
  return std::nullopt;
}

}  // namespace

std::optional<DriverLine> read_driver_line(string_view line) {
  constexpr string_view kSxid = "SXid (", kNvrm = "NVRM: ", kXid = "Xid (";
  if (const auto at = line.find(kSxid); at != line.npos && line.substr(0, at).find("nvswitch") != line.npos)
    return read_sxid(line.substr(0, at), LineCursor(line.substr(at + kSxid.size())));
  const auto at = line.find(kNvrm);
  if (at == line.npos) return std::nullopt;
  LineCursor in(line.substr(at + kNvrm.size()));
  in.blanks();
  if (in.word(kXid)) return read_xid(in);
  if (in.left().starts_with("Xid")) return UnreadableLine{"no PCI address in brackets follows 'Xid'"};
  return read_nvrm(in.left());
}

}  // namespace ghm::kernel_log
