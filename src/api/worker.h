#pragma once
#include <functional>
#include <thread>

#include "core/mailbox.h"

namespace ghm::api {

/// One thread for answers that wait for a disk. Its end waits for the job under way and drops the others.
class Worker {
 public:
  Worker();
  ~Worker();
  /// False when too many wait already; then `job` is not taken.
  bool post(std::function<void()> job);

 private:
  Mailbox<std::function<void()>> jobs_{64};
  std::jthread thread_;
};

}  // namespace ghm::api
