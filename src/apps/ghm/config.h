#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/scrape/discovery.h"
#include "adapters/scrape/scraper.h"
#include "core/result.h"
#include "core/time.h"
#include "domain/faults/catalogue.h"
#include "domain/health/health.h"
#include "domain/validation/limits.h"
#include "pipeline/quarantine.h"

namespace ghm::app {

/// Everything `ghm.yaml` can say, with the defaults in sight. docs/configuration.md describes each key.
struct Config {
  std::string listen = "127.0.0.1:9480";
  std::string data_dir = "./ghm-data";
  bool key_required = false;                    // auth.mode: required
  std::string cert_file, key_file;              // tls, of our own server
  std::string client_ca_file, client_crl_file;  // tls: who may send readings with a certificate
  std::string metrics_token_file;
  scrape::ScraperSettings scraper;          // scrape.interval; scrape.timeout, which is the interval unless given
  std::vector<scrape::TargetGroup> groups;  // first what stands under `scrape` itself, then scrape.groups
  std::chrono::milliseconds scoring_interval{15min};
  const health::Profile* profile = &health::default_profile();  // scoring.profile
  int raw_days = 30;  // retention, each at least as long as the one before; rollups of a day stay for ever
  int minute_days = 90;
  int hour_days = 730;
  bool take_prometheus = true;              // ingest.prometheus: POST /api/v1/ingest/prometheus
  bool take_batches = true;                 // ingest.batch: POST /api/v1/ingest/batch, from ghm-agent
  bool only_receives = false;               // ingest.prometheus or ingest.batch stands there: a configuration without targets is meant so
  bool simulated_ingest = false;            // ingest.simulated: what is sent there is of a simulated fleet
  pipeline::QuarantineSettings quarantine;  // quarantine.max_rows, quarantine.max_age
  validation::Overrides overrides;          // validation.overrides
  // The built-in catalogue, and faults.catalogues over it; never null.
  std::shared_ptr<const faults::FaultCatalogue> faults = std::make_shared<const faults::FaultCatalogue>(faults::FaultCatalogue::built_in());
  std::string log_level = "info";   // debug info warn error off
  std::string log_format = "text";  // or "json"
};

/// Tells whether a file that the configuration names can be read.
using CanRead = std::function<bool(const std::string& path)>;

/// `file` names the text in complaints, and relative paths in it start at its folder. The error's text is all complaints at
/// once, a line each, with file and line. Without `can_read` the named files are not looked at. Pure otherwise.
Result<Config> parse_config(std::string_view text, std::string_view file, const CanRead& can_read = {});

/// Reads the file and everything it names exists. not_found when there is no such file.
Result<Config> load_config(const std::filesystem::path& path);

}  // namespace ghm::app
