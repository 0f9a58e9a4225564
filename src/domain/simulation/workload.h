#pragma once
#include <cstdint>
#include <string>

#include "domain/simulation/random.h"

namespace ghm::simulation {

enum class JobKind : std::uint8_t { idle, training, inference, notebook };

/// What a host's eight GPUs work on together over from <= t < until (Unix seconds).
struct Job {
  JobKind kind = JobKind::idle;
  std::uint64_t id = 0;
  std::int64_t from = 0, until = 0;
};

/// How hard one GPU works in one second. Shares are 0..1.
struct Demand {
  double engine = 0, sm = 0, occupancy = 0, tensor = 0, dram = 0, fp32 = 0, fp16 = 0;
  double power = 0;                        // of the way from idle to TDP at full clocks; above 1 it meets the power cap
  double link = 0;                         // of the NVLink bandwidth
  double pcie_send = 0, pcie_receive = 0;  // of the PCIe bandwidth
  double memory = 0;                       // of the device memory, allocated
  double decode = 0;                       // video decoders
};

/// Pure in its arguments. More than half of the time goes to jobs that span a rack's hosts, the rest to jobs of one host.
/// Mix: failure statistics, section 7 (workload), with utilisation bimodal as measured.
Job job_at(std::uint64_t seed, std::size_t rack, std::size_t host, std::int64_t second);

/// Training beats in iterations (compute, then communication) with checkpoints; inference follows the day; a notebook
/// holds memory and mostly waits. GPUs of one job beat together; `noise` is the board's own.
Demand demand_at(const Job& job, std::int64_t second, Random& noise);

/// "train-48213"; empty when nothing runs.
std::string name_of(const Job& job);

/// A full-load training job that begins at `second`: what a demonstration puts on a host so that heat and power show.
Job full_load(std::uint64_t seed, std::size_t host, std::int64_t second, std::int64_t seconds);

}  // namespace ghm::simulation
