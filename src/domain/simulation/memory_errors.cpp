#include "domain/simulation/memory_errors.h"

#include <cmath>

namespace ghm::simulation {
namespace {

constexpr double kDay = 86400;

void corrected(MemoryErrors& m, double n) {
  m.sbe_volatile += n;
  m.sbe_aggregate += n;
}

// Almost always a bank that still has all its spare rows.
void use_spare_row(MemoryErrors& m) {
  --m.banks[0];
  ++m.banks[1];
}

}  // namespace

void be_new(MemoryErrors& m, const Part& part) {
  m.banks = {part.banks, 0, 0, 0, 0};
}

void step_memory(Board& b, double t, double dt) {
  if (b.ill.corrected_per_s > 0)
    corrected(b.memory, std::floor(b.ill.corrected_per_s * dt * b.random.uniform(0.5, 1.5) + b.random.uniform()));
  if (b.traits.corrected_per_day <= 0) return;
  if (b.memory.next_corrected == 0) b.memory.next_corrected = t + b.random.exponential(kDay / b.traits.corrected_per_day);
  while (b.memory.next_corrected <= t) {
    corrected(b.memory, 1);
    b.memory.next_corrected += b.random.exponential(kDay / b.traits.corrected_per_day);
  }
}

void hbm_uncorrectable(MemoryErrors& m) {
  m.dbe_volatile += 1;
  m.dbe_aggregate += 1;
}

void mark_row(MemoryErrors& m) {
  m.remapped_correctable += 1;
  m.remap_pending = true;
  use_spare_row(m);
}

void fail_remap(MemoryErrors& m) {
  m.remap_failed = true;
  --m.banks[0];
  ++m.banks[4];
}

void reset_memory(MemoryErrors& m) {
  m.sbe_volatile = m.dbe_volatile = m.sram_sbe = m.sram_dbe = 0;
  m.remap_pending = false;
}

}  // namespace ghm::simulation
