#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ghm::agent {

/// Tells the service manager how it goes, when one listens ($NOTIFY_SOCKET): "READY=1", "WATCHDOG=1", "STOPPING=1".
/// Source: sd_notify(3), whose protocol is a datagram to a Unix socket.
class ServiceManager {
 public:
  /// Reads the environment.
  ServiceManager();
  ServiceManager(std::string socket, std::optional<std::chrono::microseconds> watchdog);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void tell(std::string_view state) const;
  /// It wants to hear at least this often; nullopt: never.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  std::string address_;
  std::optional<std::chrono::microseconds> watchdog_;
  int socket_ = -1;
};

}  // namespace ghm::agent
