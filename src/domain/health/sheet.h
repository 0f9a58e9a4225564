#pragma once
#include "domain/health/rules.h"

namespace ghm::health {

/// A dimension while it is scored: inputs are listed, then deductions and caps are applied in the profile's order, so
/// that the points lost sum to 100 - score exactly.
class Sheet {
 public:
  explicit Sheet(const Scorer& scorer);

  /// Counts the input for coverage if the part has it.
  void list(const Evidence& evidence, Of input);
  /// Takes points, or what is left of them; or holds the score. The finding stands even when it costs nothing.
  void enter(const Rule& rule, const Verdict& verdict);

  Dimension finish() &&;

 private:
  Dimension result_;
  double left_ = 100;
  int listed_ = 0, present_ = 0;
};

/// Lists the scorer's inputs and applies its rules.
Dimension score(const Scorer& scorer, const Evidence& evidence);

}  // namespace ghm::health
