#include "adapters/nvml/reader_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "adapters/nvml/reader_main.h"

extern char** environ;

namespace ghm::nvml {
namespace {

constexpr int kClearOfFixedNumbers = 10;  // our ends must not have the numbers that the child's ends get

struct OwnedFile {
  int number = -1;
  OwnedFile() = default;
  explicit OwnedFile(int n) : number(n) {}
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;
  ~OwnedFile() {
    if (number >= 0) ::close(number);
  }
  int release() { return std::exchange(number, -1); }
  void lift() {
    const int higher = ::fcntl(number, F_DUPFD_CLOEXEC, kClearOfFixedNumbers);
    ::close(std::exchange(number, higher));
  }
};

class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);  // the agent blocks what it takes by other ways
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  void close_above(int last) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, last + 1); }
  void give(int file, int as) { ::posix_spawn_file_actions_adddup2(&actions_, file, as); }
  int start(pid_t& pid, std::vector<char*>& argv) { return ::posix_spawn(&pid, argv[0], &actions_, &attributes_, argv.data(), environ); }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Error cannot_start(const std::string& program, int error) {
  return {Errc::unavailable, fmt::format("the NVML reader {} cannot be started: {}", program, std::strerror(error))};
}

}  // namespace

std::size_t Graveyard::reap() {
  std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  return pids_.size();
}

Result<std::unique_ptr<ReaderProcess>> ReaderProcess::start(std::vector<std::string> command, const std::string& library) {
  command.push_back(library);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return cannot_start(command[0], errno);
  OwnedFile ours(ends[0]), theirs(ends[1]), page(::memfd_create("ghm-nvml-progress", MFD_CLOEXEC));
  ours.lift(), theirs.lift(), page.lift();
  if (page.number < 0 || ::ftruncate(page.number, sizeof(Progress)) != 0) return cannot_start(command[0], errno);
  void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, page.number, 0);
  if (shared == MAP_FAILED) return cannot_start(command[0], errno);
  auto* progress = new (shared) Progress;

  SpawnPlan plan;
  plan.give(theirs.number, kReaderSocket);
  plan.give(page.number, kReaderProgress);
  plan.close_above(kReaderProgress);
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (const int error = plan.start(pid, argv); error != 0) {
    ::munmap(shared, sizeof(Progress));
    return cannot_start(command[0], error);
  }
  ::fcntl(ours.number, F_SETFL, O_NONBLOCK);
  return std::unique_ptr<ReaderProcess>(new ReaderProcess(pid, ours.release(), progress));
}

ReaderProcess::~ReaderProcess() {
  ::close(socket_);
  ::munmap(progress_, sizeof(Progress));
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, WNOHANG);
}

void ReaderProcess::end(std::unique_ptr<ReaderProcess> reader, Graveyard& graveyard, int signal) {
  const pid_t pid = std::exchange(reader->pid_, 0);
  if (pid <= 0) return;
  ::kill(pid, signal);
  graveyard.add(pid);
  graveyard.reap();
}

bool ReaderProcess::ask(const Ask& ask) {
  const auto bytes = encode(ask);
  return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

// The socket closes a moment before the process can be reaped.
int ReaderProcess::how_it_ended() {
  constexpr int kTries = 10;
  constexpr useconds_t kMoment = 1000;
  int status = 0;
  for (int i = 0; pid_ > 0 && i < kTries; ++i) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = 0;
    else ::usleep(kMoment);
  }
  return pid_ == 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

ReaderProcess::Received ReaderProcess::receive() {
  const auto size = ::recv(socket_, block_.data(), block_.size(), MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Nothing{};
  if (size <= 0) {
    return Gone{how_it_ended()};
  }
  if (static_cast<std::size_t>(size) > block_.size()) return Garbage{};
  auto frame = decode_frame({block_.data(), static_cast<std::size_t>(size)});
  if (!frame) return Garbage{};
  return std::move(*frame);
}

ReaderProcess::Doing ReaderProcess::doing() const {
  Doing now;
  now.calls = progress_->calls.load(std::memory_order_acquire);
  now.call = static_cast<Call>(std::min(progress_->call.load(std::memory_order_relaxed), static_cast<std::uint32_t>(Call::count_)));
  now.gpu = progress_->gpu.load(std::memory_order_relaxed);
  return now;
}

}  // namespace ghm::nvml
