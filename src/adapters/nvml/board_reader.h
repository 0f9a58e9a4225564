#pragma once
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/nvml/board_report.h"
#include "adapters/nvml/progress.h"

namespace ghm::nvml {

/// What is remembered of a board between rounds, so that it is not asked again: what its driver does not support, and what
/// hardly changes.
struct BoardMemory {
  static constexpr std::size_t kMostFields = 64;

  std::string uuid;
  std::string serial, vbios, model;
  int minor = -1;
  bool named = false;
  std::bitset<static_cast<std::size_t>(Call::count_)> unsupported;
  std::bitset<kMostFields> unsupported_fields;
  unsigned links = 0;
  bool links_known = false;
  unsigned mig_mode = 0;
  std::uint32_t rounds = 0;
  std::vector<Value> slow;  // the newest of the slow set
};

/// Reads one GPU. The fast set every time; counters, limits and inventory every kSlowEvery rounds (their newest values are
/// reported in between). Any call may block for ever: run it where that does no harm.
/// Cost on data-centre boards: about 25 calls and one batch of fields, and 100 more for the links in slow rounds.
class BoardReader {
 public:
  static constexpr std::uint32_t kSlowEvery = 6;
  static constexpr std::size_t kMostProcesses = 256;

  BoardReader(const Library& library, Progress& progress, BoardMemory& memory, abi::Device device, unsigned index);
  /// `all`: the slow set too, whenever it was read last.
  BoardReport read(bool all);

 private:
  enum class Support { of_call, of_argument };  // of_argument: other arguments may be supported where these are not
  template <Support support = Support::of_call, class Function, class... Args>
  bool ok(Call id, Function function, Args... args);
  void note(Call id, abi::Code code, Support support);
  void say(unsigned metric, double value, telemetry::Entity entity = {});
  void say_slow(unsigned metric, double value, telemetry::Entity entity = {});
  template <class Function>
  void say_unsigned(Call id, Function function, unsigned metric, double divide = 1);

  void identify();
  void read_temperatures();
  void read_power();
  void read_clocks();
  void read_load();
  void read_fields(bool slow);
  void take_field(const abi::FieldValue& got, std::size_t n);
  void read_pcie();
  void read_link_states();
  void count_links();
  void read_mig();
  void read_mig_instances();
  void read_processes();
  void read_slow();
  void read_limits();
  void read_ecc();
  void read_remaps();
  void read_link_errors();
  void read_fabric();

  const Library& lib_;
  Progress& progress_;
  BoardMemory& memory_;
  abi::Device device_;
  BoardReport out_;
};

}  // namespace ghm::nvml
