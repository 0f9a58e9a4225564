#include "domain/validation/edges.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ghm::validation {
namespace {

// The exporter's window is 5 min by default; what has been quiet for twice as long is another fault when it comes again.
constexpr auto kQuiet = 10min;
// A count that jumps by more is a burst; more events of one page help nobody.
constexpr double kMostAtOnce = 100;

}  // namespace

void XidEdges::restore(int gauge) {
  seen_ = true;
  gauge_ = gauge;
}

std::vector<int> XidEdges::see(const Page& page, Timestamp now) {
  const auto gauge = page.gauge_printed ? page.gauge : std::optional(0);
  if (gauge && *gauge != gauge_) {
    if (seen_ && *gauge != 0) {
      auto& code = codes_[*gauge];
      ++code.by_gauge;
      code.active = now;
    }
    gauge_ = *gauge;
  }
  for (auto& [number, code] : codes_)
    if (std::ranges::find(page.counts, number, &Count::code) == page.counts.end()) code.count = 0;
  for (const auto& [number, count] : page.counts) {
    auto& code = codes_[number];
    if (counted_ && count > code.count) {
      code.by_count += count - code.count;
      code.active = now;
    }
    code.count = count;
  }
  seen_ = counted_ = true;
  std::vector<int> news;
  for (auto& [number, code] : codes_) {
    const double all = std::max(code.by_gauge, code.by_count);
    news.insert(news.end(), static_cast<std::size_t>(std::clamp(std::round(all - code.told), 0.0, kMostAtOnce)), number);
    code.told = all;
  }
  std::erase_if(codes_, [now](const auto& c) { return c.second.count == 0 && now - c.second.active > kQuiet; });
  return news;
}

std::optional<double> WorseEdge::see(double status) {
  const auto before = std::exchange(last_, status);
  return before && status > *before ? before : std::nullopt;
}

}  // namespace ghm::validation
