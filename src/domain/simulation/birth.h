#pragma once
#include "domain/simulation/board.h"
#include "domain/simulation/fleet.h"

namespace ghm::simulation {

inline constexpr int kGpusPerHost = 8, kHostsPerRack = 4;

/// A mild issue that a board has from birth.
enum class Blemish : std::uint8_t { none, warm, remap_pending, corrected_errors, narrow_pcie };
inline constexpr int kBlemishes = 4;

/// Where host `number` of `hosts` stands: racks of four hosts, two sites once there are two racks.
HostPlace place_of(std::size_t number, std::size_t hosts, bool other_site);

/// One model per host, two neighbours alike, in the shares of the parts.
const Part& part_of(std::uint64_t seed, std::size_t host);

Surroundings surroundings_of(std::uint64_t seed, std::size_t host, const Scenario& scenario);

/// The identity of the GPU with this number in the seed's endless row of GPUs; `index` is its place in its host.
BoardIdentity identity_of(std::uint64_t seed, const Part& part, int index, std::size_t gpu);

/// GPU `index` of `host`: identity, traits and the counters of some weeks' life.
Board board_of(std::uint64_t seed, std::size_t host, int index, const Scenario& scenario);

/// Gives a fresh board its issue.
void blemish(Board& b, Blemish what);

}  // namespace ghm::simulation
