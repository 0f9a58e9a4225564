#pragma once
#include "adapters/kernel_log/driver_line.h"
#include "adapters/kernel_log/line_cursor.h"

namespace ghm::kernel_log {

/// What follows "SXid (". before: what stands in front of it, "nvidia-nvswitch3: ".
DriverLine read_sxid(std::string_view before, LineCursor in);

}  // namespace ghm::kernel_log
