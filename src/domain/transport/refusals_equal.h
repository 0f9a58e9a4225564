#pragma once
#include <algorithm>
#include <span>

#include "domain/telemetry/page.h"

namespace ghm::transport {

/// The same values refused for the same reasons. Most pages have a few that are refused each time.
inline bool same_refusals(std::span<const telemetry::Refusal> a, std::span<const telemetry::Refusal> b) {
  return std::ranges::equal(a, b, [](const telemetry::Refusal& x, const telemetry::Refusal& y) {
    return x.gpu == y.gpu && x.entity == y.entity && x.metric == y.metric && x.value == y.value && x.reason == y.reason &&
           x.column == y.column && x.number == y.number && x.at == y.at;
  });
}

}  // namespace ghm::transport
