#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm::faults {

enum class Severity : std::uint8_t { info, warning, error, critical };
/// Who is at fault, most likely, when the code comes alone.
enum class Origin : std::uint8_t { hardware, driver, application, ambiguous };

/// What one Xid of the driver's kernel log means. Code, name and class are facts of NVIDIA's public list ("XID Errors",
/// docs.nvidia.com/deploy/xid-errors, and nverror.h of the open kernel modules); origin, severity and first action are our
/// judgement over them, in data/faults/xids.csv: a new fact is a new line there.
struct Xid {
  int code = 0;
  std::string name;       // "double_bit_ecc"
  std::string component;  // "memory", "nvlink", "pcie_bus", "gsp_firmware", "application", ...
  Origin origin{};
  Severity severity{};
  std::string first_action;  // the first safe step for a single event: "none", "reset_gpu", "drain_then_inspect", ...
};

class XidCatalogue {
 public:
  /// Parses the shape of data/faults/xids.csv; `file` names it in errors.
  static Result<XidCatalogue> parse(std::string_view csv, std::string_view file);
  /// The catalogue carried in the binary.
  static const XidCatalogue& built_in();
  /// nullptr for a code that is not listed. O(log n).
  const Xid* find(int code) const;
  const std::map<int, Xid>& all() const { return xids_; }

 private:
  std::map<int, Xid> xids_;
};

}  // namespace ghm::faults
