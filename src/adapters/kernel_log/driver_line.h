#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What one line of NVIDIA's kernel driver says. Forms: NVIDIA, "XID Errors" and the Fabric Manager User Guide; the print
/// statements of the open kernel modules 515 to 595 (kernel_rc.c, error_nvswitch.c). The grammar is loose on purpose:
/// drivers differ, and a line that is almost right must not be lost. PCI addresses come out normalised, "00000000:9B:00.0".
namespace ghm::kernel_log {

/// The extended form of the NVLink 5 codes 144-150:
/// "RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x0409a0c2 0x00000008 0x00000001 ...)".
struct LinkError {
  std::string unit;                    // "RLW_RXPIPE", "TLW_RX/TLW_RX_PIPE0", "NETIR_LINK_EVT"
  bool fatal = false;                  // fatal: the GPU needs a reset
  int xc = 0;                          // the n of XCn
  int injected = 0;                    // the n of in
  int link = -1;                       // -1: the line names none
  std::uint32_t info = 0, status = 0;  // status is one bit: it selects the rule
  std::vector<std::uint32_t> words;    // at most six more
  unsigned subcode() const { return info >> 20 & 0x3F; }
  unsigned info_link() const { return info >> 13 & 0x1F; }
  friend bool operator==(const LinkError&, const LinkError&) = default;
};

struct XidLine {
  std::string pci_bus_id;
  std::optional<unsigned> gpu_instance, compute_instance;  // MIG
  int code = 0;
  std::optional<std::uint32_t> pid;  // of the host; absent when the driver does not know
  std::string process;               // at most 15 bytes, as the kernel keeps them; may hold spaces, colons, commas
  std::string text;                  // what follows code, pid and name
  std::optional<int> caused_by;      // 45: "... caused by previous Xid N"
  // 154: "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)"; NVML's enumeration.
  std::optional<unsigned> recovery_from, recovery_to;
  std::optional<bool> needs_reset, needs_drain_and_reset;  // 94, 95: "RST: Yes, D-RST: No"
  std::optional<unsigned> rpc_function;                    // 119, 120: "Expected function 103 (GSP_RM_ALLOC)"
  std::optional<LinkError> link_error;                     // 144-150
  friend bool operator==(const XidLine&, const XidLine&) = default;
};

struct SxidLine {
  enum class Part : std::uint8_t { fault, severity, data };  // one fault prints up to three lines
  Part part = Part::fault;
  int nvswitch = -1;  // the n of "nvidia-nvswitchN"
  std::string pci_bus_id;
  int code = 0;
  std::string severity;  // "fatal", "nonfatal", "correctable", or empty where the line does not say; trust it over any table
  std::optional<unsigned> link;
  std::optional<unsigned> instance;  // of lines that name an engine instead of a link
  std::string text;
  friend bool operator==(const SxidLine&, const SxidLine&) = default;
};

/// "GPU has fallen off the bus" in its forms without an Xid.
struct OffBusLine {
  std::string pci_bus_id;
  bool complete = true;  // false: the first of several lines, the words come later
  friend bool operator==(const OffBusLine&, const OffBusLine&) = default;
};
/// The last of those several lines; it names no GPU.
struct OffBusTail {
  friend bool operator==(const OffBusTail&, const OffBusTail&) = default;
};

/// Before the first report on a GPU the driver says who sits at that address.
struct GpuAtLine {
  std::string pci_bus_id, uuid;
  friend bool operator==(const GpuAtLine&, const GpuAtLine&) = default;
};
/// Follows the line above.
struct BoardSerialLine {
  std::string serial;
  friend bool operator==(const BoardSerialLine&, const BoardSerialLine&) = default;
};
/// "loading NVIDIA UNIX ... Kernel Module  535.104.05": what comes after is numbered as that version numbers.
struct DriverLoadedLine {
  std::string version;
  friend bool operator==(const DriverLoadedLine&, const DriverLoadedLine&) = default;
};
/// "Rate limiting GSP RPC error prints ... (printing 1 of every N)": from here on 119 and 120 are lower bounds.
struct PrintsLimitedLine {
  unsigned one_of = 0;  // 0: the line does not say
  friend bool operator==(const PrintsLimitedLine&, const PrintsLimitedLine&) = default;
};
/// A line that says Xid or SXid and cannot be read further: kept as evidence, never dropped.
struct UnreadableLine {
  std::string why;
  friend bool operator==(const UnreadableLine&, const UnreadableLine&) = default;
};

using DriverLine = std::variant<XidLine, SxidLine, OffBusLine, OffBusTail, GpuAtLine, BoardSerialLine, DriverLoadedLine, PrintsLimitedLine,
                                UnreadableLine>;

/// nullopt: the line is not about GPUs. Any bytes are fine. O(size), no allocation for lines of others.
std::optional<DriverLine> read_driver_line(std::string_view line);

/// Drivers before 550 numbered the multicast and reduction SXids 1000 lower (28xxx and 29xxx, today 29xxx and 30xxx).
/// The number that today's list uses, or nullopt when `driver_version` does not tell ("" or no number) and it matters.
std::optional<int> current_sxid(int code, std::string_view driver_version);

}  // namespace ghm::kernel_log
