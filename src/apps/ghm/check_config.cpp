#include "apps/ghm/check_config.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "adapters/http/tls_context.h"
#include "core/size_text.h"

namespace ghm::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kSeriesPerHost = 8.0 * 110;  // an HGX host with dcgm-exporter's usual counters
constexpr double kSecondsPerDay = 86'400;
constexpr double kForEver = 3650;  // days that something kept for ever is priced for

// Bytes on disk, as measured and a fifth on top: of a reading, and per series of a bucket of each wider tier.
constexpr double kMargin = 1.2, kReadingBytes = 0.52 * kMargin, kMinuteBytes = 2.2 * kMargin, kHourBytes = 2.4 * kMargin,
                 kDayBytes = 4 * kMargin;

struct Tier {
  const char* name;
  std::optional<int> days;  // none: for ever
  double per_day;           // bytes
  double at_retention() const { return per_day * (days ? *days : kForEver); }
};

std::vector<Tier> price(const Config& config, std::size_t targets) {
  const double series = static_cast<double>(targets) * kSeriesPerHost, interval = Seconds(config.scraper.interval).count();
  const auto buckets = [&](double width) { return series * kSecondsPerDay / std::max(width, interval); };
  return {{"raw", config.raw_days, buckets(interval) * kReadingBytes},
          {"1m", config.minute_days, buckets(60) * kMinuteBytes},
          {"1h", config.hour_days, buckets(3600) * kHourBytes},
          {"1d", std::nullopt, buckets(kSecondsPerDay) * kDayBytes}};
}

// What would fit: fewer days of readings, or, where these are not all that is too much, of minutes as well.
std::string what_fits(const Json& tiers, double free) {
  const auto per_day = [&](std::size_t n) { return tiers[n]["bytes_per_day"].get<double>(); };
  const auto at_retention = [&](std::size_t n) { return tiers[n]["bytes_at_retention"].get<double>(); };
  const auto days = [](double room, double each) { return std::max(1, static_cast<int>(each > 0 ? room / each : 0)); };
  const double hours = at_retention(2) + at_retention(3), readings_room = free - hours - at_retention(1);
  if (readings_room >= per_day(0)) return fmt::format("set retention.raw_days to {}", days(readings_room, per_day(0)));
  const int both = days(free - hours, per_day(0) + per_day(1));
  return fmt::format("set retention.raw_days and minute_days to {}", both);
}
constexpr std::uint64_t kOwnFiles = 200;  // day files, API clients, libraries

std::uint64_t whole(double v) {
  return static_cast<std::uint64_t>(std::llround(v));
}

bool is_loopback(std::string_view listen) {
  return listen.starts_with("127.") || listen.starts_with("localhost:") || listen.starts_with("[::1]:");
}

void warn(Json& report, const Config& config, const std::vector<std::string>& known) {
  auto& warnings = report["warnings"] = known;
  const auto targets = report["targets"].get<std::uint64_t>();
  if (!is_loopback(config.listen) && config.cert_file.empty())
    warnings.push_back(
        fmt::format("listen: {} is open to the network and `ghm serve` will refuse to start without tls.cert_file and tls.key_file: "
                    "set them, or listen on 127.0.0.1",
                    config.listen));
  http::ServerSettings tls;
  tls.cert_file = config.cert_file, tls.key_file = config.key_file;
  tls.client_ca_file = config.client_ca_file, tls.client_crl_file = config.client_crl_file;
  if (const auto opened = http::open_tls(tls); !opened) warnings.push_back(opened.error().what);
  if (targets == 0 && !config.only_receives)
    warnings.push_back("no target was found: nothing will be read until file_sd or http_sd names some");
  const auto needed = report["disk_bytes_at_retention"].get<std::uint64_t>(), free = report["free_bytes"].get<std::uint64_t>();
  if (needed > free)
    warnings.push_back(fmt::format("{} at full retention do not fit into {} free at {}: {} or move data_dir",
                                   size_text(static_cast<double>(needed)), size_text(static_cast<double>(free)), config.data_dir,
                                   what_fits(report["tiers"], static_cast<double>(free))));
  const auto files = report["open_files_needed"].get<std::uint64_t>(), limit = report["open_file_limit"].get<std::uint64_t>();
  if (files > limit)
    warnings.push_back(fmt::format("{} open files are needed and {} allowed: set LimitNOFILE={} in the service file, or `ulimit -Hn {}`",
                                   files, limit, files, files));
}

}  // namespace

Room room_for(const Config& config) {
  namespace fs = std::filesystem;
  std::error_code ec;
  auto folder = fs::absolute(config.data_dir, ec);
  while (!fs::exists(folder, ec) && folder != folder.root_path()) folder = folder.parent_path();
  const auto space = fs::space(folder, ec);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return {ec ? 0 : space.available, files.rlim_max};
}

Result<std::size_t> count_targets(const Config& config, std::vector<std::string>& warnings) {
  const auto targets = scrape::read_targets(config.groups);
  if (!targets) return targets.error();
  std::unordered_set<std::string> addresses;
  for (const auto& t : *targets) addresses.insert(t.address);
  for (const auto& group : config.groups)
    for (const auto& url : group.http_sd) {
      const auto answered = scrape::fetch_targets(url, group);
      if (!answered) {
        warnings.push_back("http_sd: " + answered.error().what);
        continue;
      }
      for (const auto& t : *answered) addresses.insert(t.address);
    }
  return addresses.size();
}

Json check_config(const Config& config, std::size_t targets, const Room& room, const std::vector<std::string>& known) {
  const double interval = Seconds(config.scraper.interval).count();
  const double samples = static_cast<double>(targets) * kSeriesPerHost / interval;
  const auto tiers = price(config, targets);
  double per_day = 0, at_retention = 0;
  auto priced = Json::array();
  for (const auto& t : tiers) {
    per_day += t.per_day;
    at_retention += t.at_retention();
    priced.push_back({{"tier", t.name},
                      {"days", t.days ? Json(*t.days) : Json()},
                      {"bytes_per_day", whole(t.per_day)},
                      {"bytes_at_retention", whole(t.at_retention())}});
  }
  Json report;
  report["config_ok"] = true;
  report["listen"] = config.listen;
  report["data_dir"] = config.data_dir;
  report["interval_s"] = interval;
  report["targets"] = targets;
  report["samples_per_second"] = whole(samples);
  report["disk_bytes_per_day"] = whole(per_day);
  report["raw_days"] = config.raw_days;
  report["tiers"] = std::move(priced);
  report["disk_bytes_at_retention"] = whole(at_retention);
  report["free_bytes"] = room.free_bytes;
  report["open_files_needed"] = targets + kOwnFiles;
  report["open_file_limit"] = room.open_file_limit;
  warn(report, config, known);
  return report;
}

namespace {

std::string tier_lines(const Json& tiers) {
  std::string text;
  for (const auto& t : tiers) {
    const auto kept = t["days"].is_null() ? "for ever, in ten years" : fmt::format("{} days", t["days"].get<int>());
    text += fmt::format("  {:<14}{} a day; {}: {}\n", t["tier"].get<std::string>(), size_text(t["bytes_per_day"].get<double>()), kept,
                        size_text(t["bytes_at_retention"].get<double>()));
  }
  return text;
}

}  // namespace

std::string check_config_text(const Json& r) {
  const auto size = [&](const char* key) { return size_text(r[key].get<double>()); };
  std::string text = fmt::format(
      "configuration   ok\n"
      "listen          {}\n"
      "targets         {}, each every {}\n"
      "samples/s       {} (estimate: 8 GPUs per host, 110 series per GPU)\n"
      "disk per day    {} (estimate)\n"
      "{}"
      "at retention    {} of {} free at {}\n"
      "open files      {} needed, {} allowed\n",
      r["listen"].get<std::string>(), r["targets"].get<std::uint64_t>(),
      format_duration(std::chrono::milliseconds(std::llround(r["interval_s"].get<double>() * 1000))),
      r["samples_per_second"].get<std::uint64_t>(), size("disk_bytes_per_day"), tier_lines(r["tiers"]), size("disk_bytes_at_retention"),
      size("free_bytes"), r["data_dir"].get<std::string>(), r["open_files_needed"].get<std::uint64_t>(),
      r["open_file_limit"].get<std::uint64_t>());
  for (const auto& warning : r["warnings"]) text += "warning: " + warning.get<std::string>() + "\n";
  return text;
}

}  // namespace ghm::app

namespace ghm::cli {
namespace {

int not_usable(const Error& error, bool json) {
  if (!json) return fail(error);
  Json lines = Json::array();
  std::istringstream text(error.what);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  print_json({{"config_ok", false}, {"errors", lines}});
  return kFailed;
}

int check(const std::string& file, bool json) {
  const auto config = app::load_config(file);
  if (!config) return not_usable(config.error(), json);
  std::vector<std::string> warnings;
  const auto targets = app::count_targets(*config, warnings);
  if (!targets) return not_usable(targets.error(), json);
  const auto report = app::check_config(*config, *targets, app::room_for(*config), warnings);
  if (json) print_json(report);
  else fmt::print("{}", app::check_config_text(report));
  return kDone;
}

}  // namespace

void add_check_config(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("check-config", "read a configuration, say all that is wrong with it, and what it will need");
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("FILE,--config", *file, "the configuration")->required();
  command->add_flag("--json", *json, "one JSON document on standard output");
  command->footer("example: ghm check-config ghm.yaml");
  command->callback([&run, file, json] { run = [file, json] { return check(*file, *json); }; });
}

}  // namespace ghm::cli
