#pragma once
#include <functional>

#include "domain/store/telemetry_store.h"
#include "domain/validation/limits.h"
#include "pipeline/keeper.h"
#include "pipeline/quarantine.h"

namespace ghm::pipeline {

/// What a replay needs of the rest.
struct ReplayWorld {
  const store::TelemetryStore& telemetry;
  std::function<std::string(fleet::BoardId)> model_of;  // exporter's modelName; empty when unknown
  const validation::Overrides& overrides;
  std::chrono::milliseconds retention{};
  /// Hands rows or records to the keeper, from any thread; false when it cannot take them.
  std::function<bool(ToKeep)> keep;
  std::chrono::milliseconds patience{30'000};  // for them to become durable
};

/// Judges the kept values that `query` means by today's rules: the built-in catalogue may be another since an upgrade, and
/// a site may have mended a rule by an override. What passes is appended at its own time, durable before it leaves the
/// quarantine, so a kill in between repeats it without harm. A replay is a back-fill: a time that was too old may be as
/// old as retention, a time that lay in the future passes once it has come. A rate is judged against the stored readings
/// before and after. `dry_run` changes nothing. unavailable: the store does not keep up; what is not done stays.
Result<views::ReplayReport> replay(Quarantine& quarantine, const views::QuarantineQuery& query, bool dry_run, const ReplayWorld& world,
                                   Timestamp now);

}  // namespace ghm::pipeline
