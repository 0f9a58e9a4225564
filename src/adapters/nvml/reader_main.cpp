#include "adapters/nvml/reader_main.h"

#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <vector>

#include "adapters/nvml/host_reader.h"

namespace ghm::nvml {
namespace {

Progress* map_progress() {
  void* page = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, kReaderProgress, 0);
  return page == MAP_FAILED ? nullptr : static_cast<Progress*>(page);
}

// The agent may be gone: then there is nobody to read for.
void send_or_end(const Frame& frame) {
  const auto bytes = encode(frame);
  if (bytes.size() > kMostFrame || ::send(kReaderSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) ::_exit(0);
}

int serve(HostReader& reader) {
  std::vector<char> block(kMostFrame);
  for (;;) {
    const auto size = ::recv(kReaderSocket, block.data(), block.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return 0;
    const auto ask = decode_ask({block.data(), static_cast<std::size_t>(size)});
    if (!ask) return 1;
    if (!reader.read(*ask, send_or_end)) return 0;
  }
}

}  // namespace

int reader_main(int argc, const char* const* argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when it sits in the driver and does not see the socket close
  ::prctl(PR_SET_NAME, "ghm-nvml");
  ::mallopt(M_ARENA_MAX, 1);
  Progress* progress = argc == 3 ? map_progress() : nullptr;
  if (!progress) {
    std::fputs("nvml-reader is started by ghm-agent, and is of no use by itself\n", stderr);
    return 2;
  }
  HostReader reader(argv[2], *progress);
  return serve(reader);
}

}  // namespace ghm::nvml
