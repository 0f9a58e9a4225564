#pragma once
#include <string>
#include <string_view>

#include "domain/telemetry/identity.h"

namespace ghm::kernel_log {

/// The driver's spellings of an address, normalised: "PCI:0000:9b:00", "0000:03:00.0", and "0002:00" of the oldest drivers,
/// where four digits are a bus. Empty when it is none.
inline std::string pci_of(std::string_view text) {
  if (text.starts_with("PCI:")) text.remove_prefix(4);
  const bool bus_and_device = text.find(':') != text.npos && text.find(':') == text.rfind(':');
  if (bus_and_device && text.find(':') == 4 && text.starts_with("00")) text.remove_prefix(2);
  return telemetry::normalise_pci_bus_id(text);
}

}  // namespace ghm::kernel_log
