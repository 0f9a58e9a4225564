#pragma once
#include <map>
#include <string>
#include <vector>

#include "domain/transport/host_round.h"

namespace ghm::kernel_log {

/// A broken GPU can print the same fault thousands of times a minute. The first kTold of a minute are told one by one;
/// what follows is counted and told once, when the minute is over, by its latest line and `repeats`. Nothing is lost but
/// the wording of lines that say the same.
class SignFolder {
 public:
  static constexpr std::size_t kTold = 5;
  static constexpr std::size_t kMostKeys = 1024;  // more different signs than that in a minute are told as they come
  static constexpr std::chrono::seconds kWindow{60};

  void add(transport::AgentEvent event, std::chrono::microseconds at, std::vector<transport::AgentEvent>& out);
  /// Ends the windows that are over.
  void flush(std::chrono::microseconds now, std::vector<transport::AgentEvent>& out);

 private:
  struct Window {
    std::chrono::microseconds since{};
    std::size_t told = 0;
    std::uint64_t folded = 0;
    transport::AgentEvent latest;
  };
  std::map<std::string, Window> windows_;  // by kind, address, code and process
};

}  // namespace ghm::kernel_log
