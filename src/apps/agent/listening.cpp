// Waking a machine costs more than what is then found out: caches are cold, and a process that sleeps must be switched to. So
// nobody asks the kernel log every second whether something is new in it; the kernel tells.
#include "apps/agent/listening.h"

#include <fcntl.h>

#include <algorithm>

namespace ghm::agent {
namespace {

constexpr std::chrono::milliseconds kApart = 1s, kAwake = 60s;
constexpr int kLeastNumber = 10;

}  // namespace

Listening::Listening(boost::asio::io_context& io, const Sources& sources, std::chrono::milliseconds longest, std::function<void()> listen)
    : timer_(io), longest_(longest), listen_(std::move(listen)) {
  for (const auto& source : sources) ears_.emplace_back(io, *source);
}

void Listening::again() {
  if (stopped_) return;
  const auto now = Steady::now();
  auto within = now < awake_until_ ? kApart : longest_;
  for (auto& ear : ears_) {
    follow(ear);
    within = std::min(within, ear.source.listen_within());
  }
  wait_until(std::max(last_ + kApart, now + within));
}

void Listening::follow(Ear& ear) {
  const int file = ear.source.ready_file();
  boost::system::error_code failed;
  if (file != ear.file) {
    ear.copy.close(failed);
    ear.waiting = false;
    ear.file = file;
    const int copy = file < 0 ? -1 : ::fcntl(file, F_DUPFD_CLOEXEC, kLeastNumber);
    if (copy >= 0) ear.copy.assign(copy, failed);
  }
  if (!ear.copy.is_open() || std::exchange(ear.waiting, true)) return;
  ear.copy.async_wait(boost::asio::posix::descriptor_base::wait_read, [this, &ear](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    ear.waiting = false;
    on_ready();
  });
}

// A file that always has something to say, or a pipe whose other end left, must not keep the machine busy: it is waited for again
// only after it was listened to, and that is done once per second.
void Listening::on_ready() {
  if (stopped_) return;
  const auto soonest = last_ + kApart;
  Steady::now() >= soonest ? listen_now() : wait_until(soonest);
}

void Listening::listen_now() {
  last_ = Steady::now();
  listen_();
  again();
}

void Listening::wait_until(Steady::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !stopped_) listen_now();
  });
}

void Listening::stay_awake() {
  awake_until_ = Steady::now() + kAwake;
}

void Listening::stop() {
  stopped_ = true;
  timer_.cancel();
  for (auto& ear : ears_) {
    boost::system::error_code ignored;
    ear.copy.close(ignored);
  }
}

}  // namespace ghm::agent
