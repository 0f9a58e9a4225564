#include "apps/ghm/check_config.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <sstream>
#include <unordered_set>

#include "core/size_text.h"

namespace ghm::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kSeriesPerHost = 8.0 * 110;   // an HGX host with dcgm-exporter's usual counters
constexpr double kBytesPerSample = 0.7 * 1.2;  // sealed chunks as measured, and what stands around them
constexpr double kSecondsPerDay = 86'400;
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
  if (targets == 0) warnings.push_back("no target was found: nothing will be read until file_sd or http_sd names some");
  const auto needed = report["disk_bytes_at_retention"].get<std::uint64_t>(), free = report["free_bytes"].get<std::uint64_t>();
  const auto per_day = report["disk_bytes_per_day"].get<std::uint64_t>();
  if (needed > free)
    warnings.push_back(fmt::format("{} of raw data at {} days do not fit into {} free at {}: set retention.raw_days to {} or move data_dir",
                                   size_text(static_cast<double>(needed)), config.raw_days, size_text(static_cast<double>(free)),
                                   config.data_dir, std::max<std::uint64_t>(1, per_day ? free / per_day : 1)));
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
  const double per_day = samples * kSecondsPerDay * kBytesPerSample;
  Json report;
  report["config_ok"] = true;
  report["listen"] = config.listen;
  report["data_dir"] = config.data_dir;
  report["interval_s"] = interval;
  report["targets"] = targets;
  report["samples_per_second"] = whole(samples);
  report["disk_bytes_per_day"] = whole(per_day);
  report["raw_days"] = config.raw_days;
  report["disk_bytes_at_retention"] = whole(per_day * config.raw_days);
  report["free_bytes"] = room.free_bytes;
  report["open_files_needed"] = targets + kOwnFiles;
  report["open_file_limit"] = room.open_file_limit;
  warn(report, config, known);
  return report;
}

std::string check_config_text(const Json& r) {
  const auto size = [&](const char* key) { return size_text(r[key].get<double>()); };
  std::string text = fmt::format(
      "configuration   ok\n"
      "listen          {}\n"
      "targets         {}, each every {}\n"
      "samples/s       {} (estimate: 8 GPUs per host, 110 series per GPU)\n"
      "disk per day    {} (estimate: 0.84 bytes per sample)\n"
      "at {} days      {} of {} free at {}\n"
      "open files      {} needed, {} allowed\n",
      r["listen"].get<std::string>(), r["targets"].get<std::uint64_t>(),
      format_duration(std::chrono::milliseconds(std::llround(r["interval_s"].get<double>() * 1000))),
      r["samples_per_second"].get<std::uint64_t>(), size("disk_bytes_per_day"), r["raw_days"].get<int>(), size("disk_bytes_at_retention"),
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
