#include "apps/agent/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace ghm::agent {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<std::chrono::microseconds> watchdog_of(const std::string& text) {
  const auto us = std::strtoull(text.c_str(), nullptr, 10);
  return us == 0 ? std::nullopt : std::optional(std::chrono::microseconds(us));
}

}  // namespace

ServiceManager::ServiceManager() : ServiceManager(environment("NOTIFY_SOCKET"), watchdog_of(environment("WATCHDOG_USEC"))) {}

ServiceManager::ServiceManager(std::string socket, std::optional<std::chrono::microseconds> watchdog)
    : address_(std::move(socket)), watchdog_(watchdog) {
  if (!address_.empty()) socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::tell(std::string_view state) const {
  sockaddr_un to{};
  if (socket_ < 0 || address_.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // an abstract one
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  (void)::sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
}

}  // namespace ghm::agent
