#include "apps/agent/agent_config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "adapters/scrape/address.h"
#include "adapters/yaml/config_reader.h"
#include "core/files.h"

namespace ghm::agent {
namespace {

namespace fs = std::filesystem;
using config::Reader;

constexpr std::size_t kLargestConfig = 1u << 20;
constexpr std::int64_t kLeastSpool = 16, kMostSpool = 1 << 20;  // MiB

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

struct Paths {
  fs::path folder;
  void read(Reader& in, const std::string& key, std::string& out) const {
    std::string text;
    in.text(key, text);
    if (!text.empty()) out = fs::path(text).is_absolute() ? text : (folder / text).lexically_normal().string();
  }
};

void read_tls(Reader& in, const Paths& paths, telemetry::ScrapeAccess& access) {
  in.section("tls_config", [&](Reader& tls) {
    paths.read(tls, "ca_file", access.ca_file);
    paths.read(tls, "cert_file", access.cert_file);
    paths.read(tls, "key_file", access.key_file);
    tls.text("server_name", access.server_name);
    tls.boolean("insecure_skip_verify", access.insecure_skip_verify);
    if (access.cert_file.empty() != access.key_file.empty())
      tls.complain(access.cert_file.empty() ? "key_file" : "cert_file", "cert_file and key_file need each other");
  });
}

void read_server(Reader& in, const Paths& paths, AgentConfig& c) {
  in.text("url", c.server);
  if (const auto url = scrape::parse_url(c.server); !url) in.complain("url", url.error().what);
  else if (url->path != "/") in.complain("url", fmt::format("'{}': expected no path, such as https://ghm.example:9480", c.server));
  paths.read(in, "token_file", c.server_access.credentials_file);
  in.duration("timeout", c.server_timeout, 1s, 5min);
  read_tls(in, paths, c.server_access);
}

void read_exporter(Reader& in, const Paths& paths, AgentConfig& c) {
  bool enabled = true;
  in.boolean("enabled", enabled);
  in.text("address", c.exporter);
  if (auto address = scrape::normalize_address(c.exporter)) c.exporter = *address;
  else in.complain("address", address.error().what);
  in.text("metrics_path", c.exporter_access.metrics_path);
  if (!scrape::is_request_path(c.exporter_access.metrics_path))
    in.complain("metrics_path", fmt::format("'{}': expected a path such as /metrics", c.exporter_access.metrics_path));
  in.choice("scheme", c.exporter_access.scheme, {"http", "https"});
  read_tls(in, paths, c.exporter_access);
  if (!enabled) c.exporter.clear();
}

void read_labels(Reader& in, AgentConfig& c) {
  std::vector<std::pair<std::string, std::string>> labels;
  in.labels("labels", labels);
  for (auto& [name, value] : labels) {
    if (name != "region" && name != "datacenter" && name != "rack")
      in.complain("labels", fmt::format("'{}': expected region, datacenter or rack", name));
    c.labels[name] = std::move(value);
  }
}

}  // namespace

Result<AgentConfig> parse_agent_config(std::string_view yaml, std::string_view file) {
  AgentConfig c;
  c.host = host_name();
  Reader in(yaml, file);
  const Paths paths{fs::path(file).parent_path()};
  if (!in.has("server")) in.complain("server", "is needed: where the readings go, such as {url: \"https://ghm.example:9480\"}");
  in.section("server", [&](Reader& server) { read_server(server, paths, c); });
  in.text("host", c.host);
  if (c.host.empty() || c.host.size() > 255) in.complain("host", "expected a name of 1 to 255 characters");
  read_labels(in, c);
  in.duration("interval", c.interval, 1s, 5min);
  in.section("exporter", [&](Reader& exporter) { read_exporter(exporter, paths, c); });
  in.section("sources", [&](Reader& sources) { read_sources(sources, paths.folder, c.sources); });
  in.text("listen", c.listen);
  in.section("spool", [&](Reader& spool) {
    paths.read(spool, "dir", c.spool);
    spool.integer("max_mib", c.spool_mib, kLeastSpool, kMostSpool);
  });
  in.section("log", [&](Reader& log) {
    log.choice("level", c.log_level, {"debug", "info", "warn", "error", "off"});
    log.choice("format", c.log_format, {"text", "json"});
  });
  return in.finish(std::move(c));
}

Result<AgentConfig> load_agent_config(const fs::path& path) {
  const auto text = read_file(path, kLargestConfig);
  if (!text) return text.error();
  auto config = parse_agent_config(*text, path.string());
  if (!config) return config;
  for (const auto* access : {&config->server_access, &config->exporter_access})
    for (const auto& named : {access->credentials_file, access->ca_file, access->cert_file, access->key_file})
      if (!named.empty() && ::access(named.c_str(), R_OK) != 0)
        return Error{Errc::invalid_input,
                     fmt::format("{}: {}: cannot be read: create it, or mend the path or its permissions", path.string(), named)};
  return config;
}

}  // namespace ghm::agent
