// Any text is a configuration or a list of complaints that name the file; it never crashes and never is both.
#include <cstdlib>
#include <string_view>

#include "apps/ghm/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = ghm::app::parse_config({reinterpret_cast<const char*>(data), size}, "f.yaml");
  if (!config && !config.error().what.starts_with("f.yaml:")) std::abort();
  if (config && (config->groups.empty() || config->scraper.timeout > config->scraper.interval)) std::abort();
  return 0;
}
