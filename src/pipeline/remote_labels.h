#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "adapters/dcgm_exporter/line_grammar.h"
#include "adapters/remote_write/write_request.h"
#include "domain/telemetry/page.h"

/// A series' labels on their way through Prometheus: what its exporter printed, and what the server that scraped it added.
namespace ghm::pipeline {

/// What tells whose series it is, at a glance; views into the labels. Empty where they do not say.
struct RemoteName {
  std::string_view metric, instance;
  std::string_view host;  // the target's label `host`, else the exporter's Hostname unless that is "localhost"
};
RemoteName name_of(const std::vector<remote_write::Label>& labels);

/// The same for the same labels in the same order. O(their bytes).
std::uint64_t key_of(const std::vector<remote_write::Label>& labels);

/// Labels that a server's configuration adds win over an exporter's own of that name, which is then called exported_NAME
/// (honor_labels: false); here each gets its own back. Views into the labels.
struct RemoteSeries {
  dcgm_exporter::ParsedPrefix exporter;
  telemetry::LabelMap target;  // host region datacenter rack
  bool simulated = false;      // ghm_simulated is there and is not "false" or "0"
};
RemoteSeries series_of(const std::vector<remote_write::Label>& labels);

}  // namespace ghm::pipeline
