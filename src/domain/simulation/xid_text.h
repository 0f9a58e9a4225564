#pragma once
#include <string_view>

namespace ghm::simulation {

/// What dcgm-exporter prints as err_msg for an Xid that the simulator logs; "No Error" for 0, "Unknown Error" for others.
std::string_view xid_text(int code);

}  // namespace ghm::simulation
