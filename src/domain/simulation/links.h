#pragma once
#include "domain/simulation/board.h"

namespace ghm::simulation {

/// All links up, full width.
void be_new(Links& l, int nvlinks);
/// Error counters of PCIe and NVLink in this step. Healthy links sit at zero but for a PCIe replay now and then.
void step_links(Board& b, double t, double dt);
/// A link trains no more; the exporter stops printing it.
void take_down(Links& l, int link);
/// Driver reload: counters restart.
void reset_links(Links& l, int nvlinks);
int links_up(const Links& l);

/// Rates now, both directions' MiB/s of one link that is up, and PCIe bytes per second.
double link_mib_s(const Board& b, int link);
double pcie_bytes_s(const Board& b, double share);

}  // namespace ghm::simulation
