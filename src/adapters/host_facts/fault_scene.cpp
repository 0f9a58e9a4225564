#include "adapters/host_facts/fault_scene.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "adapters/host_facts/sysfs_text.h"
#include "domain/telemetry/identity.h"

namespace ghm::host_facts {
namespace {

namespace fs = std::filesystem;
using transport::Testimony;

constexpr std::size_t kLongestFact = 1024;

/// Printable ASCII in one line: the files are the kernel's, names in them are not.
std::string tidy(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= kLongestFact) break;
    if (c == '\n') out += "; ";
    else if (c >= ' ' && c <= '~') out += c;
    else if (c != '\0') out += '?';
  }
  while (out.ends_with(' ') || out.ends_with(';')) out.pop_back();
  return out;
}

void put(Testimony& out, const std::string& name, const fs::path& path) {
  if (const auto text = read_small(path)) out.facts[name] = tidy(*text);
}

/// Counters that are not 0; "none" when all are.
std::string aer_text(const std::string& file) {
  const auto counts = read_aer(file);
  std::string out;
  for (const auto& [name, n] : counts.by_name) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, n);
  return out.empty() ? "none" : out;
}

void put_errors(Testimony& out, const std::string& prefix, const fs::path& folder) {
  for (const auto* kind : {"correctable", "nonfatal", "fatal"})
    if (const auto text = read_small(folder / (std::string("aer_dev_") + kind)))
      out.facts[prefix + "aer_" + kind] = aer_text(*text).substr(0, kLongestFact);
}

void put_link(Testimony& out, const std::string& prefix, const fs::path& folder) {
  for (const auto* name : {"current_link_speed", "current_link_width", "max_link_speed", "max_link_width"})
    put(out, prefix + name, folder / name);
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char b : bytes) out += fmt::format("{}{:02x}", out.empty() ? "" : " ", b);
  return out;
}

/// The folder's own name is in lower case and has a domain of four digits, or more where it is longer.
fs::path folder_of(const fs::path& root, const std::string& pci_bus_id) {
  auto name = telemetry::normalise_pci_bus_id(pci_bus_id);
  if (name.empty()) return {};
  if (name.starts_with("0000")) name = name.substr(4);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return root / "sys/bus/pci/devices" / name;
}

/// The port above a device: its folder is the one that the device's real folder lies in.
fs::path port_of(const fs::path& folder) {
  std::error_code failed;
  const auto real = fs::canonical(folder, failed);
  if (failed) return {};
  auto parent = real.parent_path();
  return fs::exists(parent / "vendor", failed) ? parent : fs::path();
}

void put_modules(Testimony& out, const fs::path& root) {
  for (const auto* module : {"nvidia", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia_peermem", "gdrdrv"})
    put(out, fmt::format("module_{}", module), root / "sys/module" / module / "version");
}

void put_memory(Testimony& out, const fs::path& root) {
  const auto text = read_small(root / "proc/meminfo");
  if (!text) return;
  for (const auto* key : {"MemTotal", "MemAvailable"})
    if (auto value = information_value(*text, key); !value.empty())
      out.facts[key == std::string_view("MemTotal") ? "memory_total" : "memory_available"] = tidy(value);
}

}  // namespace

Testimony pci_scene(const fs::path& root, const std::string& pci_bus_id) {
  Testimony out;
  const auto folder = folder_of(root, pci_bus_id);
  std::error_code failed;
  if (folder.empty() || !fs::exists(folder, failed)) {
    out.missing =
        folder.empty() ? "the PCI address is not known" : "the kernel lists no device at " + telemetry::normalise_pci_bus_id(pci_bus_id);
    return out;
  }
  out.facts["pci_bus_id"] = telemetry::normalise_pci_bus_id(pci_bus_id);
  // These are the kernel's own memory of it and cost the device nothing.
  for (const auto* name :
       {"vendor", "device", "subsystem_vendor", "subsystem_device", "revision", "class", "numa_node", "enable", "power_state"})
    put(out, name, folder / name);
  if (const auto driver = fs::read_symlink(folder / "driver", failed); !failed)
    out.facts["kernel_driver"] = tidy(driver.filename().string());
  const auto port = port_of(folder);
  if (!port.empty()) {
    out.facts["port"] = tidy(port.filename().string());
    put_link(out, "port_", port);
    put_errors(out, "port_", port);
  }
  put_errors(out, "", folder);
  constexpr std::size_t kHeader = 64;  // what everybody may read of the configuration space
  const auto config = read_small(folder / "config", kHeader);
  if (config && config->starts_with("\xff\xff\xff\xff")) {
    out.facts["answers"] = "no";
    out.missing = "the device does not answer on the PCI bus (its configuration space reads as all ones): its link was not asked";
    return out;
  }
  if (config && !config->empty()) out.facts["config"] = hex(*config), out.facts["answers"] = "yes";
  put_link(out, "", folder);
  return out;
}

Testimony host_scene(const fs::path& root) {
  Testimony out;
  const auto proc = root / "proc";
  put(out, "uptime", proc / "uptime");
  put(out, "load", proc / "loadavg");
  put(out, "kernel", proc / "sys/kernel/osrelease");
  put(out, "boot_id", proc / "sys/kernel/random/boot_id");
  put(out, "tainted", proc / "sys/kernel/tainted");
  put(out, "driver", proc / "driver/nvidia/version");
  put_memory(out, root);
  put_modules(out, root);
  if (!out.facts.contains("driver")) out.missing = "no NVIDIA driver is loaded, or /proc/driver/nvidia cannot be read";
  return out;
}

std::string process_scene(const fs::path& root, std::uint32_t pid) {
  const auto folder = root / "proc" / std::to_string(pid);
  const auto stat = read_small(folder / "stat", 1024);
  if (!stat) return {};
  // "4711 (name, which may hold blanks and brackets) S ...": field 22 is the start in clock ticks since boot.
  const auto open = stat->find('('), close = stat->rfind(')');
  if (open == stat->npos || close == stat->npos || close < open) return {};
  const auto name = tidy(std::string_view(*stat).substr(open + 1, close - open - 1));
  std::string_view rest = std::string_view(*stat).substr(close + 1);
  std::string state;
  double started = -1;
  for (int field = 3; !rest.empty(); ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (field == 3) state = tidy(word);
    if (field != 22) continue;
    std::uint64_t ticks = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), ticks).ec == std::errc())
      started = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    break;
  }
  auto out = fmt::format("{} {}", pid, name);
  if (!state.empty()) out += ", state " + state;
  if (started >= 0) out += fmt::format(", started {:.2f} s after boot", started);
  return out;
}

}  // namespace ghm::host_facts
