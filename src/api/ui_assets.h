#pragma once
#include <string_view>
#include <vector>

/// The web UI, compiled into the binary by cmake/ui.cmake. Empty when built with GHM_UI=off.
namespace ghm::ui {

struct Asset {
  std::string_view path;  // "/index.html", "/assets/index-Bx1.js"
  std::string_view bytes;
  std::string_view gzip;  // empty where compressing brings nothing
  std::string_view etag;  // quoted, by content
};
const std::vector<Asset>& assets();

}  // namespace ghm::ui
