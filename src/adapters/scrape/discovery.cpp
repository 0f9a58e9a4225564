#include "adapters/scrape/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "adapters/scrape/connection.h"
#include "adapters/scrape/http_client.h"
#include "adapters/scrape/target_files.h"

namespace ghm::scrape {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using telemetry::Target;

constexpr milliseconds kUrlTimeout{30'000};
constexpr std::size_t kMostBytes = 16u << 20;  // 100,000 targets with labels
constexpr milliseconds kFirstRetry{5'000};     // until a URL answered once, so that a start needs no luck

// The group's CAs and client certificate, but none of the secrets that are meant for its exporters.
std::shared_ptr<const telemetry::ScrapeAccess> without_credentials(const telemetry::ScrapeAccess& a) {
  auto plain = std::make_shared<telemetry::ScrapeAccess>(a);
  plain->username.clear();
  plain->password_file.clear();
  plain->credentials_file.clear();
  plain->server_name.clear();
  return plain;
}

}  // namespace

struct Discovery::Impl : std::enable_shared_from_this<Impl> {
  struct FileSource {
    const TargetGroup* group;
    TargetFiles files;
  };
  struct UrlSource {
    UrlSource(asio::io_context& io, const TargetGroup& g, std::shared_ptr<Connection> c) : group(&g), connection(std::move(c)), timer(io) {}
    const TargetGroup* group;
    std::shared_ptr<Connection> connection;
    asio::steady_timer timer;
    std::string body;  // the last good answer: the same again need not be read, which takes 25 µs per target
    std::vector<Target> targets;
    bool answered = false;
    std::string trouble;  // logged once, not at each refresh
  };

  Impl(asio::io_context& i, std::vector<TargetGroup> g, OnChange c, Log l, milliseconds every)
      : io(i),
        groups(std::move(g)),
        on_change(std::move(c)),
        log(std::move(l)),
        look_every(every),
        timer(io),
        resources(std::make_shared<Resources>(io)) {}

  Result<void> open() {
    auto now = read_targets(groups);  // every complaint about what is there at the start
    if (!now) return now.error();
    for (const auto& group : groups) {
      for (const auto& pattern : group.file_sd) files.push_back({&group, TargetFiles(pattern)});
      for (const auto& text : group.http_sd) {
        auto url = parse_url(text);
        if (!url) return Error{url.error().code, "http_sd: " + url.error().what};
        auto connection = std::make_shared<Connection>(io, resources, std::move(*url), without_credentials(*group.access));
        urls.push_back(std::make_unique<UrlSource>(io, group, std::move(connection)));
      }
    }
    return {};
  }

  void follow() {
    look();
    for (const auto& url : urls) fetch(*url);
  }

  void look() {
    bool changed = !published;
    for (auto& source : files) {
      const auto news = source.files.look(*source.group);
      changed |= news.changed;
      for (const auto& error : news.errors) log.warn("targets.file_bad", {{"error", error.what}, {"kept", "its earlier targets"}});
    }
    if (changed) publish();
    if (files.empty() || stopped) return;
    timer.expires_after(look_every);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled && !self->stopped) self->look();
    });
  }

  void fetch(UrlSource& source) {
    if (stopped) return;
    const auto headers =
        fmt::format("Accept: application/json\r\nX-Prometheus-Refresh-Interval-Seconds: {}\r\n", source.group->refresh / 1s);
    Question q;
    q.headers = headers;
    q.limits.page = kMostBytes;
    q.within = std::min(kUrlTimeout, source.group->refresh);
    q.deadline = steady_clock::now() + q.within;
    source.connection->ask(q, [weak = weak_from_this(), &source](const Answer& a) {
      if (const auto self = weak.lock(); self && !self->stopped) self->fetched(source, a);
    });
  }

  Result<std::vector<Target>> targets_of(const UrlSource& source, const Answer& a) {
    const Url& url = source.connection->url();
    if (!a.error.empty()) return Error{Errc::unavailable, a.error};
    if (a.status != 200) return Error{Errc::unavailable, status_trouble(url, a.status, a.body, a.header("location"))};
    return parse_targets(a.body, url.text, *source.group);
  }

  void fetched(UrlSource& source, const Answer& a) {
    const bool same = source.answered && a.error.empty() && a.status == 200 && a.body == source.body;
    auto targets = same ? Result<std::vector<Target>>(source.targets) : targets_of(source, a);
    const auto trouble = targets ? std::string() : targets.error().what;
    if (!trouble.empty() && trouble != source.trouble)
      log.warn("targets.url_bad", {{"error", trouble}, {"kept", fmt::format("{} earlier targets", source.targets.size())}});
    source.trouble = trouble;
    source.answered |= targets.has_value();
    if (targets && !same) {
      source.body = a.body;
      source.targets = std::move(*targets);
      publish();
    }
    if (stopped) return;
    source.timer.expires_after(source.answered ? source.group->refresh : std::min(kFirstRetry, source.group->refresh));
    source.timer.async_wait([self = shared_from_this(), &source](const boost::system::error_code& cancelled) {
      if (!cancelled) self->fetch(source);
    });
  }

  std::vector<Target> everything() const {
    std::vector<Target> all;
    for (const auto& group : groups) {
      if (const auto fixed = static_targets(group)) all.insert(all.end(), fixed->begin(), fixed->end());
      for (const auto& source : files)
        if (source.group == &group) source.files.append_to(all);
      for (const auto& source : urls)
        if (source->group == &group) all.insert(all.end(), source->targets.begin(), source->targets.end());
    }
    return without_repeats(std::move(all));
  }

  // Before a URL answered for the first time, "no targets at all" is not news.
  bool too_early() const {
    return !published && std::ranges::any_of(urls, [](const auto& source) { return !source->answered; });
  }

  void publish() {
    auto all = everything();
    if (stopped || (published && all == last) || (all.empty() && too_early())) return;
    published = true;
    last = all;
    on_change(std::move(all));
  }

  void stop() {
    stopped = true;
    timer.cancel();
    for (const auto& source : urls) {
      source->timer.cancel();
      source->connection->close();
    }
    resources->names.stop();
  }

  asio::io_context& io;
  const std::vector<TargetGroup> groups;
  OnChange on_change;
  Log log;
  milliseconds look_every;
  asio::steady_timer timer;
  std::shared_ptr<Resources> resources;
  std::vector<FileSource> files;
  std::vector<std::unique_ptr<UrlSource>> urls;
  std::vector<Target> last;
  bool published = false, stopped = false;
};

Result<std::vector<Target>> fetch_targets(const std::string& text, const TargetGroup& group) {
  const auto url = parse_url(text);
  if (!url) return url.error();
  const auto a =
      http_request("GET", text, *without_credentials(*group.access), {{"Accept", "application/json"}}, "", kUrlTimeout, kMostBytes);
  if (!a) return a.error();
  const auto location = a->headers.find("location");
  if (a->status != 200)
    return Error{Errc::unavailable, status_trouble(*url, a->status, a->body, location == a->headers.end() ? "" : location->second)};
  return parse_targets(a->body, text, group);
}

Discovery::Discovery(asio::io_context& io, std::vector<TargetGroup> groups, OnChange on_change, Log log, milliseconds look_every)
    : impl_(std::make_shared<Impl>(io, std::move(groups), std::move(on_change), std::move(log), look_every)) {}

Discovery::~Discovery() {
  stop();
}

Result<void> Discovery::start() {
  if (auto opened = impl_->open(); !opened) return opened;
  asio::post(impl_->io, [impl = impl_] {
    if (!impl->stopped) impl->follow();
  });
  return {};
}

void Discovery::stop() {
  impl_->stop();
}

}  // namespace ghm::scrape
