#include "adapters/kernel_log/sxid_line.h"

#include "adapters/kernel_log/pci_text.h"

namespace ghm::kernel_log {
namespace {

constexpr int kMostCode = 99999;  // printed with five digits
constexpr int kFirstRenumbered = 28000, kShift = 1000, kFirstNewDriver = 550;

int switch_number(std::string_view before) {
  LineCursor in(before);
  if (!in.behind("nvswitch")) return -1;
  return in.number<int>().value_or(-1);
}

struct Word {
  std::string_view printed, meaning;
};
constexpr Word kSeverities[] = {
    {"Non-fatal", "nonfatal"}, {"Nonfatal", "nonfatal"}, {"Non-Fatal", "nonfatal"}, {"Fatal", "fatal"}, {"Correctable", "correctable"}};

void read_severity(LineCursor& in, SxidLine& out) {
  for (const auto& [printed, meaning] : kSeverities) {
    if (!in.word(printed)) continue;
    out.severity = meaning;
    in.word(",");
    in.blanks();
    return;
  }
}

std::optional<unsigned> number_behind(std::string_view text, std::string_view key) {
  LineCursor in(text);
  return in.behind(key) ? in.number() : std::nullopt;
}

SxidLine::Part part_of(std::string_view text) {
  if (text.starts_with("Severity ")) return SxidLine::Part::severity;
  if (text.starts_with("Data {") || text.starts_with("Data  {")) return SxidLine::Part::data;
  return SxidLine::Part::fault;
}

// "Engine instance 30" must not be taken for "Sub-engine instance 00", which comes later in the line.
std::optional<unsigned> instance_of(std::string_view text) {
  if (const auto n = number_behind(text, "Engine instance ")) return n;
  return number_behind(text, "instance=");
}

}  // namespace

DriverLine read_sxid(std::string_view before, LineCursor in) {
  SxidLine out;
  out.nvswitch = switch_number(before);
  out.pci_bus_id = pci_of(in.until(") "));
  if (out.pci_bus_id.empty() || !in.word(")")) return UnreadableLine{"the switch's PCI address in brackets cannot be read"};
  in.word(":");
  in.blanks();
  const auto code = in.number<int>();
  if (!code || *code < 0 || *code > kMostCode) return UnreadableLine{"no SXid number follows the address"};
  out.code = *code;
  in.word(",");
  in.blanks();
  out.part = part_of(in.left());
  read_severity(in, out);
  out.text = in.left();
  out.link = number_behind(out.text, "Link ");
  out.instance = instance_of(out.text);
  return out;
}

std::optional<int> current_sxid(int code, std::string_view driver_version) {
  if (code < kFirstRenumbered) return code;
  LineCursor in(driver_version);
  const auto major = in.number<int>();
  if (!major) return std::nullopt;
  return *major < kFirstNewDriver ? code + kShift : code;
}

}  // namespace ghm::kernel_log
