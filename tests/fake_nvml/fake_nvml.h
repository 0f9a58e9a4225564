#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/nvml/nvml_abi.h"

/// A libnvidia-ml.so.1 that plays a script (the file that GHM_FAKE_NVML names). One line, one thing; '#' begins a comment:
///
///   driver VERSION
///   init CODE                  nvmlInit_v2 answers CODE
///   gpu KEY=VALUE...           one more GPU: uuid serial pci name vbios links
///   from ROUND                 what follows holds from that round on; rounds are counted by nvmlDeviceGetCount_v2, from 1
///   set GPU KEY VALUE          temperature, sm_clock, field:230, field:201@all ... ; see the calls for the keys
///   fail GPU SYMBOL CODE       that call answers CODE; GPU is an index or '*'
///   hang GPU SYMBOL            that call does not come back
///   crash GPU SYMBOL           that call ends the process
///   ok GPU SYMBOL              as if nothing had been said about it
///   lost GPU                   every call on it answers GPU_IS_LOST, opening it too
///   found GPU                  no longer
///   remove GPU / return GPU    it is counted no longer / again; the indexes behind it move
///   mig GPU N                  MIG is on, with N instances
///   processes GPU PID...       compute on it
///   count CODE                 nvmlDeviceGetCount_v2 answers CODE
namespace ghm::fake_nvml {

struct Gpu {
  std::map<std::string, std::string> facts;
  std::map<std::string, double> values;
  std::map<std::string, int> failing;  // symbol -> code
  std::set<std::string> hanging, crashing;
  bool lost = false, removed = false;
  unsigned mig_instances = 0;
  bool mig = false;
  std::vector<unsigned> processes;
  struct Instance {
    Gpu* parent = nullptr;
    unsigned id = 0;
  };
  std::vector<Instance> instances;
};

class Player {
 public:
  static Player& get();

  /// A call on the host (gpu nullptr) or a GPU: what the script wants instead of an answer, or success.
  nvml::abi::Code enter(const char* symbol, Gpu* gpu = nullptr);
  nvml::abi::Code next_round(unsigned& count);
  std::vector<Gpu*> counted();
  double value(const Gpu& gpu, const std::string& key, double otherwise) const;
  bool has(const Gpu& gpu, const std::string& key) const { return gpu.values.contains(key); }

  std::string driver = "570.86.15";
  int init_code = 0, count_code = 0;
  unsigned round = 0;

 private:
  Player();
  void play_until(unsigned round);
  void play(const std::string& line);
  std::vector<Gpu*> chosen(const std::string& which);

  std::vector<std::string> lines_;
  std::size_t next_line_ = 0;
  std::vector<std::unique_ptr<Gpu>> gpus_;
};

}  // namespace ghm::fake_nvml
