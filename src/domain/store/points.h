#pragma once
#include <span>
#include <vector>

#include "domain/store/telemetry_store.h"

/// What every store does alike with what it was given and what it found.
namespace ghm::store {

/// invalid_input for a row that no store can keep: no source, no columns, another number of values than columns, more than
/// kMostRowColumns, a time before 1970 or after 9999.
Result<void> check_rows(std::span<const RowBatch> rows);

/// Brings points, given in order of arrival, into order of time; of several at one instant the first to arrive stands.
/// O(n) when they are in order already.
void keep_first_of_each_instant(std::vector<Point>& points);

/// What an answer of aggregate() says of rollups, which are in time order.
std::vector<Bucket> to_buckets(std::span<const windows::Rollup> rollups, windows::Counting counting);

}  // namespace ghm::store
