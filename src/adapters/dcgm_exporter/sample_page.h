#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "domain/telemetry/metric_catalogue.h"

/// Pages as dcgm-exporter prints them, for tests, fuzzing and benchmarks: groups in random order, families by field id
/// inside a group, `%d` and `%f`.
namespace ghm::dcgm_exporter::sample {

struct Host {
  std::string name = "gpu-host-1";
  int gpus = 8;
  int families = 110;  // of GPU rows
  int links = 0;       // NVLinks per GPU
  int switches = 0;
  int cpus = 0;
  bool mig = false;  // two instances per GPU
  bool xids = false;
};

/// The page of one scrape; `scrape` seeds values and the order of groups, `host.name` the identities.
class Page {
 public:
  Page(const telemetry::MetricCatalogue& catalogue, const Host& host, unsigned scrape) : host_(host), random_(scrape) {
    std::vector<std::string> groups{gpu_group(catalogue)};
    if (host.links > 0) groups.push_back(link_group());
    if (host.switches > 0) groups.push_back(switch_group());
    if (host.cpus > 0) groups.push_back(cpu_group());
    std::ranges::shuffle(groups, random_);
    for (const auto& g : groups) text_ += g;
  }
  const std::string& text() const { return text_; }

 private:
  static void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  std::string identity(int gpu) const {
    const auto h = static_cast<unsigned>(std::hash<std::string>{}(host_.name));
    return fmt::format(
        "gpu=\"{0}\",UUID=\"GPU-{1:08x}-77aa-4c1d-9e21-00000000{0:04x}\",pci_bus_id=\"00000000:{2:02X}:00.0\",device=\"nvidia{0}\","
        "modelName=\"NVIDIA H100 80GB HBM3\"",
        gpu, h, 0x18 + gpu * 16);
  }
  std::string tail() const { return fmt::format(",Hostname=\"{}\",DCGM_FI_DRIVER_VERSION=\"570.86.15\"}}", host_.name); }

  std::string number(const telemetry::MetricSpec& spec) {
    const double most = std::min(spec.max, 1e12);
    const double value = std::uniform_real_distribution<double>(spec.min > -1e9 ? spec.min : 0, most > spec.min ? most : 1e6)(random_);
    if (spec.unit == "ratio" || spec.unit == "W") return fmt::format("{:f}", value);
    return fmt::format("{}", static_cast<long long>(value));
  }

  void gpu_rows(std::string& out, const telemetry::MetricSpec& spec) {
    for (int g = 0; g < host_.gpus; ++g) {
      auto value = number(spec);
      for (int i = 0; i < (host_.mig ? 2 : 1); ++i) {
        const auto instance = host_.mig ? fmt::format(",GPU_I_PROFILE=\"3g.40gb\",GPU_I_ID=\"{}\"", i + 1) : "";
        if (spec.per_instance) value = number(spec);
        fmt::format_to(std::back_inserter(out), "{}{{{}{}{} {}\n", spec.name, identity(g), instance, tail(), value);
      }
    }
  }

  void xid_rows(std::string& out) {
    head(out, "DCGM_EXP_XID_ERRORS_COUNT", "Count of XID errors within user-specified time window", "gauge");
    for (int g = 0; g < host_.gpus; ++g) {
      const auto code = g == 3 ? ",window_size_in_ms=\"300000\",xid=\"79\"" : "";
      fmt::format_to(std::back_inserter(out), "DCGM_EXP_XID_ERRORS_COUNT{{{}{},{} {}\n", identity(g), code, tail().substr(1),
                     g == 3 ? 1 : 0);
    }
  }

  std::string gpu_group(const telemetry::MetricCatalogue& catalogue) {
    std::string out;
    int families = 0;
    for (const auto& spec : catalogue.all()) {
      if (families == host_.families) break;
      const bool printed = spec.kind != telemetry::MetricKind::label && !spec.event_like && spec.entity == telemetry::Entity::Kind::gpu;
      if (!printed) continue;
      ++families;
      head(out, spec.name, spec.meaning, spec.kind == telemetry::MetricKind::counter ? "counter" : "gauge");
      gpu_rows(out, spec);
    }
    if (host_.xids) xid_rows(out);
    return out;
  }

  std::string link_group() {
    std::string out;
    for (const auto* name : {"DCGM_FI_DEV_NVLINK_REPLAY_ERROR_PER_LINK_TOTAL", "DCGM_FI_DEV_NVLINK_COUNT_RX_SYMBOL_ERRORS"}) {
      head(out, name, "Errors of one link.", "counter");
      for (int g = 0; g < host_.gpus; ++g)
        for (int l = 0; l < host_.links; ++l)
          fmt::format_to(std::back_inserter(out), "{}{{nvlink=\"{}\",{},hostname=\"{}\"}} {}\n", name, l, link_identity(g), host_.name,
                         random_() % 3);
    }
    return out;
  }
  std::string link_identity(int gpu) const {
    auto id = identity(gpu);
    id.replace(id.find("UUID"), 4, "gpu_uuid");
    id.replace(id.find("modelName"), 9, "model_name");
    return id;
  }

  std::string switch_group() {
    std::string out;
    head(out, "DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT", "NVSwitch temperature.", "gauge");
    for (int s = 0; s < host_.switches; ++s)
      fmt::format_to(std::back_inserter(out), "DCGM_FI_DEV_NVSWITCH_TEMPERATURE_CURRENT{{nvswitch=\"{}\",Hostname=\"{}\"}} {}\n", s,
                     host_.name, 40 + random_() % 9);
    return out;
  }

  std::string cpu_group() {
    std::string out;
    head(out, "DCGM_FI_DEV_CPU_TEMP_CURRENT", "CPU temperature.", "gauge");
    for (int c = 0; c < host_.cpus; ++c)
      fmt::format_to(std::back_inserter(out), "DCGM_FI_DEV_CPU_TEMP_CURRENT{{cpu=\"{}\",Hostname=\"{}\"}} {:f}\n", c, host_.name, 41.5);
    return out;
  }

  Host host_;
  std::minstd_rand random_;
  std::string text_;
};

inline std::string page(const Host& host, unsigned scrape,
                        const telemetry::MetricCatalogue& catalogue = telemetry::MetricCatalogue::built_in()) {
  return Page(catalogue, host, scrape).text();
}

}  // namespace ghm::dcgm_exporter::sample
