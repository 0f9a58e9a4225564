#pragma once
#include <string>

namespace ghm {

/// Bytes for people, in decimal units as disks are sold: "9.1 GB", "512 B".
std::string size_text(double bytes);

}  // namespace ghm
