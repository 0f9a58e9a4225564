#include "apps/agent/source_config.h"

namespace ghm::agent {
namespace {

namespace fs = std::filesystem;

struct Paths {
  const fs::path& folder;
  void read(config::Reader& in, const char* key, std::string& out) const {
    std::string text;
    in.text(key, text);
    if (!text.empty()) out = fs::path(text).is_absolute() ? text : (folder / text).lexically_normal().string();
  }
};

}  // namespace

std::filesystem::path boot_id_file(const std::filesystem::path& root) {
  constexpr const char* kFile = "proc/sys/kernel/random/boot_id";
  std::error_code failed;
  return std::filesystem::exists(root / kFile, failed) ? root / kFile : std::filesystem::path("/") / kFile;
}

void read_sources(config::Reader& in, const fs::path& folder, SourceConfig& out) {
  using std::chrono_literals::operator""s;
  using std::chrono_literals::operator""min;
  const Paths paths{folder};
  paths.read(in, "root", out.root);
  in.section("kernel_log", [&](config::Reader& log) {
    log.boolean("enabled", out.kernel_log);
    paths.read(log, "device", out.kernel_log_device);
    paths.read(log, "state", out.kernel_log_state);
  });
  in.section("nvml", [&](config::Reader& nvml) {
    nvml.boolean("enabled", out.nvml);
    nvml.text("library", out.nvml_library);  // a name is found by the loader, a path is that file
    nvml.duration("call_timeout", out.nvml_call_timeout, 1s, 5min);
  });
  in.section("host_facts", [&](config::Reader& host) { host.boolean("enabled", out.host_facts); });
  in.section("kubelet", [&](config::Reader& kubelet) {
    kubelet.boolean("enabled", out.kubelet);
    paths.read(kubelet, "socket", out.kubelet_socket);
    kubelet.duration("interval", out.kubelet_interval, 1s, 5min);
  });
  in.section("slurm", [&](config::Reader& slurm) { slurm.boolean("enabled", out.slurm); });
}

}  // namespace ghm::agent
