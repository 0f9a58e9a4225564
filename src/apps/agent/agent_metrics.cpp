#include "apps/agent/agent_metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace ghm::agent {
namespace {

class Page {
 public:
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void value(double v, std::string_view labels = {}) { text_ += fmt::format("{}{} {}\n", name_, labels, v); }
  void count(const char* name, const char* help, std::uint64_t n) {
    family(name, "counter", help);
    value(static_cast<double>(n));
  }
  void gauge(const char* name, const char* help, double v) {
    family(name, "gauge", help);
    value(v);
  }
  std::string take() { return std::move(text_); }

 private:
  const char* name_ = "";
  std::string text_;
};

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// proc(5): the second number of statm is the resident pages.
double resident_bytes() {
  long total = 0, resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(f, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::string agent_metrics(const AgentState& s) {
  Page page;
  page.family("ghm_agent_scrapes_total", "counter", "Reads of the local exporter by result");
  page.value(static_cast<double>(s.scrapes_ok), "{result=\"ok\"}");
  page.value(static_cast<double>(s.scrapes_failed), "{result=\"failed\"}");
  page.count("ghm_agent_rounds_total", "Rounds that went into the spool", s.rounds);
  page.count("ghm_agent_events_total", "Events that went into the spool", s.events);
  page.gauge("ghm_agent_all_delivered", "1 while the server has every round", s.all_delivered ? 1 : 0);
  page.gauge("ghm_agent_last_delivery_timestamp_seconds", "When the server took a batch last; 0: not yet",
             to_unix_seconds(s.sender.delivered));
  page.gauge("ghm_agent_server_reachable", "0 while the server does not take batches", s.sender.trouble.empty() ? 1 : 0);
  page.count("ghm_agent_sent_batches_total", "Batches that the server has", s.sender.batches);
  page.count("ghm_agent_sent_rounds_total", "Rounds that the server has", s.sender.rounds);
  page.count("ghm_agent_sent_bytes_total", "Bytes of their bodies", s.sender.bytes);
  page.count("ghm_agent_send_failures_total", "Requests that failed", s.sender.failures);
  page.family("ghm_agent_lost_rounds_total", "counter", "Rounds that the server will never have, by reason");
  page.value(static_cast<double>(s.spool.dropped), "{reason=\"spool_full\"}");
  page.value(static_cast<double>(s.spool.skipped), "{reason=\"damaged\"}");
  page.value(static_cast<double>(s.sender.refused), "{reason=\"refused\"}");
  page.count("ghm_agent_spool_damages_total", "Places in files of the spool that could not be read", s.spool.damages);
  page.gauge("ghm_agent_spool_bytes", "Size of the spool", static_cast<double>(s.spool.bytes));
  page.gauge("ghm_agent_spool_segments", "Files of the spool", static_cast<double>(s.spool.segments));
  page.gauge("ghm_agent_spool_held_rounds", "Rounds in memory because the disk takes nothing", static_cast<double>(s.spool.held));
  page.gauge("ghm_agent_spool_writable", "0 while the disk takes nothing", s.spool.trouble.empty() ? 1 : 0);
  page.count("ghm_agent_snapshots_total", "GPUs whose state was written down at a fatal fault", s.snapshots.taken);
  page.family("ghm_agent_snapshots_skipped_total", "counter", "Signs of fatal faults without a snapshot of their own, by reason");
  for (const auto* reason : {"known", "too_many", "old", "no_room"}) {
    const auto n = s.snapshots.skipped.find(reason);
    page.value(n == s.snapshots.skipped.end() ? 0 : static_cast<double>(n->second), fmt::format("{{reason=\"{}\"}}", reason));
  }
  for (const auto& [name, n] : s.of_sources) page.count(fmt::format("ghm_agent_{}_total", name).c_str(), "As counted by this source", n);
  page.family("process_cpu_seconds_total", "counter", "CPU time of this process");
  page.value(cpu_seconds());
  page.gauge("process_resident_memory_bytes", "Resident memory of this process", resident_bytes());
  return page.take();
}

std::string agent_health(const AgentState& s) {
  const auto or_null = [](const std::string& text) { return text.empty() ? nlohmann::json() : nlohmann::json(text); };
  const nlohmann::json out = {{"status", "ok"},
                              {"version", GHM_VERSION},
                              {"all_delivered", s.all_delivered},
                              {"server", or_null(s.sender.trouble)},
                              {"spool", or_null(s.spool.trouble)}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace ghm::agent
