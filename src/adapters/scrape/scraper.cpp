#include "adapters/scrape/scraper.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <unordered_set>

#include "adapters/scrape/connection.h"

namespace ghm::scrape {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using telemetry::Target;

// FNV-1a, then a mix (MurmurHash3's finaliser): addresses that differ in their last digit get phases far apart.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const unsigned char c : text) h = (h ^ c) * 0x100000001b3ull;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return h ^ (h >> 33);
}

// The moments at which `address` is read are those whose distance from the epoch leaves this rest.
nanoseconds until_phase(const std::string& address, nanoseconds interval) {
  const auto phase = nanoseconds(static_cast<std::int64_t>(hash_of(address) % static_cast<std::uint64_t>(interval.count())));
  const auto now = std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()) % interval;
  return (phase - now + interval) % interval;
}

std::string headers_for(milliseconds timeout) {
  return fmt::format("Accept: text/plain;version=0.0.4;q=0.9,*/*;q=0.1\r\nX-Prometheus-Scrape-Timeout-Seconds: {}\r\n",
                     static_cast<double>(timeout.count()) / 1000);
}

}  // namespace

struct Scraper::Impl : std::enable_shared_from_this<Impl> {
  // One exporter: its rounds and its connection.
  struct Loop {
    Loop(asio::io_context& io, Target t) : target(std::move(t)), timer(io) {}
    Target target;
    asio::steady_timer timer;
    steady_clock::time_point round;  // when the next scrape is due
    std::shared_ptr<Connection> connection;
    std::string unusable;      // the target cannot even be asked: why
    std::size_t expected = 0;  // bytes of the last answer
    bool failing = false;
    bool gone = false;
  };
  using LoopPtr = std::shared_ptr<Loop>;

  Impl(asio::io_context& i, ScraperSettings s, Sink sk, Log l)
      : io(i), settings(s), sink(std::move(sk)), log(std::move(l)), resources(std::make_shared<Resources>(io)) {
    settings.timeout = std::min(settings.timeout, settings.interval);
    headers = headers_for(settings.timeout);
  }

  void start(Target target) {
    auto loop = std::make_shared<Loop>(io, std::move(target));
    const auto& t = loop->target;
    auto url = parse_url(t.access->scheme + "://" + t.address + t.access->metrics_path);
    if (url) loop->connection = std::make_shared<Connection>(io, resources, std::move(*url), t.access);
    else loop->unusable = url.error().what;
    loop->round = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(until_phase(t.address, settings.interval));
    loops.emplace(t.address, loop);
    wait(loop);
  }

  void end(const LoopPtr& loop) {
    loop->gone = true;
    loop->timer.cancel();
    if (loop->connection) loop->connection->close();
  }

  void wait(const LoopPtr& loop) {
    loop->timer.expires_at(loop->round);
    loop->timer.async_wait([self = shared_from_this(), loop](const boost::system::error_code& cancelled) {
      if (!cancelled && !loop->gone) self->due(loop);
    });
  }

  void due(const LoopPtr& loop) {
    const auto now = steady_clock::now();
    const bool running = loop->connection && loop->connection->asking();
    stats.missed += running;
    // A loop that fell behind by whole rounds does not make up for them: the exporter would only repeat itself.
    for (loop->round += settings.interval; loop->round <= now; loop->round += settings.interval) ++stats.missed;
    if (!running) scrape(loop, now);
    if (!loop->gone) wait(loop);
  }

  void scrape(const LoopPtr& loop, steady_clock::time_point now) {
    if (!loop->connection) {
      Answer none;
      none.error = loop->unusable;
      none.at = SystemClock().now();
      return finished(loop, now, none);
    }
    Question q;
    q.headers = headers;
    q.limits.page = settings.max_page;
    q.within = settings.timeout;
    // Just before the next round, so that a time-out of a whole interval does not cost that round.
    q.deadline = std::min(now + settings.timeout, loop->round - milliseconds(1));
    q.expected = loop->expected;
    loop->connection->ask(q, [weak = weak_from_this(), loop_weak = std::weak_ptr<Loop>(loop), now](const Answer& a) {
      const auto self = weak.lock();
      const auto answered = loop_weak.lock();
      if (self && answered && !answered->gone) self->finished(answered, now, a);
    });
  }

  void finished(const LoopPtr& loop, steady_clock::time_point began, const Answer& answer) {
    Scrape result{.target = loop->target, .at = answer.at, .took = {}, .page = {}, .error = answer.error, .simulated = {}};
    result.took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - began);
    if (result.ok() && answer.status != 200)
      result.error = status_trouble(loop->connection->url(), answer.status, answer.body, answer.header("location"));
    else if (result.ok()) result.error = page_trouble(loop->connection->url(), answer.body);
    if (result.ok()) {
      result.page = answer.body;
      result.simulated = answer.header("ghm-simulated");
      loop->expected = answer.raw_bytes;
    }
    stats.bytes += answer.raw_bytes;
    ++(result.ok() ? stats.ok : stats.failed);
    tell_changes(*loop, result);
    sink(result);
  }

  // A target that stays down is one line, not one per round.
  void tell_changes(Loop& loop, const Scrape& result) {
    if (result.ok() && loop.failing) log.info("scrape.recovered", {{"target", loop.target.address}});
    if (!result.ok() && !loop.failing) log.warn("scrape.failed", {{"target", loop.target.address}, {"error", result.error}});
    loop.failing = !result.ok();
  }

  void stop() {
    for (const auto& [address, loop] : loops) end(loop);
    loops.clear();
    resources->names.stop();
  }

  asio::io_context& io;
  ScraperSettings settings;
  Sink sink;
  Log log;
  std::string headers;
  std::shared_ptr<Resources> resources;
  std::unordered_map<std::string, LoopPtr> loops;  // by address
  ScraperStats stats;
};

Scraper::Scraper(asio::io_context& io, ScraperSettings settings, Sink sink, Log log)
    : impl_(std::make_shared<Impl>(io, settings, std::move(sink), std::move(log))) {}

Scraper::~Scraper() {
  stop();
}

void Scraper::set_targets(std::vector<Target> targets) {
  std::unordered_set<std::string> wanted;
  for (auto& target : targets) {
    if (!wanted.insert(target.address).second) continue;
    const auto known = impl_->loops.find(target.address);
    if (known != impl_->loops.end() && known->second->target == target) continue;
    if (known != impl_->loops.end()) {
      impl_->end(known->second);
      impl_->loops.erase(known);
    }
    impl_->start(std::move(target));
  }
  std::erase_if(impl_->loops, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    impl_->end(entry.second);
    return true;
  });
}

std::size_t Scraper::targets() const {
  return impl_->loops.size();
}
ScraperStats Scraper::stats() const {
  return impl_->stats;
}
void Scraper::stop() {
  impl_->stop();
}

}  // namespace ghm::scrape
