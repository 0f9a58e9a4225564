#pragma once
#include <vector>

#include "domain/store/telemetry_store.h"

namespace ghm::pipeline {

/// Rows of one source, one instant and the same columns become one row, in the place of the first: what one lacks another
/// has; where both have a value the first stands, as in a store. A sender that spreads a page over requests would else leave
/// many rows of holes. O(values of the rows that have a twin).
void join_partial_rows(std::vector<store::RowBatch>& rows);

}  // namespace ghm::pipeline
