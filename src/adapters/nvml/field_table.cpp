#include "adapters/nvml/field_table.h"

namespace ghm::nvml {
namespace {

using telemetry::MetricId;
constexpr double kMilli = 1000;  // mW -> W

constexpr Field kFields[] = {
    // thermal, power
    {82, 0, MetricId{140}},           // memory temperature
    {83, 0, MetricId{156}},           // energy, mJ
    {185, 0, MetricId{155}, kMilli},  // power, one second's mean
    {186, 0, MetricId{157}, kMilli},  // power now
    // time that clocks were held down, ns
    {74, 0, MetricId{240}},
    {75, 0, MetricId{241}},
    {76, 0, MetricId{242}},
    {77, 0, MetricId{243}},
    {78, 0, MetricId{244}},
    {79, 0, MetricId{245}},
    {80, 0, MetricId{246}},
    {81, 0, MetricId{247}},
    {269, 0, MetricId{1422}},
    {270, 0, MetricId{1423}},
    {271, 0, MetricId{1424}},
    // what the driver would do
    {230, 0, MetricId{1523}},
    // ECC
    {3, 0, MetricId{310}},
    {4, 0, MetricId{311}},
    {5, 0, MetricId{312}, 1, true},
    {6, 0, MetricId{313}, 1, true},
    {11, 0, MetricId{318}, 1, true},
    {12, 0, MetricId{319}, 1, true},
    {22, 0, MetricId{328}, 1, true},
    {23, 0, MetricId{329}, 1, true},
    // retired pages, before Ampere
    {29, 0, MetricId{390}, 1, true},
    {30, 0, MetricId{391}, 1, true},
    {31, 0, MetricId{392}, 1, true},
    // PCIe
    {173, 0, MetricId{1501}},
    // NVLink, all links of the GPU: up to Hopper ...
    {38, 0, MetricId{409}, 1, true},
    {45, 0, MetricId{419}, 1, true},
    {52, 0, MetricId{429}, 1, true},
    {59, 0, MetricId{439}, 1, true},
    {160, 0, MetricId{1220}, 1, true},
    // ... and from Blackwell on
    {201, abi::kAllLinks, MetricId{1200}, 1, true},
    {202, abi::kAllLinks, MetricId{1201}, 1, true},
    {203, abi::kAllLinks, MetricId{1202}, 1, true},
    {204, abi::kAllLinks, MetricId{1203}, 1, true},
    {206, abi::kAllLinks, MetricId{1204}, 1, true},
    {207, abi::kAllLinks, MetricId{1205}, 1, true},
    {208, abi::kAllLinks, MetricId{1206}, 1, true},
    {209, abi::kAllLinks, MetricId{1207}, 1, true},
    {210, abi::kAllLinks, MetricId{1208}, 1, true},
    {211, abi::kAllLinks, MetricId{1209}, 1, true},
    {212, abi::kAllLinks, MetricId{1210}, 1, true},
    {213, abi::kAllLinks, MetricId{1211}, 1, true},
    {214, abi::kAllLinks, MetricId{1212}, 1, true},
    {215, abi::kAllLinks, MetricId{1213}, 1, true},
    {221, abi::kAllLinks, MetricId{1214}, 1, true},
    {222, abi::kAllLinks, MetricId{1215}, 1, true},
    {220, abi::kAllLinks, MetricId{1217}, 1, true},
    {219, abi::kAllLinks, MetricId{1219}, 1, true},
};

}  // namespace

std::span<const Field> fields() {
  return kFields;
}

}  // namespace ghm::nvml
