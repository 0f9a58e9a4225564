#pragma once

/// Streaming detectors, one per file: pure, of a fixed size, with time passed in. They judge what a board says against its
/// own past or its peers; which metrics they watch and from where on it matters is a table (checks.cpp).
namespace ghm::anomaly {

/// What a detector thinks of one value. `value`, `expected` and `sigma` are in the value's unit; z is in sigmas, above 0
/// when the value is above what was expected.
struct Score {
  double value = 0, expected = 0, sigma = 0, z = 0;
};

}  // namespace ghm::anomaly
