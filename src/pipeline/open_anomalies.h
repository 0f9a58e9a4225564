#pragma once
#include <vector>

#include "domain/anomaly/anomaly_watch.h"
#include "domain/store/record_store.h"

namespace ghm::pipeline {

/// An anomaly that was open when the program ended.
struct WasOpen {
  std::string host;
  anomaly::Anomaly anomaly;
};

/// Anomalies whose events say that they opened and not that they are over. Those that began more than seven days before `now` are left
/// out: by then they would have been learnt as normal. An event that cannot be read is left out, too. O(events of those days).
Result<std::vector<WasOpen>> anomalies_of_before(const store::RecordStore& records, Timestamp now);

}  // namespace ghm::pipeline
