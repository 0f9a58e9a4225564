#include "apps/ghm/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace ghm::cli {
namespace {

constexpr std::size_t kWidth = 30;
constexpr auto kQuietFor = 2s;

}  // namespace

Progress::Progress(std::string what, std::size_t steps)
    : what_(std::move(what)), steps_(std::max<std::size_t>(steps, 1)), terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r{:{}}\r", "", what_.size() + kWidth + 12);
}

void Progress::reach(std::size_t done) {
  done_ = done;
  const auto hundredth = std::max<std::size_t>(steps_ / 100, 1);
  if (!terminal_ || done_ < drawn_at_ + hundredth || std::chrono::steady_clock::now() - start_ <= kQuietFor) return;
  drawn_at_ = done_;
  draw();
}

void Progress::draw() {
  const auto share = std::min(done_, steps_) * kWidth / steps_;
  fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {:3} %", what_, "", share, "", kWidth - share, std::min(done_, steps_) * 100 / steps_);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace ghm::cli
