// Any text is a list of targets or one error that names the file; addresses that were accepted are accepted again as they
// are, and can stand in a request without breaking it.
#include <cstdlib>
#include <string_view>

#include "adapters/scrape/address.h"
#include "adapters/scrape/discovery.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::scrape;
  const auto targets = parse_targets({reinterpret_cast<const char*>(data), size}, "t.json", TargetGroup{});
  if (!targets) return targets.error().what.starts_with("t.json:") ? 0 : (std::abort(), 0);
  for (const auto& t : *targets) {
    const auto again = normalize_address(t.address);
    if (!again || *again != t.address) std::abort();
    if (!parse_url(t.access->scheme + "://" + t.address + t.access->metrics_path)) std::abort();
  }
  return 0;
}
