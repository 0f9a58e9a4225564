#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "domain/transport/snapshot.h"

/// What the kernel says of a device and of the host at a fault: small files of /sys and /proc, read at once, without a driver's help. What
/// NVIDIA's driver would have to answer (its per-GPU files) is not read here: it may hang. No external program.
namespace ghm::host_facts {

/// The device at a PCI address (any spelling): what it is, its link and its error counters, and those of the port above it. A
/// device that does not answer is asked nothing more, for each further read may cost a time-out. About 30 small reads.
transport::Testimony pci_scene(const std::filesystem::path& root, const std::string& pci_bus_id);

/// Uptime, load, memory, boot, kernel, driver and the versions of its modules.
transport::Testimony host_scene(const std::filesystem::path& root);

/// "4711 python3, state D, started 1234.56 s after boot". Empty when there is no process of that number.
std::string process_scene(const std::filesystem::path& root, std::uint32_t pid);

}  // namespace ghm::host_facts
