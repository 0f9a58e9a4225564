#include "apps/agent/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace ghm::agent {
namespace {

TEST(ServiceManager, HearsADatagram) {
  const auto path = (std::filesystem::temp_directory_path() / ("ghm-notify-" + std::to_string(::getpid()))).string();
  const int listening = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strncpy(at.sun_path, path.c_str(), sizeof at.sun_path - 1);
  ASSERT_EQ(::bind(listening, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  const ServiceManager manager(path, std::chrono::microseconds(1000));
  manager.tell("READY=1");
  char said[32]{};
  EXPECT_EQ(::recv(listening, said, sizeof said, MSG_DONTWAIT), 7);
  EXPECT_STREQ(said, "READY=1");
  EXPECT_EQ(manager.watchdog(), std::chrono::microseconds(1000));
  ::close(listening);
  std::filesystem::remove(path);
  manager.tell("WATCHDOG=1");  // nobody there: no harm
}

TEST(ServiceManager, NobodyIsNobody) {
  const ServiceManager none("", std::nullopt);
  none.tell("READY=1");
  EXPECT_FALSE(none.watchdog());
}

}  // namespace
}  // namespace ghm::agent
