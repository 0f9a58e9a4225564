#include "adapters/scrape/name_lookup.h"

#include <netdb.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_set>

#include "core/handle.h"

namespace ghm::scrape {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kSlow = std::chrono::seconds(1);
constexpr int kMostSlowThreads = NameLookup::kMostThreads / 2;

Result<NameLookup::Endpoints> ask_system(const std::string& host, unsigned short port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const int number = errno;
  if (error != 0) return Error{Errc::unavailable, error == EAI_SYSTEM ? std::generic_category().message(number) : ::gai_strerror(error)};
  const Handle<addrinfo, ::freeaddrinfo> all(found);
  NameLookup::Endpoints endpoints;
  for (const addrinfo* a = found; a; a = a->ai_next) {
    tcp::endpoint e;
    if (a->ai_addrlen > e.capacity()) continue;
    std::memcpy(e.data(), a->ai_addr, a->ai_addrlen);
    e.resize(a->ai_addrlen);
    endpoints.push_back(e);
  }
  return endpoints;
}

}  // namespace

struct NameLookup::Desk {
  struct Job {
    Ticket ticket;
    std::string host;
    unsigned short port;
    Found found;
    bool slow = false;
  };
  Resolve resolve;
  std::mutex mutex;                // guards all below
  asio::io_context* io = nullptr;  // null: nobody waits for answers any more
  std::deque<Job> quick, slow;     // waiting
  std::unordered_set<std::string> slow_hosts;
  int threads = 0, slow_threads = 0;
  Ticket last_ticket = 0;

  static void work(const std::shared_ptr<Desk>& desk) {
    while (auto job = desk->next()) desk->answer(std::move(*job));
  }

  static Job taken_from(std::deque<Job>& queue) {
    Job job = std::move(queue.front());
    queue.pop_front();
    return job;
  }

  std::optional<Job> next() {
    std::lock_guard lock(mutex);
    if (io && !quick.empty()) return taken_from(quick);
    if (io && !slow.empty() && slow_threads < kMostSlowThreads) {
      ++slow_threads;
      return taken_from(slow);
    }
    --threads;
    return std::nullopt;
  }

  void answer(Job job) {
    const auto began = std::chrono::steady_clock::now();
    auto endpoints = resolve(job.host, job.port);
    const bool was_slow = !endpoints || std::chrono::steady_clock::now() - began >= kSlow;
    std::lock_guard lock(mutex);
    slow_threads -= job.slow;
    if (was_slow) slow_hosts.insert(job.host);
    else slow_hosts.erase(job.host);
    if (io) asio::post(*io, [found = std::move(job.found), endpoints = std::move(endpoints)]() mutable { found(std::move(endpoints)); });
  }

  // With the mutex held. False when a thread is needed and there is none to be had.
  bool hire(const std::shared_ptr<Desk>& self, bool for_slow) {
    if (threads >= kMostThreads || (for_slow && slow_threads >= kMostSlowThreads)) return true;
    try {
      std::thread([self] { work(self); }).detach();
      ++threads;
      return true;
    } catch (const std::system_error&) {
      return threads > 0;  // one that is busy will come to it
    }
  }
};

NameLookup::NameLookup(asio::io_context& io, Resolve resolve) : desk_(std::make_shared<Desk>()) {
  desk_->io = &io;
  desk_->resolve = resolve ? std::move(resolve) : ask_system;
}

NameLookup::~NameLookup() {
  stop();
}

void NameLookup::stop() {
  std::lock_guard lock(desk_->mutex);
  desk_->io = nullptr;
  desk_->quick.clear();
  desk_->slow.clear();
}

NameLookup::Ticket NameLookup::find(const std::string& host, unsigned short port, Found found) {
  std::lock_guard lock(desk_->mutex);
  if (!desk_->io) return 0;
  boost::system::error_code not_numeric;
  if (const auto address = asio::ip::make_address(host, not_numeric); !not_numeric) {
    asio::post(*desk_->io, [found = std::move(found), address, port] { found(Endpoints{tcp::endpoint(address, port)}); });
    return 0;
  }
  const bool slow = desk_->slow_hosts.contains(host);
  auto& queue = slow ? desk_->slow : desk_->quick;
  queue.push_back({++desk_->last_ticket, host, port, std::move(found), slow});
  if (desk_->hire(desk_, slow)) return desk_->last_ticket;
  Found unlucky = std::move(queue.back().found);
  queue.pop_back();
  asio::post(*desk_->io, [unlucky = std::move(unlucky)] { unlucky(Error{Errc::unavailable, "no thread for the name lookup"}); });
  return 0;
}

void NameLookup::cancel(Ticket ticket) {
  if (ticket == 0) return;
  std::lock_guard lock(desk_->mutex);
  for (auto* queue : {&desk_->quick, &desk_->slow}) std::erase_if(*queue, [ticket](const auto& job) { return job.ticket == ticket; });
}

}  // namespace ghm::scrape
