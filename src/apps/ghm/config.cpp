#include "apps/ghm/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "adapters/scrape/address.h"
#include "adapters/yaml/config_reader.h"
#include "core/files.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::app {
namespace {

namespace fs = std::filesystem;
using config::Reader;
using scrape::TargetGroup;
using telemetry::ScrapeAccess;

constexpr std::size_t kLargestConfig = 16u << 20;
constexpr std::int64_t kMostDays = 3650;

bool is_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) return false;
  unsigned short port = 0;
  const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  const auto host = text.substr(0, colon);
  const bool bare_v6 = host.find(':') != host.npos && !host.starts_with('[');
  return error == std::errc() && end == text.data() + text.size() && !bare_v6;
}

bool is_glob(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

/// Reads what more than one section needs: paths relative to the configuration's folder, and whether files are there.
class Paths {
 public:
  Paths(std::string_view config_file, const CanRead& can_read) : folder_(fs::path(config_file).parent_path()), can_read_(can_read) {}

  std::string resolve(const std::string& path) const {
    return path.empty() || fs::path(path).is_absolute() ? path : (folder_ / path).lexically_normal().string();
  }

  bool looks_at_files() const { return static_cast<bool>(can_read_); }

  void folder(Reader& in, const std::string& key, std::string& out) const {
    in.text(key, out);
    out = resolve(out);
  }

  void file(Reader& in, const std::string& key, std::string& out) const {
    std::string text;
    in.text(key, text);
    if (text.empty()) return;
    out = resolve(text);
    need(in, key, out);
  }

  void files(Reader& in, const std::string& key, std::vector<std::string>& out) const {
    in.texts(key, out);
    for (auto& path : out) {
      if (path.empty()) in.complain(key, "an empty path");
      path = resolve(path);
      if (!is_glob(path)) need(in, key, path);
    }
  }

 private:
  void need(Reader& in, const std::string& key, const std::string& path) const {
    if (can_read_ && !can_read_(path))
      in.complain(key, fmt::format("{}: cannot be read: create it, or mend the path or its permissions", path));
  }
  fs::path folder_;
  const CanRead& can_read_;
};

void needs(Reader& in, const std::string& key, const std::string& other) {
  if (in.has(key) && !in.has(other)) in.complain(key, fmt::format("needs {} too", other));
}

void both_or_none(Reader& in, const std::string& a, const std::string& b) {
  if (in.has(a) != in.has(b)) in.complain(in.has(a) ? a : b, fmt::format("needs {} too", in.has(a) ? b : a));
}

void read_tls_config(Reader& in, const Paths& paths, ScrapeAccess& access) {
  paths.file(in, "ca_file", access.ca_file);
  paths.file(in, "cert_file", access.cert_file);
  paths.file(in, "key_file", access.key_file);
  in.text("server_name", access.server_name);
  in.boolean("insecure_skip_verify", access.insecure_skip_verify);
  both_or_none(in, "cert_file", "key_file");
}

// A group's own way to log in replaces the one it inherits; the two ways exclude each other.
void read_credentials(Reader& in, const Paths& paths, ScrapeAccess& access) {
  if (in.has("basic_auth") && in.has("authorization")) in.complain("authorization", "stands beside basic_auth: keep one of the two");
  if (in.has("basic_auth") || in.has("authorization")) access.username = access.password_file = access.credentials_file = "";
  in.section("basic_auth", [&](Reader& auth) {
    auth.text("username", access.username);
    paths.file(auth, "password_file", access.password_file);
    if (access.username.empty()) auth.complain("username", "is needed");
    if (access.username.find_first_of(":\r\n") != std::string::npos) auth.complain("username", "must have no colon or line break");
  });
  in.section("authorization", [&](Reader& auth) {
    paths.file(auth, "credentials_file", access.credentials_file);
    if (access.credentials_file.empty()) auth.complain("credentials_file", "is needed");
  });
}

std::shared_ptr<const ScrapeAccess> read_access(Reader& in, const Paths& paths, const ScrapeAccess& inherited) {
  ScrapeAccess access = inherited;
  in.choice("scheme", access.scheme, {"http", "https"});
  in.text("metrics_path", access.metrics_path);
  if (!scrape::is_request_path(access.metrics_path))
    in.complain("metrics_path", fmt::format("'{}': expected a path such as /metrics, without blanks", access.metrics_path));
  in.section("tls_config", [&](Reader& tls) { read_tls_config(tls, paths, access); });
  read_credentials(in, paths, access);
  in.boolean("accept_gzip", access.accept_gzip);
  return std::make_shared<const ScrapeAccess>(std::move(access));
}

void read_labels(Reader& in, telemetry::LabelMap& labels) {
  std::vector<std::pair<std::string, std::string>> all(labels.begin(), labels.end());
  in.labels("labels", all);
  labels = telemetry::LabelMap(all.begin(), all.end());
}

// The keys that `scrape` and each of its groups have in common. A group starts with what `scrape` said, but for its targets.
TargetGroup read_group(Reader& in, const Paths& paths, const TargetGroup& inherited) {
  TargetGroup group;
  group.labels = inherited.labels;
  group.refresh = inherited.refresh;
  in.texts("targets", group.targets);
  for (const auto& target : group.targets)
    if (auto address = scrape::normalize_address(target); !address) in.complain("targets", address.error().what);
  paths.files(in, "file_sd", group.file_sd);
  in.texts("http_sd", group.http_sd);
  for (const auto& text : group.http_sd)
    if (auto url = scrape::parse_url(text); !url) in.complain("http_sd", url.error().what);
  in.duration("http_sd_refresh", group.refresh, 1s, 24h);
  read_labels(in, group.labels);
  group.access = read_access(in, paths, *inherited.access);
  return group;
}

bool has_targets(const TargetGroup& g) {
  return !g.targets.empty() || !g.file_sd.empty() || !g.http_sd.empty();
}

void read_scrape(Reader& in, const Paths& paths, Config& c) {
  in.duration("interval", c.scraper.interval, 1s, 1h);
  c.scraper.timeout = c.scraper.interval;
  in.duration("timeout", c.scraper.timeout, 100ms, 1h);
  if (c.scraper.timeout > c.scraper.interval)
    in.complain("timeout", fmt::format("{} is longer than the interval of {}: give at most the interval",
                                       format_duration(c.scraper.timeout), format_duration(c.scraper.interval)));
  const TargetGroup common = read_group(in, paths, {});
  if (has_targets(common)) c.groups.push_back(common);
  in.sections("groups", [&](Reader& g) {
    const auto group = read_group(g, paths, common);
    if (!has_targets(group)) g.complain("", "the group has no targets: give it targets, file_sd or http_sd");
    c.groups.push_back(group);
  });
}

void read_quarantine(Reader& in, pipeline::QuarantineSettings& q) {
  std::int64_t rows = static_cast<std::int64_t>(q.max_rows);
  in.integer("max_rows", rows, 0, 10'000'000);
  q.max_rows = static_cast<std::size_t>(rows);
  std::chrono::milliseconds age = q.max_age;
  in.duration("max_age", age, 1h, 24h * kMostDays);
  q.max_age = std::chrono::duration_cast<std::chrono::hours>(age);
}

void read_side(Reader& in, const std::string& key, std::optional<double>& out, double least) {
  double value = 0;
  in.real(key, value, least, 1e18);
  if (in.has(key)) out = value;
}

// A site's own word on what a metric may be.
validation::Override read_override(Reader& in) {
  validation::Override o;
  std::string metric;
  in.text("metric", metric);
  const auto* spec = telemetry::MetricCatalogue::built_in().by_name(metric);
  if (spec == nullptr)
    in.complain("metric", metric.empty() ? "is needed: a DCGM name such as DCGM_FI_DEV_GPU_TEMP"
                                         : fmt::format("'{}' is not known: expected a DCGM name such as DCGM_FI_DEV_GPU_TEMP", metric));
  else o.metric = spec->id;
  in.text("model", o.model);
  read_side(in, "min", o.min, -1e18);
  read_side(in, "max", o.max, -1e18);
  read_side(in, "max_per_second", o.max_per_second, 0);
  if (!o.min && !o.max && !o.max_per_second) in.complain("", "the override changes nothing: give it min, max or max_per_second");
  if (o.min && o.max && *o.min > *o.max) in.complain("min", fmt::format("{} is above max {}", *o.min, *o.max));
  return o;
}

// What is asked for a wider tier where a narrower one has ended must be there: each is kept at least as long as the one below.
void read_retention(Reader& in, Config& c) {
  struct Tier {
    const char* key;
    int& days;
  };
  const Tier tiers[] = {{"raw_days", c.raw_days}, {"minute_days", c.minute_days}, {"hour_days", c.hour_days}};
  std::int64_t least = 1;
  const char* below = "";
  for (const auto& tier : tiers) {
    std::int64_t days = std::max<std::int64_t>(tier.days, least);
    in.integer(tier.key, days, 1, kMostDays);
    if (days < least) in.complain(tier.key, fmt::format("{} is less than {}, which is {}: give at least as many", days, below, least));
    tier.days = static_cast<int>(days);
    least = days;
    below = tier.key;
  }
}

// A site's own rows over the catalogue of faults. What is wrong with a file is told with its own line.
void read_faults(Reader& in, const Paths& paths, Config& c) {
  std::vector<std::string> files;
  paths.files(in, "catalogues", files);
  auto catalogue = *c.faults;
  for (const auto& file : files) {
    if (!paths.looks_at_files()) continue;
    const auto text = read_file(file, kLargestConfig);
    if (!text) {
      if (is_glob(file)) in.complain("catalogues", fmt::format("{}: a pattern is not looked up here: name each file", file));
      continue;  // files() has told it
    }
    auto with = catalogue.with_site(*text, file);
    if (with) catalogue = std::move(*with);
    else
      for (std::size_t from = 0; from < with.error().what.size();) {  // a line each, as all complaints
        const auto& all = with.error().what;
        const auto to = std::min(all.find('\n', from), all.size());
        in.complain("catalogues", all.substr(from, to - from));
        from = to + 1;
      }
  }
  c.faults = std::make_shared<const faults::FaultCatalogue>(std::move(catalogue));
}

void read_sections(Reader& in, const Paths& paths, Config& c) {
  in.section("auth", [&](Reader& auth) {
    std::string mode = "auto";
    auth.choice("mode", mode, {"auto", "required"});
    c.key_required = mode == "required";
  });
  in.section("tls", [&](Reader& tls) {
    paths.file(tls, "cert_file", c.cert_file);
    paths.file(tls, "key_file", c.key_file);
    both_or_none(tls, "cert_file", "key_file");
    paths.file(tls, "client_ca_file", c.client_ca_file);
    paths.file(tls, "client_crl_file", c.client_crl_file);
    needs(tls, "client_ca_file", "cert_file");
    needs(tls, "client_crl_file", "client_ca_file");
  });
  in.section("retention", [&](Reader& retention) { read_retention(retention, c); });
  in.section("quarantine", [&](Reader& quarantine) { read_quarantine(quarantine, c.quarantine); });
  in.section("validation",
             [&](Reader& validation) { validation.sections("overrides", [&](Reader& o) { c.overrides.push_back(read_override(o)); }); });
  in.section("faults", [&](Reader& f) { read_faults(f, paths, c); });
  in.section("log", [&](Reader& log) {
    log.choice("level", c.log_level, {"debug", "info", "warn", "error", "off"});
    log.choice("format", c.log_format, {"text", "json"});
  });
  in.section("ingest", [&](Reader& ingest) {
    ingest.boolean("prometheus", c.take_prometheus);
    ingest.boolean("simulated", c.simulated_ingest);
    ingest.boolean("batch", c.take_batches);
    c.only_receives = (ingest.has("prometheus") && c.take_prometheus) || (ingest.has("batch") && c.take_batches);
  });
  in.section("scoring", [&](Reader& scoring) {
    scoring.duration("interval", c.scoring_interval, 1min, 24h);
    std::string profile(health::name_of(*c.profile));
    scoring.choice("profile", profile, health::profile_names());
    c.profile = health::find_profile(profile);
  });
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file, const CanRead& can_read) {
  Config c;
  Reader in(text, file);
  const Paths paths(file, can_read);
  in.text("listen", c.listen);
  if (!is_listen(c.listen)) in.complain("listen", fmt::format("'{}': expected HOST:PORT such as 127.0.0.1:9480", c.listen));
  paths.folder(in, "data_dir", c.data_dir);
  if (c.data_dir.empty()) in.complain("data_dir", "expected a folder such as ./ghm-data");
  paths.file(in, "metrics_token_file", c.metrics_token_file);
  read_sections(in, paths, c);
  in.section("scrape", [&](Reader& scrape) { read_scrape(scrape, paths, c); });
  if (c.groups.empty() && !c.only_receives)
    in.complain("scrape",
                "no targets: give scrape.targets a list such as [gpu-host-1:9400], or use file_sd or http_sd; where Prometheus sends all "
                "readings, say ingest: {prometheus: true}, where agents do, ingest: {batch: true}");
  return in.finish(std::move(c));
}

Result<Config> load_config(const fs::path& path) {
  const auto text = read_file(path, kLargestConfig);
  if (!text) return text.error();
  return parse_config(*text, path.string(),
                      [](const std::string& file) { return ::access(file.c_str(), R_OK) == 0 && !fs::is_directory(file); });
}

}  // namespace ghm::app
