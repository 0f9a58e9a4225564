#include "apps/agent/sender.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <random>

namespace ghm::agent {
namespace {

constexpr std::string_view kPath = "/api/v1/ingest/batch";
constexpr std::chrono::milliseconds kFirstWait = 1s, kLongestWait = 60s;
constexpr auto kBackfillAge = 24h;  // the server takes 48 h unasked; a wrong clock must not make the difference
constexpr std::size_t kMostAnswer = 64u << 10;

/// What a problem document says; empty when the answer is none, as a proxy's is.
std::string detail_of(const scrape::Answer& answer) {
  if (!answer.header("content-type").starts_with("application/problem+json")) return {};
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  const auto detail = body.is_object() ? body.find("detail") : body.end();
  return body.is_object() && detail != body.end() && detail->is_string() ? detail->get<std::string>() : std::string();
}

// A server that wants to be told who sends says what it found; this says which key of agent.yaml mends it.
std::string hint(int status, const telemetry::ScrapeAccess& access) {
  constexpr std::string_view kToken = "server.token_file must hold a key of the server (`ghm keys create --role operator`)";
  constexpr std::string_view kCertificate =
      "server.tls_config.cert_file and key_file must be a pair that the server's tls.client_ca_file has signed";
  if (status == 401 && !access.credentials_file.empty()) return fmt::format("; {}", kToken);
  if (status == 401 && !access.cert_file.empty()) return fmt::format("; {}", kCertificate);
  if (status == 401) return fmt::format("; {}, or {}", kToken, kCertificate);
  if (status == 403) return "; the key needs the role operator";
  if (status == 404 || status == 405) return "; is server.url that of a ghm server?";
  return {};
}

}  // namespace

Sender::Sender(boost::asio::io_context& io, Settings settings, transport::Spool& spool, std::function<Now()> now, Log log)
    : io_(io), settings_(std::move(settings)), spool_(spool), now_(std::move(now)), log_(std::move(log)), timer_(io) {}

Sender::~Sender() {
  if (connection_) connection_->close();
}

Result<std::unique_ptr<Sender>> Sender::open(boost::asio::io_context& io, std::shared_ptr<scrape::Resources> resources, Settings settings,
                                             transport::Spool& spool, std::function<Now()> now, Log log) {
  auto base = settings.url;
  while (base.ends_with('/')) base.pop_back();
  auto url = scrape::parse_url(base + std::string(kPath));
  if (!url) return url.error();
  std::unique_ptr<Sender> sender(new Sender(io, std::move(settings), spool, std::move(now), std::move(log)));
  sender->connection_ = std::make_shared<scrape::Connection>(io, std::move(resources), std::move(*url), sender->settings_.access);
  return sender;
}

void Sender::wake() {
  if (!asking_ && !pausing_) send();
}

void Sender::drain(std::function<void()> done) {
  drained_ = std::move(done);
  timer_.cancel();
  pausing_ = false;
  wake();
}

void Sender::finish_drain() {
  if (drained_) std::exchange(drained_, nullptr)();
}

void Sender::send() {
  auto rounds = spool_.waiting();
  if (rounds.empty()) return finish_drain();
  if (one_by_one_) rounds = rounds.first(1);
  const auto now = now_();
  if (standing_alone_) encoder_.reset();
  standing_alone_ = false;
  const auto body =
      encoder_.encode({spool_.agent(), settings_.host, GHM_VERSION, settings_.labels, now.at, now.since_boot, now.boot_id}, rounds);
  sent_bytes_ = body.size();
  const bool old = now.at - rounds.front().at > kBackfillAge;
  scrape::Question question;
  question.method = "POST";
  question.headers =
      old ? "Content-Type: application/vnd.ghm.batch\r\nX-Ghm-Backfill: 1\r\n" : "Content-Type: application/vnd.ghm.batch\r\n";
  question.body = body;
  question.limits = {kMostAnswer, kMostAnswer};
  question.within = settings_.timeout;
  question.deadline = std::chrono::steady_clock::now() + settings_.timeout;
  asking_ = true;
  connection_->ask(question, [this, last = rounds.back().sequence, n = rounds.size()](const scrape::Answer& a) { answered(a, last, n); });
}

void Sender::answered(const scrape::Answer& answer, std::uint64_t last, std::size_t rounds) {
  asking_ = false;
  if (!answer.error.empty()) return fail(answer.error);
  if (answer.status >= 200 && answer.status < 300) return taken(last, rounds);
  if (answer.status == 409) return again_standing_alone();
  auto detail = detail_of(answer);
  const bool about_the_batch = detail.starts_with("batch:") && (answer.status == 400 || answer.status == 413);
  if (about_the_batch || (answer.status == 413 && !one_by_one_)) return never(answer, last, rounds);
  if (detail.ends_with('.')) detail.pop_back();  // the hint goes on
  fail(fmt::format("{}: HTTP {}{}{}", connection_->url().text, answer.status, detail.empty() ? "" : ": " + detail,
                   hint(answer.status, *settings_.access)));
}

void Sender::taken(std::uint64_t last, std::size_t rounds) {
  ++stats_.batches;
  stats_.rounds += rounds;
  stats_.bytes += sent_bytes_;
  stats_.delivered = now_().at;
  wait_ = {};
  if (!stats_.trouble.empty()) log_.info("server.back", {{"url", settings_.url}});
  stats_.trouble.clear();
  spool_.taken(last);
  if (spool_.waiting().empty()) {
    one_by_one_ = false;
    return finish_drain();
  }
  boost::asio::post(io_, [this] { wake(); });
}

// The server was started anew, or lost what the differences lean on.
void Sender::again_standing_alone() {
  standing_alone_ = true;
  const bool was_so = wait_ != 0ms;
  wait_ = std::max(wait_, kFirstWait);
  was_so ? pause() : boost::asio::post(io_, [this] { wake(); });
}

// A round that the server can never take must not hold up those behind it. Which one it is, they tell one by one.
void Sender::never(const scrape::Answer& answer, std::uint64_t last, std::size_t rounds) {
  standing_alone_ = true;
  if (rounds > 1) {
    one_by_one_ = true;
  } else {
    ++stats_.refused;
    log_.error("round.refused",
               {{"sequence", std::to_string(last)}, {"status", std::to_string(answer.status)}, {"error", detail_of(answer)}});
    spool_.taken(last);
  }
  boost::asio::post(io_, [this] { wake(); });
}

void Sender::fail(const std::string& why) {
  ++stats_.failures;
  standing_alone_ = true;  // what the server has of it is not known
  if (stats_.trouble != why) log_.warn("server.unreachable", {{"error", why}, {"then", "what is read waits in the spool"}});
  stats_.trouble = why;
  if (drained_) return finish_drain();
  pause();
}

void Sender::pause() {
  wait_ = std::clamp(2 * wait_, kFirstWait, kLongestWait);
  // Not all agents of a site at once, when its server is back.
  static thread_local std::minstd_rand random(std::random_device{}());
  const auto jittered = wait_ / 2 + std::chrono::milliseconds(random() % static_cast<unsigned long>(wait_.count() / 2));
  pausing_ = true;
  timer_.expires_after(jittered);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    pausing_ = false;
    wake();
  });
}

}  // namespace ghm::agent
