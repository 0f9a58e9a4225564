#include "domain/validation/source_of_truth.h"

#include <algorithm>

namespace ghm::validation {
namespace {

constexpr int kPatience = 2;  // intervals of silence

std::uint64_t pair_of(SourceNumber a, SourceNumber b) {
  return static_cast<std::uint64_t>(std::min(a, b)) << 32 | std::max(a, b);
}

}  // namespace

const std::vector<SourceOfTruth::Contested>& SourceOfTruth::see(SourceNumber source, const std::vector<telemetry::BoardId>& boards,
                                                                Timestamp now, std::chrono::milliseconds interval) {
  contested_.clear();
  for (std::size_t i = 0; i < boards.size(); ++i) {
    const auto id = static_cast<std::size_t>(boards[i]);
    if (id == 0) continue;
    if (id >= claims_.size()) claims_.resize(id + 64);
    auto& claim = claims_[id];
    const bool free = claim.source == 0 || now - claim.seen > claim.interval * kPatience;
    if (claim.source != source && !free) {
      const bool first = known_pairs_.insert(pair_of(source, claim.source)).second;
      contested_.push_back({i, claim.source, first});
      continue;
    }
    if (claim.source != source) ++generation_;
    claim = {source, std::max(now, claim.source == source ? claim.seen : now), interval};
  }
  return contested_;
}

SourceNumber SourceOfTruth::believed(telemetry::BoardId board) const {
  const auto id = static_cast<std::size_t>(board);
  return id < claims_.size() ? claims_[id].source : 0;
}

void SourceOfTruth::forget(SourceNumber source) {
  for (auto& claim : claims_)
    if (claim.source == source) {
      claim = {};
      ++generation_;
    }
}

}  // namespace ghm::validation
