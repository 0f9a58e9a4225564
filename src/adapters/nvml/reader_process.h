#pragma once
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "adapters/nvml/frames.h"
#include "adapters/nvml/progress.h"

namespace ghm::nvml {

/// Children that were told to end. One that sits in the driver ends when the driver lets it, perhaps never; nobody waits.
class Graveyard {
 public:
  void add(pid_t pid) { pids_.push_back(pid); }
  /// Those that still do not end.
  std::size_t reap();

 private:
  std::vector<pid_t> pids_;
};

/// The child that talks to NVML. Nothing here waits for it, but up to 10 ms for the end of one that has ended.
class ReaderProcess {
 public:
  /// command: a program and its words, to which the library's path is added.
  static Result<std::unique_ptr<ReaderProcess>> start(std::vector<std::string> command, const std::string& library);
  ReaderProcess(const ReaderProcess&) = delete;
  ReaderProcess& operator=(const ReaderProcess&) = delete;
  ~ReaderProcess();

  /// False when the child is gone or its socket is full.
  bool ask(const Ask& ask);

  struct Nothing {};  // yet
  struct Gone {       // it ended
    int signal = 0;   // that killed it, 0: by itself; or it is not known
  };
  struct Garbage {};  // it sent what is no frame
  using Received = std::variant<Nothing, Frame, Gone, Garbage>;
  Received receive();

  struct Doing {
    std::uint64_t calls = 0;
    Call call{};
    int gpu = -1;  // index; -1: the host
  };
  Doing doing() const;
  int socket() const { return socket_; }  // to wait on
  pid_t pid() const { return pid_; }

  /// Ends it by `signal` and gives it to the graveyard.
  static void end(std::unique_ptr<ReaderProcess> reader, Graveyard& graveyard, int signal);

 private:
  ReaderProcess(pid_t pid, int socket, Progress* progress) : pid_(pid), socket_(socket), progress_(progress) {}

  int how_it_ended();

  pid_t pid_;
  int socket_;
  Progress* progress_;
  std::vector<char> block_ = std::vector<char>(kMostFrame);
};

}  // namespace ghm::nvml
