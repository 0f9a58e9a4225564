#include "apps/agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "core/files.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::agent {
namespace {

constexpr auto kDrain = 4s;

// Between two signs of life to the service manager: thrice as often as it wants to hear.
std::chrono::milliseconds longest_silence(const ServiceManager& manager) {
  constexpr std::chrono::milliseconds kUsual = 10s;
  const auto watchdog = manager.watchdog();
  return watchdog ? std::min(kUsual, std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 3)) : kUsual;
}

std::string read_boot_id(const std::filesystem::path& root) {
  auto text = read_file(boot_id_file(root), 100);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

std::chrono::milliseconds since_boot() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

std::shared_ptr<const telemetry::ScrapeAccess> shared(const telemetry::ScrapeAccess& access) {
  return std::make_shared<const telemetry::ScrapeAccess>(access);
}

}  // namespace

Agent::Agent(AgentConfig config, Sources sources, Log log)
    : config_(std::move(config)),
      sources_(std::move(sources)),
      log_(std::move(log)),
      boot_id_(read_boot_id(config_.sources.root)),
      started_(clock_.now()),
      resources_(std::make_shared<scrape::Resources>(io_)),
      listening_(io_, sources_, longest_silence(manager_), [this] { listen_to_sources(clock_.now()); }),
      reader_(telemetry::MetricCatalogue::built_in(), dcgm_exporter::make_layout_pool()),
      // Beside the spool's folder, not in it: that one is the spool's alone.
      snapshots_({config_.spool + ".snapshots", config_.sources.root, boot_id_}, sources_, [this] { return own_facts(); }) {}

Result<std::unique_ptr<Agent>> Agent::open(AgentConfig config, Sources sources, Log log) {
  std::unique_ptr<Agent> agent(new Agent(std::move(config), std::move(sources), std::move(log)));
  if (auto done = agent->open_spool(); !done) return done.error();
  if (auto done = agent->open_sender(); !done) return done.error();
  if (auto done = agent->listen(); !done) return done.error();
  return agent;
}

Result<void> Agent::open_spool() {
  auto folder = spool_folder::PosixFolder::open(config_.spool);
  if (!folder) return folder.error();
  folder_ = std::move(*folder);
  transport::SpoolSettings settings;
  settings.most_bytes = static_cast<std::uint64_t>(config_.spool_mib) << 20;
  auto spool = transport::Spool::open(*folder_, settings, clock_.now());
  if (!spool) return spool.error();
  spool_.emplace(std::move(*spool));
  return {};
}

Result<void> Agent::open_sender() {
  auto sender = Sender::open(
      io_, resources_, {config_.server, shared(config_.server_access), config_.server_timeout, config_.host, config_.labels}, *spool_,
      [this] { return clocks(); }, log_);
  if (!sender) return sender.error();
  sender_ = std::move(*sender);
  return {};
}

Result<void> Agent::listen() {
  if (config_.listen.empty()) return {};
  http::ServerSettings settings;
  settings.max_body = 1024;
  settings.max_connections = 64;
  const auto answer = [this](const http::Request& q, const http::Reply& reply) {
    http::Response r;
    if (q.method != "GET" && q.method != "HEAD") return reply(http::problem(405, "Only GET is answered here."));
    if (q.path == "/metrics") {
      r.content_type = "text/plain; version=0.0.4; charset=utf-8";
      r.body = agent_metrics(state());
    } else if (q.path == "/healthz") {
      r.body = agent_health(state());
    } else {
      return reply(http::problem(404, "Here are /metrics and /healthz."));
    }
    reply(std::move(r));
  };
  server_ = std::make_unique<http::Server>(io_, settings, answer, log_);
  auto port = server_->listen(config_.listen);
  if (!port) return port.error();
  port_ = *port;
  return {};
}

// ---- rounds

void Agent::run() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int) {
    if (!cancelled) end();
  });
  log_.info("agent.start", {{"host", config_.host}, {"server", config_.server}, {"spool", config_.spool}});
  config_.exporter.empty() ? next_round_without_exporter() : start_scraping();
  listening_.again();
  sender_->wake();
  manager_.tell("READY=1");
  io_.run();
}

void Agent::start_scraping() {
  scrape::ScraperSettings settings;
  settings.interval = settings.timeout = config_.interval;
  scraper_ = std::make_unique<scrape::Scraper>(
      io_, settings, [this](const scrape::Scrape& s) { on_scrape(s); }, Log::off());
  scraper_->set_targets({{config_.exporter, {}, shared(config_.exporter_access)}});
}

void Agent::on_scrape(const scrape::Scrape& scrape) {
  transport::SourceRound page;
  page.trouble = scrape.error;
  page.simulated = scrape.simulated;
  if (scrape.ok()) {
    auto& reading = reader_.read(scrape.page);
    if (!scrape.page.empty() && reading.layout->table->series.empty() && reading.layout->gpus.empty())
      page.trouble = fmt::format("{} answers, but its page has no DCGM metric: is it a dcgm-exporter?", scrape.target.address);
    else page.readings = reading;
  }
  ++(page.trouble.empty() ? scrapes_ok_ : scrapes_failed_);
  std::vector<transport::SourceRound> said;
  said.push_back(std::move(page));
  make_round(std::move(said), scrape.at);
}

void Agent::next_round_without_exporter() {
  round_.expires_after(config_.interval);
  round_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    make_round({}, clock_.now());
    next_round_without_exporter();
  });
}

void Agent::make_round(std::vector<transport::SourceRound> said, Timestamp at) {
  const auto note = [this](const std::string& name, const std::string& trouble) {
    auto& known = troubles_[name];
    if (known == trouble) return;
    if (trouble.empty()) log_.info("source.back", {{"source", name}});
    else log_.warn("source.unavailable", {{"source", name}, {"error", trouble}});
    known = trouble;
  };
  if (!said.empty()) note("dcgm_exporter", said.front().trouble);
  for (const auto& source : sources_) {
    said.push_back(source->collect(at));
    note(std::string(source->name()), said.back().trouble);
  }
  auto round = maker_.make(std::move(said), at);
  if (!round.simulated.empty()) simulated_ = round.simulated;
  jobs_ = round.jobs;
  host_facts_ = round.host;
  keep(std::move(round));
  listening_.again();
}

void Agent::keep(transport::HostRound round) {
  round.boot_id = boot_id_;
  round.since_boot = since_boot();
  const bool was_looking = snapshots_.is_looking();
  snapshots_.take(round);
  ++rounds_;
  events_ += round.events.size();
  if (!round.events.empty()) listening_.stay_awake();
  spool_->keep(std::move(round));
  snapshots_.kept(spool_->stats().snapshots_left_out);
  if (!was_looking && snapshots_.is_looking()) look_again_soon();
  const auto trouble = spool_->stats().trouble;
  if (trouble.empty())
    for (const auto& source : sources_) source->kept();
  if (trouble != spool_trouble_) {
    if (trouble.empty()) log_.info("spool.back");
    else log_.error("spool.failed", {{"error", trouble}, {"then", "rounds wait in memory"}});
  }
  spool_trouble_ = trouble;
  sender_->wake();
}

// What cannot wait for the next round goes in one of its own.
void Agent::listen_to_sources(Timestamp now) {
  manager_.tell("WATCHDOG=1");
  transport::HostRound urgent;
  urgent.at = now;
  for (const auto& source : sources_) std::ranges::move(source->listen(now), std::back_inserter(urgent.events));
  urgent.since_boot = since_boot();
  snapshots_.look(urgent);
  if (urgent.events.empty() && urgent.snapshots.empty()) return;
  urgent.simulated = simulated_;
  urgent.jobs = jobs_;
  urgent.host = host_facts_;
  keep(std::move(urgent));
}

// What a fault's snapshot still waits for is looked for each second, whatever else wakes the agent.
void Agent::look_again_soon() {
  looking_.expires_after(1s);
  looking_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || ending_) return;
    listen_to_sources(clock_.now());
    if (snapshots_.is_looking()) look_again_soon();
  });
}

// ---- the end

void Agent::end() {
  if (std::exchange(ending_, true)) return;
  log_.info("agent.stop");
  manager_.tell("STOPPING=1");
  if (scraper_) scraper_->stop();
  listening_.stop();
  round_.cancel();
  looking_.cancel();
  last_.expires_after(kDrain);
  last_.async_wait([this](const boost::system::error_code&) { io_.stop(); });
  sender_->drain([this] { io_.stop(); });
}

Sender::Now Agent::clocks() const {
  return {clock_.now(), since_boot(), boot_id_};
}

AgentState Agent::state() const {
  AgentState s{scrapes_ok_, scrapes_failed_, rounds_, events_, spool_->stats(), sender_->stats(), spool_->is_empty()};
  s.snapshots = snapshots_.stats();
  for (const auto& source : sources_) s.of_sources.merge(source->counts_of_own());
  return s;
}

telemetry::LabelMap Agent::own_facts() const {
  const auto spool = spool_->stats();
  telemetry::LabelMap out = {{"version", GHM_VERSION},
                             {"started_at", format_rfc3339(started_)},
                             {"rounds", std::to_string(rounds_)},
                             {"rounds_waiting", std::to_string(spool.last - spool.taken)},
                             {"spool_bytes", std::to_string(spool.bytes)}};
  if (const auto& why = sender_->stats().trouble; !why.empty()) out["server"] = why;
  for (const auto& [name, trouble] : troubles_)
    if (!trouble.empty()) out["trouble_" + name] = trouble;
  return out;
}

}  // namespace ghm::agent
