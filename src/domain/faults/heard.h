#pragma once
#include <string>
#include <variant>

#include "domain/faults/sign.h"

/// From what the house hears (events of pages, ledger, detectors, kernel logs) to signs and endings.
namespace ghm::faults {

/// An event as it was kept, with what its source knew beside it.
struct Heard {
  std::string id;
  Timestamp at{};
  std::string kind;  // "xid", "gpu_missing", "anomaly", ...
  BoardId board{};
  std::string host, detail;
  int code = 0;
  std::string process, job;
  std::string severity;  // of a switch's line: "fatal", "nonfatal", "correctable"
  std::string driver;    // that wrote the line, where it is known
  int pid = 0, link = -1, nvswitch = -1;
};

/// What else is known of where it happened.
struct Where {
  std::string gpu, rack, feed, fabric, job;
  int boards_on_host = 0;
  std::string driver, architecture;
  bool new_driver = false, simulated = false;
};

using Reading = std::variant<std::monostate, Sign, EndingSeen>;
/// monostate: it says nothing about a fault. Codes are read in the numbering of `where.driver`.
Reading read(const Heard& heard, const Where& where, const FaultCatalogue& codes = FaultCatalogue::built_in());

}  // namespace ghm::faults
