#include "adapters/archive/refusals.h"

#include <fmt/format.h>

namespace ghm::archive {

void Refusals::add(std::string_view reason, std::string_view file, std::uint64_t line, std::string_view why) {
  auto it = counts.find(reason);
  if (it == counts.end()) it = counts.emplace(reason, 0).first;
  if (++it->second <= kNamedPerReason) named.push_back(fmt::format("{}:{}: {}: {}", file, line, reason, why));
}

}  // namespace ghm::archive
