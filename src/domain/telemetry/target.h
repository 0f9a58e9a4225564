#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "domain/telemetry/page.h"

namespace ghm::telemetry {

/// How to talk to a group of targets; keys and meaning follow Prometheus.
struct ScrapeAccess {
  std::string scheme = "http";  // or "https"
  std::string metrics_path = "/metrics";
  // tls_config
  std::string ca_file, cert_file, key_file, server_name;
  bool insecure_skip_verify = false;
  // basic_auth, authorization
  std::string username, password_file, credentials_file;
  bool accept_gzip = false;  // inside a rack inflating costs more than the wire
  friend bool operator==(const ScrapeAccess&, const ScrapeAccess&) = default;
};

/// One exporter to read. `labels` say where it stands: host, region, datacenter, rack; others are kept with the host.
struct Target {
  std::string address;  // "gpu-host-1:9400", "[::1]:9400"; the source's name everywhere
  LabelMap labels;
  std::shared_ptr<const ScrapeAccess> access;
  friend bool operator==(const Target& a, const Target& b) {
    return a.address == b.address && a.labels == b.labels && *a.access == *b.access;
  }
};

}  // namespace ghm::telemetry
