#pragma once
#include "domain/simulation/board.h"

namespace ghm::simulation {

/// All spare rows are there and nothing was ever wrong.
void be_new(MemoryErrors& m, const Part& part);
/// Corrected errors of this step: a few boards have some for life, a storm has many.
void step_memory(Board& b, double t, double dt);
/// One uncorrectable HBM error: counted, its row marked for remapping at the next reset.
void hbm_uncorrectable(MemoryErrors& m);
/// A row marked after repeated corrected errors.
void mark_row(MemoryErrors& m);
/// No spare row is left in a bank: the remap cannot be done. Kept for life.
void fail_remap(MemoryErrors& m);
/// Driver reload: volatile counters restart, pending remaps are applied.
void reset_memory(MemoryErrors& m);

}  // namespace ghm::simulation
