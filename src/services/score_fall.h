#pragma once
#include "domain/store/telemetry_store.h"
#include "domain/views/signs.h"

namespace ghm::services {

/// How a score (the whole or a dimension, see health::kOverallScore) fell within the last `within`: from the highest it had to its newest,
/// and when it had lost half of that, to a quarter hour (an hour for over two days). nullopt where that is less than a point, or the
/// history cannot be read. One read of rollups, ~0.1 ms.
std::optional<views::Fall> score_fall(const store::TelemetryStore& telemetry, fleet::BoardId board, telemetry::MetricId score, Timestamp now,
                                      std::chrono::hours within);

}  // namespace ghm::services
