#include "domain/health/sheet.h"

#include <algorithm>

namespace ghm::health {
namespace {

constexpr double kAvailable = 0.60;  // of the listed inputs

}  // namespace

Sheet::Sheet(const Input& input, std::string_view dimension) : input_(input) {
  result_.name = dimension;
}

bool Sheet::list(const Metric& m, double window_s) {
  if (!m.listed) return false;
  ++listed_;
  const bool present = is_present(input_, m, window_s);
  if (present) ++present_;
  else result_.missing.emplace_back(m.name);
  return present;
}

void Sheet::lose(std::string_view rule, double points, Seen seen) {
  left_ -= points;
  result_.findings.push_back({std::string(rule), points, seen.value, seen.reference, seen.at});
}

void Sheet::deduct(std::string_view rule, double points, Seen seen) {
  lose(rule, std::min(points, left_), seen);
}

void Sheet::cap(std::string_view rule, double points, Seen seen) {
  lose(rule, std::max(0.0, left_ - points), seen);
}

Dimension Sheet::finish() && {
  result_.coverage = listed_ == 0 ? 0 : static_cast<double>(present_) / listed_;
  if (listed_ > 0 && result_.coverage >= kAvailable) result_.score = left_;
  return std::move(result_);
}

}  // namespace ghm::health
