#pragma once
#include "domain/health/rules.h"

/// The tables of `v1`. Rows of `baseline` that stand in them are the same rows, or the same measure at other points.
namespace ghm::health {

std::span<const Rule> v1_thermal_rules();      // throttling, degrees per watt against the own past, fan
std::span<const Rule> v1_memory_rules();       // hours with corrected errors, floods of them, rows remapped, uncorrected errors
std::span<const Rule> v1_power_rules();        // power brake, joules per work beyond what jobs differ by
std::span<const Rule> v1_performance_rules();  // clocks, PCIe width and replays, NVLink state and errors
std::span<const Rule> v1_reliability_rules();  // uptime beyond lost readings, jobs, recent incidents

}  // namespace ghm::health
