#pragma once
#include <string_view>

#include "domain/health/windows.h"

namespace ghm::health {

/// What a rule saw; becomes a finding.
struct Seen {
  double value = 0, reference = 0;
  double at = 0;  // Unix seconds
};

/// A dimension while it is scored: inputs are listed, then deductions and caps are applied in the profile's order, so
/// that the points lost sum to 100 - score exactly.
class Sheet {
 public:
  Sheet(const Input& input, std::string_view dimension);

  /// Lists the input if the part has it; true when it is present over `window_s`.
  bool list(const Metric& m, double window_s = kDay);
  /// Lists a record that is there.
  void list_record() { ++listed_, ++present_; }

  /// Takes `points`, or what is left. The finding stands even when nothing is left.
  void deduct(std::string_view rule, double points, Seen seen);
  /// Holds the score at `points` or below.
  void cap(std::string_view rule, double points, Seen seen);

  Dimension finish() &&;

 private:
  void lose(std::string_view rule, double points, Seen seen);

  const Input& input_;
  Dimension result_;
  double left_ = 100;
  int listed_ = 0, present_ = 0;
};

}  // namespace ghm::health
