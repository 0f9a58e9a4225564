#pragma once
#include "domain/store/chunk_codec.h"
#include "domain/store/rollup_codec.h"

/// How one tier follows from the one below it: readings, minutes, hours, days.
namespace ghm::store {

/// The columns of a chunk as rollups of `width`, in a block that starts at `start`.
RollupBlock roll_up(const Chunk& chunk, Timestamp start, std::chrono::milliseconds width);

/// The rollups of a block as wider ones, in a block that starts at `start`; `width` is a multiple of the block's.
RollupBlock roll_up(const RollupBlock& block, Timestamp start, std::chrono::milliseconds width);

/// Puts `fresh` into `block`, which has the same start and width. Where both have a bucket that of more readings stands:
/// `fresh` is made of everything that is sealed, which only grows, unless a damaged file took some of it away.
void update(RollupBlock& block, const RollupBlock& fresh);

}  // namespace ghm::store
