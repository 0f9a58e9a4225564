#pragma once
#include "adapters/kernel_log/driver_line.h"
#include "adapters/kernel_log/line_cursor.h"

namespace ghm::kernel_log {

/// What follows "NVRM: Xid (": the address, the code, whose process, and what the text of some codes says.
DriverLine read_xid(LineCursor in);

/// The text of 144-150, or nullopt where it is in the older, free form.
std::optional<LinkError> read_link_error(std::string_view text);

}  // namespace ghm::kernel_log
