#include "services/self_metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace ghm::services {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Families in the making: one call per number.
class Page {
 public:
  void add(MetricType type, const std::string& name, const std::string& help, double value, Labels labels = {}) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    ClientMetric metric;
    metric.label = std::move(labels);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void count(const std::string& name, const std::string& help, std::uint64_t value, Labels labels = {}) {
    add(MetricType::Counter, name, help, static_cast<double>(value), std::move(labels));
  }
  void gauge(const std::string& name, const std::string& help, double value, Labels labels = {}) {
    add(MetricType::Gauge, name, help, value, std::move(labels));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void add_fleet(Page& page, const views::FleetSnapshot& fleet) {
  std::size_t silent = 0, in_service = 0, silent_hosts = 0;
  for (const auto& b : fleet.boards) {
    in_service += b.board.in_service;
    silent += b.board.in_service && b.silent;
  }
  for (const auto& h : fleet.hosts) silent_hosts += h.silent;
  page.gauge("ghm_gpus", "Boards in service in the ledger", static_cast<double>(in_service));
  page.gauge("ghm_gpus_silent", "Boards in service that have not been seen for two intervals", static_cast<double>(silent));
  page.gauge("ghm_hosts", "Hosts in the ledger", static_cast<double>(fleet.hosts.size()));
  page.gauge("ghm_hosts_silent", "Hosts that have not answered for two intervals", static_cast<double>(silent_hosts));
}

void add_ingest(Page& page, const SelfState& self) {
  page.gauge("ghm_targets", "Exporters that are scraped", static_cast<double>(self.targets));
  page.count("ghm_scrapes_total", "Scrapes by result", self.ingest.scrapes_ok, {{"result", "ok"}});
  page.count("ghm_scrapes_total", "Scrapes by result", self.ingest.scrapes_failed, {{"result", "failed"}});
  page.count("ghm_scrapes_missed_total", "Rounds skipped because the scrape before was still running", self.missed_scrapes);
  page.count("ghm_pages_total", "Pages by the way they were read", self.ingest.template_pages, {{"path", "template"}});
  page.count("ghm_pages_total", "Pages by the way they were read", self.ingest.careful_pages, {{"path", "careful"}});
  page.count("ghm_values_total", "Values by verdict", self.ingest.accepted, {{"verdict", "accepted"}});
  page.count("ghm_values_total", "Values by verdict", self.ingest.refused, {{"verdict", "refused"}});
  page.count("ghm_unknown_lines_total", "Samples of metric families that the catalogue does not have", self.ingest.unknown_lines);
  page.count("ghm_remote_write_requests_total", "remote_write requests that were read", self.remote.requests);
  page.count("ghm_remote_write_samples_total", "Samples that came by remote_write, by what they are of",
             self.remote.samples - self.remote.unknown, {{"of", "gpu_metric"}});
  page.count("ghm_remote_write_samples_total", "Samples that came by remote_write, by what they are of", self.remote.unknown,
             {{"of", "other"}});
  page.count("ghm_agent_batches_total", "Batches of agents that were read", self.agents.batches);
  page.count("ghm_agent_rounds_total", "Rounds of agents by verdict", self.agents.rounds, {{"verdict", "taken"}});
  page.count("ghm_agent_rounds_total", "Rounds of agents by verdict", self.agents.duplicates, {{"verdict", "known"}});
  page.count("ghm_agent_events_total", "Events that agents told", self.agents.events);
  page.count("ghm_agent_conflicts_total", "Batches that had to be sent again standing alone", self.agents.conflicts);
}

void add_refusals(Page& page, const views::FleetSnapshot& fleet) {
  std::map<std::string, std::uint64_t> by_reason;
  for (const auto& r : fleet.refused_by) by_reason[r.reason] += r.count;
  for (const auto& [reason, count] : by_reason)
    page.count("ghm_refused_values_total", "Refused values by reason", count, {{"reason", reason}});
}

void add_store(Page& page, const SelfState& self) {
  page.gauge("ghm_store_writable", "1 while readings can be kept", self.keeping ? 1 : 0);
  page.count("ghm_store_rows_total", "Rows kept since start", self.store.rows);
  page.count("ghm_store_samples_total", "Samples kept since start", self.store.samples);
  page.count("ghm_store_rows_not_kept_total", "Rows given up because the store could not be written", self.ingest.rows_not_kept);
  page.gauge("ghm_store_damaged_days", "Days set aside as damaged since start", static_cast<double>(self.store.damaged_days));
  page.count("ghm_store_rows_too_old_total", "Rows refused because they are older than raw readings are kept", self.store.too_old_rows);
  page.gauge("ghm_store_bytes", "Size of the data folder", static_cast<double>(self.store.bytes_on_disk));
  page.gauge("ghm_store_free_bytes", "Free space on its volume", static_cast<double>(self.store.free_bytes));
}

void add_scoring(Page& page, const ScoringStats& scoring) {
  page.count("ghm_scores_total", "Scores computed since start", scoring.rounds + scoring.urgent);
  page.count("ghm_scores_at_once_total", "Of these, scores of new boards and of boards where something critical changed", scoring.urgent);
  page.count("ghm_scores_from_readings_total", "Of these, scores that had to read a month of readings", scoring.from_readings);
  page.count("ghm_scoring_failures_total", "Hosts whose boards could not be scored because readings could not be read", scoring.failures);
  page.add(MetricType::Counter, "ghm_scoring_seconds_total", "Time spent scoring", scoring.seconds);
  page.gauge("ghm_scoring_last_round_seconds", "Time that the last scores took", scoring.last_round_seconds);
  if (scoring.last_success > Timestamp{})
    page.gauge("ghm_scoring_last_success_timestamp_seconds", "When boards were last scored", to_unix_seconds(scoring.last_success));
}

void add_requests(Page& page, const RequestCounts& requests) {
  const auto rows = requests.rows();
  for (const auto& [key, row] : rows)
    page.count("ghm_http_requests_total", "API requests by route and status", row.count,
               {{"route", key.first}, {"status", std::to_string(key.second)}});
  for (const auto& [key, row] : rows)
    page.add(MetricType::Counter, "ghm_http_request_seconds_total", "Time spent on API requests", row.seconds,
             {{"route", key.first}, {"status", std::to_string(key.second)}});
}

struct Task {
  std::string name;
  double cpu_seconds = 0;
  double resident_bytes = 0;
};

// proc(5): fields 14 and 15 of stat are user and system time in clock ticks, 24 the resident pages; the name in
// parentheses may hold anything, so fields are counted from its last ')'.
Task read_stat(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> fields;
  for (std::size_t at = close + 2; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (fields.size() < 22) return {};
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {text.substr(open + 1, close - open - 1), (std::stod(fields[11]) + std::stod(fields[12])) / ticks,
          std::stod(fields[21]) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

void add_process(Page& page) {
  const Task self = read_stat("/proc/self/stat");
  page.add(MetricType::Counter, "process_cpu_seconds_total", "User and system CPU time", self.cpu_seconds);
  page.gauge("process_resident_memory_bytes", "Resident memory", self.resident_bytes);
  std::error_code gone;  // a thread may end while its name is read
  std::map<std::string, double> by_name;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    const Task t = read_stat(task.path() / "stat");
    by_name[t.name] += t.cpu_seconds;
  }
  for (const auto& [name, seconds] : by_name)
    page.add(MetricType::Counter, "ghm_thread_cpu_seconds_total", "CPU time by thread", seconds, {{"thread", name}});
}

}  // namespace

void RequestCounts::add(int status, std::string_view route, double seconds) {
  std::lock_guard lock(mutex_);
  auto& row = rows_[{std::string(route), status}];
  ++row.count;
  row.seconds += seconds;
}

std::map<std::pair<std::string, int>, RequestCounts::Row> RequestCounts::rows() const {
  std::lock_guard lock(mutex_);
  return {rows_.begin(), rows_.end()};
}

std::string self_metrics(const SelfState& self, const views::FleetSnapshot& fleet, const RequestCounts& requests) {
  Page page;
  page.gauge("ghm_build_info", "Version of this program", 1, {{"version", GHM_VERSION}});
  add_fleet(page, fleet);
  add_ingest(page, self);
  add_refusals(page, fleet);
  add_store(page, self);
  add_scoring(page, self.scoring);
  add_requests(page, requests);
  add_process(page);
  return page.text();
}

}  // namespace ghm::services
