#pragma once
#include <cstddef>
#include <string>

#include "core/time.h"

namespace ghm::cli {

/// A bar on standard error for what takes over two seconds; nothing where that is no terminal.
class Progress {
 public:
  Progress(std::string what, std::size_t steps);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step() { reach(done_ + 1); }
  /// So many of the steps are done; never fewer than before.
  void reach(std::size_t done);

 private:
  void draw();

  const std::string what_;
  const std::size_t steps_;
  const bool terminal_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t done_ = 0, drawn_at_ = 0;
  bool drawn_ = false;
};

}  // namespace ghm::cli
