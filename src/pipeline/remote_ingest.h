#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/remote_write/write_request.h"
#include "core/log.h"
#include "pipeline/ingest.h"
#include "pipeline/remote_source.h"

namespace ghm::pipeline {

struct RemoteStats {
  std::uint64_t requests = 0;
  std::uint64_t samples = 0;  // all that came
  std::uint64_t unknown = 0;  // of them: of metrics that are no GPU's, ignored
};

/// From remote_write requests to kept rows and a live view. A source is `remote_write/<instance>`; where all exporters are
/// scraped under one instance (localhost), it is the host. The ingest thread's alone, beside Ingest.
class RemoteIngest {
 public:
  struct Settings {
    std::chrono::milliseconds interval{10'000};  // of sources until it is learnt
    bool simulated = false;                      // ingest.simulated
    std::chrono::hours retention{30 * 24};       // of raw readings
  };
  RemoteIngest(Settings settings, Ingest& ingest, Log log);

  /// `told` hears once when all of it is durable, or why nothing is: invalid_input when the request cannot be kept however
  /// often it comes, else unavailable. Refused and ignored samples are counted and are no failure. `backfill`: readings as
  /// old as the retention are taken, not only the last 48 hours.
  void take(const remote_write::WriteRequest& request, Timestamp now, bool backfill, Told told);

  RemoteStats stats() const { return stats_; }

 private:
  struct Part {  // of a request: one source's
    RemoteSource* source = nullptr;
    std::vector<std::pair<std::uint64_t, const remote_write::Series*>> series;
    RemoteSource::Instants instants;
  };
  std::vector<Part> by_source(const remote_write::WriteRequest& request, Timestamp now);
  RemoteSource* source_of(const RemoteName& name, Timestamp now);
  RemoteSource* source(const std::string& name, const std::string& address, Timestamp now);
  void note_help(const std::vector<remote_write::Help>& help);
  void sweep(Timestamp now);

  Settings settings_;
  Ingest& ingest_;
  Log log_;
  std::unordered_map<std::string, std::unique_ptr<RemoteSource>> sources_;
  std::size_t swept_size_ = 0;
  dcgm_exporter::HelpUnits help_;
  RemoteStats stats_;
};

}  // namespace ghm::pipeline
