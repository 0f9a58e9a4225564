#include "apps/ghm/node.h"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>

#include "api/api.h"
#include "api/keys.h"
#include "core/files.h"
#include "pipeline/ledger_records.h"
#include "pipeline/replay.h"

namespace ghm::app {
namespace {

/// The name that top, perf and ghm_thread_cpu_seconds_total show.
void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

bool is_loopback(std::string_view listen) {
  return listen.starts_with("127.") || listen.starts_with("localhost:") || listen.starts_with("[::1]:");
}

/// Calls `what` every second on `io` until it is stopped.
struct EverySecond : std::enable_shared_from_this<EverySecond> {
  EverySecond(boost::asio::io_context& io, std::function<void()> f) : timer(io), what(std::move(f)) {}
  void next() {
    timer.expires_after(1s);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      self->what();
      self->next();
    });
  }
  boost::asio::steady_timer timer;
  std::function<void()> what;
};

}  // namespace

Node::Node(Config config, Log log) : config_(std::move(config)), log_(std::move(log)), loopback_(is_loopback(config_.listen)) {}

Node::~Node() {
  stop();
}

Result<std::unique_ptr<Node>> Node::open(Config config, Log log) {
  std::unique_ptr<Node> node(new Node(std::move(config), std::move(log)));
  if (auto done = node->open_store(); !done) return done.error();
  if (auto done = node->check_access(); !done) return done.error();
  if (auto done = node->listen(); !done) return done.error();
  node->start_threads();
  node->start_api();
  return node;
}

Result<void> Node::open_store() {
  auto store = sqlite::SqliteStore::open(config_.data_dir,
                                         {.raw_days = config_.raw_days, .minute_days = config_.minute_days, .hour_days = config_.hour_days},
                                         log_.with({{"stage", "store"}}));
  if (!store) return store.error();
  store_ = std::move(*store);
  auto kept = pipeline::load_ledger(*store_);
  if (!kept) return kept.error();
  live_.restore(*kept, clock_.now());
  const pipeline::Ingest::Outlets outlets{[this](pipeline::ToKeep& k) { return keep(k); },
                                          [this](pipeline::LiveUpdate u) { to_show_.try_put(u); }};
  if (auto done = open_quarantine(); !done) return done;
  ingest_ = std::make_unique<pipeline::Ingest>(pipeline::Ingest::Settings{config_.scraper.interval, config_.overrides, quarantine_},
                                               outlets, log_.with({{"stage", "ingest"}}));
  ingest_->restore(std::move(*kept));
  ingest_->restore_trust(store_->latest(telemetry::field::xid));
  const auto start = clock_.now();
  if (auto recent = store_->recent("event", {start - 2 * validation::XidWitnesses::kLag, start}, 10'000)) ingest_->restore_xids(*recent);
  else return recent.error();
  const auto& ledger = std::as_const(*ingest_).ledger();
  incidents_ = std::make_unique<services::Incidents>(ledger, config_.faults, log_.with({{"stage", "incidents"}}));
  if (auto done = incidents_->restore(*store_, clock_.now()); !done) return done;
  remote_ = std::make_unique<pipeline::RemoteIngest>(
      pipeline::RemoteIngest::Settings{config_.scraper.interval, config_.simulated_ingest, std::chrono::hours(24 * config_.raw_days)},
      *ingest_, log_.with({{"stage", "remote_write"}}));
  agents_ = std::make_unique<pipeline::AgentIngest>(
      pipeline::AgentIngest::Settings{config_.scraper.interval, config_.simulated_ingest, std::chrono::hours(24 * config_.raw_days)},
      *ingest_, [this](const std::string& key) { return store_->get("agent", key); }, log_.with({{"stage", "agents"}}));
  keeper_ = std::make_unique<pipeline::Keeper>(
      *store_, pipeline::KeeperSettings{.kept = [this](std::span<const store::RowBatch> rows) { scoring_->rows_kept(rows); }},
      log_.with({{"stage", "keeper"}}));
  auto stories = std::make_shared<services::BoardStories>(*store_, live_);
  scoring_ = std::make_unique<services::Scoring>(
      *store_, live_,
      services::ScoringSettings{.every = config_.scoring_interval,
                                .interval = config_.scraper.interval,
                                .profile = config_.profile,
                                .sums_folder = config_.data_dir},
      log_.with({{"stage", "scoring"}}),
      [stories](std::span<const fleet::Board* const> boards, Timestamp t) { return stories->tell(boards, t); },
      [this](store::RowBatch row) {
        pipeline::ToKeep scores;
        scores.rows.push_back(std::move(row));
        return to_keep_.try_put(scores);
      });
  looking_back_ = std::make_unique<services::LookingBack>(
      *store_, *store_, [this] { return services::past_of(*live_.current()); },
      services::LookingBackSettings{{.interval = config_.scraper.interval, .profile = config_.profile},
                                    std::chrono::days(config_.raw_days)},
      [this](auto rows, auto records) { return keep_past(std::move(rows), std::move(records)); }, log_.with({{"stage", "past scores"}}));
  return {};
}

// The ingest thread. Events become incidents here, so that both are kept by one transaction.
bool Node::keep(pipeline::ToKeep& what) {
  if (incidents_) incidents_->take(what.records, clock_.now());
  return filling_ ? to_keep_.put(std::move(what)) : to_keep_.try_put(what);
}

// Any thread.
void Node::change_incidents(std::function<Result<std::vector<store::Record>>(services::Incidents&)> change, pipeline::Told kept) {
  boost::asio::post(ingest_io_, [this, change = std::move(change), kept = std::move(kept)] {
    auto changed = change(*incidents_);
    if (!changed) return kept(changed.error());
    pipeline::ToKeep out;
    out.records = std::move(*changed);
    out.told.push_back(kept);
    ingest_->emit(std::move(out));
  });
}

// Rows and records of one thing to keep are written records first; here the record says that the rows are there.
Result<void> Node::keep_past(std::vector<store::RowBatch> rows, std::vector<store::Record> records) {
  const auto stop = stop_scoring_.get_token();
  const auto keep = [&](pipeline::ToKeep what) -> Result<void> {
    auto outcome = std::make_shared<std::promise<Result<void>>>();
    auto kept = outcome->get_future();
    what.told.push_back([outcome](const Result<void>& how) { outcome->set_value(how); });
    if (!to_keep_.try_put(what)) return Error{Errc::unavailable, "the queue of the store is full"};
    while (kept.wait_for(100ms) == std::future_status::timeout)
      if (stop.stop_requested()) return Error{Errc::unavailable, "the server ends"};
    return kept.get();
  };
  pipeline::ToKeep first, second;
  first.rows = std::move(rows);
  second.records = std::move(records);
  if (!first.rows.empty())
    if (auto done = keep(std::move(first)); !done) return done;
  return second.records.empty() ? Result<void>() : keep(std::move(second));
}

Result<void> Node::open_quarantine() {
  quarantine_ = std::make_shared<pipeline::Quarantine>(config_.quarantine);
  const auto unreadable = quarantine_->restore(*store_, clock_.now());
  if (!unreadable) return unreadable.error();
  if (*unreadable > 0) log_.warn("quarantine.unreadable", {{"records", std::to_string(*unreadable)}});
  return {};
}

Result<views::ReplayReport> Node::replay(const views::QuarantineQuery& query, bool dry_run) {
  const auto fleet = live_.current();
  const auto model_of = [&](fleet::BoardId id) {
    const auto board = std::ranges::find(fleet->boards, id, [](const views::BoardView& v) { return v.board.id; });
    return board == fleet->boards.end() ? std::string() : board->board.model;
  };
  const pipeline::ReplayWorld world{*store_, model_of, config_.overrides, std::chrono::days(config_.raw_days),
                                    [this](pipeline::ToKeep k) { return to_keep_.try_put(k); }};
  auto report = pipeline::replay(*quarantine_, query, dry_run, world, clock_.now());
  if (report && !dry_run)
    log_.info("quarantine.replayed", {{"replayed", std::to_string(report->replayed)},
                                      {"still_refused", std::to_string(report->still_refused)},
                                      {"lost", std::to_string(report->lost)}});
  return report;
}

Result<void> Node::check_access() {
  if (auto token = api::ensure_admin_token(*store_, config_.data_dir + "/admin.token", clock_.now()); !token) return token.error();
  if (loopback_) return {};
  const bool tls = !config_.cert_file.empty() && !config_.key_file.empty();
  auto keys = api::list_keys(*store_);
  if (!keys) return keys.error();
  // The admin token that was just made is for the local command line; somebody from outside needs a key of their own.
  const bool has_key = std::ranges::any_of(*keys, [](const api::Key& k) { return !k.revoked && k.label != api::kLocalAdmin; });
  if (tls && has_key) return {};
  return Error{
      Errc::invalid_input,
      fmt::format(
          "listen: {} is open to the network and needs tls.cert_file, tls.key_file and at least one key (`ghm keys create --data-dir {}`): "
          "give it these, or listen on 127.0.0.1",
          config_.listen, config_.data_dir)};
}

Result<std::string> Node::read_metrics_token() const {
  if (config_.metrics_token_file.empty()) return std::string();
  auto token = read_file(config_.metrics_token_file, 4096);
  if (!token) return token;
  token->erase(token->find_last_not_of(" \r\n") + 1);
  return token;
}

Result<void> Node::listen() {
  auto metrics_token = read_metrics_token();
  if (!metrics_token) return metrics_token.error();
  api::World world{*store_,
                   *store_,
                   [this] { return live_.current(); },
                   clock_,
                   {config_.key_required, loopback_, *metrics_token},
                   [this] { return self_metrics(); },
                   [this] { return not_ready(); },
                   [this](int status, std::string_view route, double seconds) { requests_.add(status, route, seconds); },
                   [this](std::function<void(fleet::Ledger&)> change, pipeline::Told kept) {
                     boost::asio::post(ingest_io_, [this, change = std::move(change), kept = std::move(kept)] {
                       ingest_->tell(change, clock_.now(), kept);
                     });
                   },
                   [this] { return keeper_->trouble(); },
                   [this](const views::QuarantineQuery& query) { return quarantine_->list(query); },
                   [this](const views::QuarantineQuery& query, bool dry_run) { return replay(query, dry_run); }};
  world.profile = config_.profile;
  world.change_incidents = [this](auto change, pipeline::Told kept) { change_incidents(std::move(change), std::move(kept)); };
  world.rma_key_file = config_.data_dir + "/rma.key";
  if (config_.take_prometheus)
    world.remote_write = [this](remote_write::WriteRequest r, bool backfill, pipeline::Told told) {
      take(std::move(r), backfill, std::move(told));
    };
  if (config_.take_batches)
    world.take_batch = [this](transport::PackedBatch b, bool backfill, pipeline::Told told) {
      take(std::move(b), backfill, std::move(told));
    };
  http::ServerSettings http;
  http.cert_file = config_.cert_file;
  http.key_file = config_.key_file;
  http.client_ca_file = config_.client_ca_file;
  http.client_crl_file = config_.client_crl_file;
  server_ = std::make_unique<http::Server>(api_io_, http, api::make_handler(std::move(world), log_.with({{"stage", "api"}})),
                                           log_.with({{"stage", "http"}}));
  auto port = server_->listen(config_.listen);
  if (!port) return port.error();
  port_ = *port;
  return {};
}

std::string Node::url() const {
  const auto host = config_.listen.substr(0, config_.listen.rfind(':'));
  return fmt::format("{}://{}:{}", config_.cert_file.empty() ? "http" : "https", host.empty() || host == "0.0.0.0" ? "127.0.0.1" : host,
                     port_);
}

void Node::start_threads() {
  threads_.emplace_back([this] {
    name_thread("keeper");
    if (auto done = keeper_->run(to_keep_, clock_, stopping_.get_token()); !done) {
      std::lock_guard lock(mutex_);
      end_ = done;
      end();
    }
  });
  threads_.emplace_back([this] {
    name_thread("view");
    while (auto update = to_show_.take()) {
      live_.apply(std::move(*update));
      server_->notify_streams();
    }
  });
}

void Node::start_api() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int) {
    if (!cancelled) end();
  });
  api_thread_ = std::jthread([this] {
    name_thread("api");
    api_io_.run();
  });
}

// Nothing new comes in; with the last answer the API's thread ends, and with it run(). Any thread.
void Node::end() {
  ending_ = true;
  boost::asio::post(api_io_, [this] { signals_.cancel(); });
  server_->stop();
  gate_.close();
}

void Node::backfill(const std::function<void(pipeline::Ingest&)>& pages) {
  filling_ = true;
  pages(*ingest_);
  filling_ = false;
  ingest_->tick(clock_.now());
}

Result<void> Node::start_ingest() {
  scraper_ = std::make_unique<scrape::Scraper>(
      ingest_io_, config_.scraper, [this](const scrape::Scrape& s) { ingest_->on_scrape(s); }, log_.with({{"stage", "scrape"}}));
  discovery_ = std::make_unique<scrape::Discovery>(
      ingest_io_, config_.groups, [this](std::vector<telemetry::Target> targets) { on_targets(std::move(targets)); },
      log_.with({{"stage", "discovery"}}));
  return discovery_->start();
}

void Node::on_targets(std::vector<telemetry::Target> targets) {
  log_.info("targets", {{"count", std::to_string(targets.size())}});
  ingest_->keep_only(targets);
  scraper_->set_targets(std::move(targets));
}

// Any thread. A sender whose readings cannot be kept has them still, and hears at once that it must come again.
std::optional<pipeline::Told> Node::enter(pipeline::Told told) {
  if (const auto trouble = keeper_->trouble(); !trouble.empty()) {
    told(Error{Errc::unavailable, "readings cannot be kept: " + trouble});
    return std::nullopt;
  }
  return gate_.enter(std::move(told));
}

void Node::take(transport::PackedBatch batch, bool backfill, pipeline::Told told) {
  auto waiting = enter(std::move(told));
  if (!waiting) return;
  if (backfill) looking_back_->more_came();
  auto shared = std::make_shared<transport::PackedBatch>(std::move(batch));
  boost::asio::post(ingest_io_,
                    [this, shared, backfill, waiting = std::move(*waiting)] { agents_->take(*shared, clock_.now(), backfill, waiting); });
}

void Node::take(remote_write::WriteRequest request, bool backfill, pipeline::Told told) {
  auto waiting = enter(std::move(told));
  if (!waiting) return;
  if (backfill) looking_back_->more_came();
  boost::asio::post(ingest_io_, [this, request = std::move(request), backfill, waiting = std::move(*waiting)] {
    remote_->take(request, clock_.now(), backfill, waiting);
  });
}

void Node::tick() {
  if (const auto trouble = keeper_->trouble(); !trouble.empty()) gate_.fail_all({Errc::unavailable, "readings cannot be kept: " + trouble});
  ingest_->note_agents(agents_->agents());
  ingest_->tick(clock_.now());
  if (auto changed = incidents_->tick(*live_.current(), clock_.now()); !changed.empty()) {
    pipeline::ToKeep out;
    out.records = std::move(changed);
    ingest_->emit(std::move(out));
  }
  std::lock_guard lock(mutex_);
  self_.ingest = ingest_->stats();
  self_.remote = remote_->stats();
  self_.agents = agents_->stats();
  self_.targets = scraper_->targets();
  self_.missed_scrapes = scraper_->stats().missed;
}

Result<void> Node::run() {
  if (auto done = start_ingest(); !done) return done;
  auto ticker = std::make_shared<EverySecond>(ingest_io_, [this] { tick(); });
  ticker->next();
  ingest_thread_ = std::jthread([this] {
    name_thread("ingest");
    ingest_io_.run();
  });
  threads_.emplace_back([this] {
    name_thread("scoring");
    scoring_->run(clock_, stop_scoring_.get_token());
  });
  threads_.emplace_back([this] {
    name_thread("past scores");
    looking_back_->run(clock_, stop_scoring_.get_token());
  });
  if (api_thread_.joinable()) api_thread_.join();
  stop();
  std::lock_guard lock(mutex_);
  return end_;
}

// The end travels the way the data does: no new page, then what was read is kept, then the writer ends.
void Node::stop() {
  if (threads_.empty()) return;
  end();
  if (api_thread_.joinable()) api_thread_.join();
  stop_scoring_.request_stop();
  boost::asio::post(ingest_io_, [this] {
    if (discovery_) discovery_->stop();
    if (scraper_) scraper_->stop();
    ingest_io_.stop();
  });
  if (ingest_thread_.joinable()) ingest_thread_.join();
  ingest_->finish(clock_.now());
  to_keep_.close();
  to_show_.close();
  // A disk that is full meanwhile must not keep the program from ending.
  if (!keeper_->trouble().empty()) stopping_.request_stop();
  threads_.clear();
}

std::string Node::not_ready() const {
  if (auto trouble = keeper_->trouble(); !trouble.empty()) return "readings cannot be kept: " + trouble;
  const auto fleet = live_.current();
  if (!config_.groups.empty() && fleet->scrapes_ok + fleet->scrapes_failed == 0) return "no target has been read yet";
  return {};
}

std::string Node::self_metrics() const {
  services::SelfState self;
  {
    std::lock_guard lock(mutex_);
    self = self_;
  }
  self.store = store_->stats();
  self.scoring = scoring_->stats();
  self.keeping = keeper_->trouble().empty();
  return services::self_metrics(self, *live_.current(), requests_);
}

}  // namespace ghm::app
