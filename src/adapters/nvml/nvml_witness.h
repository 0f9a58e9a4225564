#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/nvml/board_book.h"
#include "domain/transport/snapshot.h"

namespace ghm::nvml {

/// What NVML last said of each GPU, for a snapshot of a fault. Between faults it remembers a line per GPU; the values of a round are kept
/// while somebody waits for a new look. Pure; time is passed in.
class NvmlWitness {
 public:
  void note(const ReadRound& round, Timestamp now);
  /// From here on the next whole round is the new look.
  void want();
  bool wants() const { return wanted_ && !looked_; }
  /// It has come.
  bool has_looked() const { return wanted_ && looked_; }

  /// Of one GPU, by the newest round.
  transport::Testimony of(const transport::GpuName& gpu) const;
  /// The same with the values of the new look.
  transport::Testimony looked_at(const transport::GpuName& gpu) const;
  /// Nobody asks any more: the values are let go.
  void forget_values();

 private:
  struct Heard {
    transport::GpuName name;
    unsigned index = 0;
    abi::Code status = abi::kSuccess;
    std::uint32_t errors = 0, not_permitted = 0;
    Timestamp at{};
    bool in_look = false;
    std::vector<Value> values;
  };
  const Heard* find(const transport::GpuName& gpu) const;

  std::vector<Heard> heard_;
  bool wanted_ = false, looked_ = false;
};

/// A sentence's half: "answers", "NVML says that the GPU is lost".
std::string status_text(abi::Code status);

}  // namespace ghm::nvml
