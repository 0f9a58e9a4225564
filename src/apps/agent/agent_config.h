#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "apps/agent/source_config.h"
#include "core/result.h"
#include "core/time.h"
#include "domain/telemetry/target.h"

namespace ghm::agent {

/// agent.yaml; docs/agent.md has every key.
struct AgentConfig {
  std::string server;                     // server.url: "https://ghm.example:9480"
  telemetry::ScrapeAccess server_access;  // server.token_file, server.tls_config
  std::chrono::milliseconds server_timeout{30s};
  std::string host;            // the ledger's name of this host; the system's own unless given
  telemetry::LabelMap labels;  // region, datacenter, rack
  std::chrono::milliseconds interval{10s};
  std::string exporter = "127.0.0.1:9400";         // exporter.address; empty: none is read
  telemetry::ScrapeAccess exporter_access;         // exporter.metrics_path, exporter.tls_config
  std::string listen = "127.0.0.1:9481";           // own /metrics and /healthz; empty: nowhere
  std::string spool = "/var/lib/ghm-agent/spool";  // spool.dir
  std::int64_t spool_mib = 1024;                   // spool.max_mib
  SourceConfig sources;
  std::string log_level = "info", log_format = "text";
};

/// All complaints at once, a line each, with file and line. Relative paths start at the file's folder. Pure.
Result<AgentConfig> parse_agent_config(std::string_view yaml, std::string_view file);

/// Reads the file, and looks whether what it names can be read.
Result<AgentConfig> load_agent_config(const std::filesystem::path& path);

}  // namespace ghm::agent
