#include "api/worker.h"

#include <pthread.h>

namespace ghm::api {

Worker::Worker()
    : thread_([this](std::stop_token stop) {
        pthread_setname_np(pthread_self(), "api-store");
        while (auto job = jobs_.take(stop)) {
          if (stop.stop_requested()) return;
          (*job)();
        }
      }) {}

Worker::~Worker() {
  thread_.request_stop();
  jobs_.close();
}

bool Worker::post(std::function<void()> job) {
  return jobs_.try_put(job);
}

}  // namespace ghm::api
