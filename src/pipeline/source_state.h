#pragma once
#include <memory>
#include <vector>

#include "domain/anomaly/anomaly_watch.h"
#include "domain/fleet/ledger.h"
#include "domain/fleet/page_watch.h"
#include "pipeline/source_columns.h"
#include "pipeline/trust.h"

namespace ghm::pipeline {

/// What is known of one source and depends only on its layout and on the boards behind it; worked out anew when these change.
struct SourceState {
  std::shared_ptr<const telemetry::PageLayout> layout;  // of what follows
  Trust::Source* trust = nullptr;
  fleet::Sighting saw;  // but for its time
  std::vector<fleet::BoardId> boards;
  SourceColumns columns;
  fleet::PageWatch watch;
  anomaly::AnomalyWatch anomalies;
};

}  // namespace ghm::pipeline
