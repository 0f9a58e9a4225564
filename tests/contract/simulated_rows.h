#pragma once
#include <stdexcept>

#include "adapters/dcgm_exporter/page_reader.h"
#include "domain/simulation/fleet.h"
#include "domain/store/telemetry_store.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/source_columns.h"

namespace ghm::store {

/// A simulated fleet's pages as the rows that ingest makes of them: the work load that sizes and times are measured on.
/// Hosts have 8 GPUs; GPU n is board n + 1, and a host's own series belong to boards from kFirstHost on.
class SimulatedRows {
 public:
  static constexpr std::uint32_t kFirstHost = 1'000'000;

  SimulatedRows(int gpus, Timestamp start, const std::string& scenario = "literature")
      : fleet_(create(gpus, start, scenario)), pool_(dcgm_exporter::make_layout_pool()) {
    for (std::size_t h = 0; h < fleet_.hosts(); ++h)
      hosts_.push_back({dcgm_exporter::PageReader(telemetry::MetricCatalogue::built_in(), pool_), nullptr, {}});
  }

  std::size_t hosts() const { return hosts_.size(); }

  /// What host `h` says at `t`; times ascend per host.
  RowBatch row(std::size_t h, Timestamp t) {
    auto& host = hosts_[h];
    fleet_.advance(h, t);
    page_.clear();
    fleet_.render(h, page_);
    auto& reading = host.reader.read(page_);
    if (reading.layout != host.layout) {
      host.layout = reading.layout;
      host.columns = pipeline::make_columns(*reading.layout, boards(h, reading.layout->gpus.size()), host_id(h));
    }
    RowBatch out{fleet_.place(h).host + ":9400", host.columns.stored, t, {}};
    for (const auto i : host.columns.from) out.values.push_back(reading.values[i]);
    return out;
  }

 private:
  struct Host {
    dcgm_exporter::PageReader reader;
    std::shared_ptr<const telemetry::PageLayout> layout;
    pipeline::SourceColumns columns;
  };

  static simulation::Fleet create(int gpus, Timestamp start, const std::string& scenario) {
    auto fleet = simulation::Fleet::create({gpus, 1, scenario, start});
    if (!fleet) throw std::runtime_error(fleet.error().what);
    return std::move(*fleet);
  }
  static std::vector<telemetry::BoardId> boards(std::size_t host, std::size_t gpus) {
    std::vector<telemetry::BoardId> all;
    for (std::size_t g = 0; g < gpus; ++g) all.push_back(telemetry::BoardId{static_cast<std::uint32_t>(host * 8 + g + 1)});
    return all;
  }
  static telemetry::BoardId host_id(std::size_t host) { return telemetry::BoardId{kFirstHost + static_cast<std::uint32_t>(host)}; }

  simulation::Fleet fleet_;
  std::shared_ptr<dcgm_exporter::LayoutPool> pool_;
  std::vector<Host> hosts_;
  std::string page_;
};

}  // namespace ghm::store
