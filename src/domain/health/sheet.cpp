#include "domain/health/sheet.h"

#include <algorithm>

namespace ghm::health {
namespace {

constexpr double kAvailable = 0.60;  // of the listed inputs

}  // namespace

Sheet::Sheet(const Scorer& scorer) {
  result_.name = scorer.name;
  result_.weight_percent = scorer.weight_percent;
}

void Sheet::list(const Evidence& evidence, Of input) {
  if (!evidence.listed(input)) return;
  ++listed_;
  if (evidence.present(input)) ++present_;
  else result_.missing.emplace_back(evidence.name(input));
}

// What a finding lost is the difference of what was left, so that the losses sum to 100 - score to the last bit that
// a sum of doubles can carry.
void Sheet::enter(const Rule& rule, const Verdict& v) {
  const double before = left_;
  if (rule.effect == Effect::deduct) left_ -= std::min(v.points, left_);
  else left_ = std::min(left_, v.points);
  result_.findings.push_back({std::string(rule.name), before - left_, v.value, v.reference, v.at, v.critical});
}

Dimension Sheet::finish() && {
  result_.coverage = listed_ == 0 ? 0 : static_cast<double>(present_) / listed_;
  if (listed_ > 0 && result_.coverage >= kAvailable) result_.score = left_;
  return std::move(result_);
}

Dimension score(const Scorer& scorer, const Evidence& evidence) {
  Sheet sheet(scorer);
  for (const auto input : scorer.inputs) sheet.list(evidence, input);
  for (const auto& rule : scorer.rules) {
    if (!std::ranges::all_of(rule.needs, [&](Of of) { return evidence.present(of); })) continue;
    if (const auto verdict = rule.judge(evidence)) sheet.enter(rule, *verdict);
  }
  return std::move(sheet).finish();
}

}  // namespace ghm::health
