#include <fmt/format.h>
#include <pthread.h>

#include <filesystem>
#include <memory>

#include "adapters/scrape/http_client.h"
#include "apps/ghm/cli.h"
#include "apps/ghm/node.h"
#include "apps/ghm/progress.h"
#include "apps/ghm/simulation_server.h"

namespace ghm::cli {
namespace {

constexpr auto kInterval = 5s;  // a demo should move
constexpr auto kPast = 1h;      // what the charts show at the first look
constexpr const char* kRealExporter = "127.0.0.1:9400";

struct DemoOptions {
  simulation::FleetPlan plan{.gpus = 96, .seed = 7, .job_names = true};
  unsigned short port = 9480, simulator_port = app::SimulationServer::kPort;
  std::string data_dir;
  bool simulate = false;
};

/// A data folder that goes with the demo, unless the user named one. Only a folder that was made here is ever removed.
class DataFolder {
 public:
  explicit DataFolder(const std::string& named) : path_(named), temporary_(named.empty()) {
    if (!temporary_) return;
    std::error_code none;  // then the folder stands in the working directory
    path_ = (std::filesystem::temp_directory_path(none) / "ghm-demo-XXXXXX").string();
    temporary_ = ::mkdtemp(path_.data()) != nullptr;
    if (!temporary_) path_ = "./ghm-demo";
  }
  ~DataFolder() {
    std::error_code ignored;  // a folder that stays behind is no harm
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool temporary_;
};

scrape::TargetGroup group_of(const std::string& address, const telemetry::LabelMap& labels) {
  scrape::TargetGroup group;
  group.targets = {address};
  group.labels = labels;
  return group;
}

/// What a visitor should find: signs of different age and weight, one dead exporter, the rest of the fleet well.
std::vector<app::SimulationServer::PastFault> story(int gpus, Timestamp now) {
  const auto gpu = [gpus](int n) { return std::to_string(n % gpus); };
  return {{now - 50min, gpu(19), "thermal_tim"}, {now - 42min, gpu(45), "ce_storm"}, {now - 31min, gpu(70), "row_remap_pending"},
          {now - 24min, gpu(10), "fan_fail"},    {now - 18min, gpu(52), "hbm_ue"},   {now - 9min, gpu(33), "row_remap_fail"},
          {now - 3min, gpu(84), "page_500"}};
}

bool has_real_gpus() {
  const auto answer = scrape::http_request("GET", fmt::format("http://{}/metrics", kRealExporter), {}, {}, "", 1s);
  return answer && answer->status == 200 && answer->body.find("DCGM_FI_") != std::string::npos &&
         !answer->headers.contains("ghm-simulated");
}

app::Config config_of(const DemoOptions& o, const std::string& data_dir) {
  app::Config config;
  config.listen = fmt::format("127.0.0.1:{}", o.port);
  config.data_dir = data_dir;
  config.scraper.interval = config.scraper.timeout = kInterval;
  config.log_level = "warn";
  return config;
}

void welcome(const app::Node& node, const std::string& what) {
  fmt::print(stderr, "\n  GPU Health Monitor   {}\n  {}\n\n  try   {}\n  end   Ctrl-C\n\n", node.url(), what,
             fmt::format("ghm status --server {0}\n        ghm incidents --server {0}\n        ghm why HOST --server {0}", node.url()));
}

int run_real(const DemoOptions& o) {
  const DataFolder folder(o.data_dir);
  auto config = config_of(o, folder.path());
  config.groups.push_back(group_of(kRealExporter, {}));
  auto node = app::Node::open(config, Log::to_stderr(config.log_level));
  if (!node) return fail(node.error());
  welcome(**node,
          fmt::format("the GPUs of this machine, from the exporter on {} (--simulate shows a simulated fleet instead)", kRealExporter));
  const auto done = (*node)->run();
  return done ? kDone : fail(done.error());
}

/// The past hour, page by page through the same path that live pages take.
Result<void> fill(app::Node& node, app::SimulationServer& fleet, int gpus) {
  const auto now = SystemClock().now();
  const auto hosts = fleet.targets().size();
  Progress progress("the fleet's past hour", hosts * static_cast<std::size_t>(kPast / kInterval));
  Result<void> lived;
  node.backfill([&](pipeline::Ingest& ingest) {
    lived = fleet.live_through({now - kPast, now}, kInterval, story(gpus, now),
                               [&](const telemetry::Target& target, Timestamp at, std::string_view page) {
                                 ingest.on_scrape({target, at, 1ms, page, {}, fleet.simulated()});
                                 progress.step();
                                 return !node.ending();
                               });
  });
  return lived;
}

int run_simulated(const DemoOptions& o) {
  boost::asio::io_context io(1);
  auto fleet = app::SimulationServer::start(io, o.plan, o.simulator_port, Log::to_stderr("warn"));
  if (!fleet) return fail(fleet.error());
  const DataFolder folder(o.data_dir);
  auto config = config_of(o, folder.path());
  for (const auto& target : (*fleet)->targets()) config.groups.push_back(group_of(target.address, target.labels));
  auto node = app::Node::open(config, Log::to_stderr(config.log_level));
  if (!node) return fail(node.error());
  if (auto done = fill(**node, **fleet, o.plan.gpus); !done) return fail(done.error());
  const std::jthread exporters([&io] {
    pthread_setname_np(pthread_self(), "simulator");
    io.run();
  });
  welcome(**node, fmt::format("{} simulated GPUs (scenario {}, seed {}); let one fail:\n        ghm simulate inject --port {} 25 hbm_ue",
                              o.plan.gpus, o.plan.scenario, o.plan.seed, o.simulator_port));
  const auto done = (*node)->run();
  (*fleet)->stop();
  return done ? kDone : fail(done.error());
}

int demo(const DemoOptions& o) {
  app::raise_open_file_limit();
  return !o.simulate && has_real_gpus() ? run_real(o) : run_simulated(o);
}

}  // namespace

void add_demo(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("demo", "the whole product on this machine's GPUs, or on a simulated fleet if it has none");
  auto o = std::make_shared<DemoOptions>();
  command->add_option("--gpus", o->plan.gpus, "size of the simulated fleet")->check(CLI::Range(8, 10'000))->capture_default_str();
  command->add_option("--port", o->port, "of UI and API")->check(CLI::Range(0, 65535))->capture_default_str();
  command->add_option("--simulator-port", o->simulator_port, "the first simulated host's port")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--seed", o->plan.seed, "the same seed gives the same fleet")->capture_default_str();
  const auto& names = simulation::Fleet::scenarios();
  command->add_option("--scenario", o->plan.scenario, "how its boards fail")
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())))
      ->capture_default_str();
  command->add_option("--data-dir", o->data_dir, "keep the readings here (default: a folder that goes with the demo)");
  command->add_flag("--simulate", o->simulate, "a simulated fleet even where there are real GPUs");
  command->footer("example: ghm demo --gpus 960 --port 9480");
  command->callback([&run, o] { run = [o] { return demo(*o); }; });
}

}  // namespace ghm::cli
