#pragma once
#include <functional>
#include <string>
#include <vector>

#include "adapters/nvml/board_reader.h"
#include "adapters/nvml/frames.h"

namespace ghm::nvml {

/// The child's work: all GPUs of the host, one round at a time. Everything here may block for ever.
class HostReader {
 public:
  using Send = std::function<void(Frame)>;
  HostReader(std::string library_path, Progress& progress) : path_(std::move(library_path)), progress_(progress) {}

  /// Sends the host, each board as soon as it is read, and the end. False: this process is of no use any more (no driver, or
  /// one that was exchanged under it); a new one may be.
  bool read(const Ask& ask, const Send& send);

 private:
  struct Slot {
    unsigned index = 0;
    abi::Device device = nullptr;
    std::string uuid;
    abi::Code status = abi::kSuccess;
  };

  HostReport open();
  std::vector<Slot> find_boards(unsigned count);
  BoardReport read_board(const Slot& slot, const Ask& ask);
  BoardMemory& memory_of(const std::string& uuid);
  void forget_absent(const std::vector<Slot>& slots);

  std::string path_;
  Progress& progress_;
  Library library_;
  bool loaded_ = false, initialised_ = false;
  std::string driver_, version_;
  std::vector<BoardMemory> memories_;
};

}  // namespace ghm::nvml
