#include "domain/simulation/xid_text.h"

namespace ghm::simulation {
namespace {

struct Text {
  int code;
  std::string_view text;
};
constexpr Text kTexts[] = {
    // source: dcgm-exporter 4.4, label err_msg
    {0, "No Error"},
    {31, "GPU memory page fault"},
    {48, "Double Bit ECC Error"},
    {63, "ECC page retirement or row remapping recording event"},
    {64, "ECC page retirement or row remapper recording failure"},
    {74, "NVLINK Error"},
    {79, "GPU has fallen off the bus"},
    {92, "High single-bit ECC error rate"},
    {94, "Contained ECC error"},
    {95, "Uncontained ECC error"},
    {109, "Context Switch Timeout Error"},
    {119, "GSP RPC Timeout"},
    {149, "NVLINK: NETIR Error"},
};

}  // namespace

std::string_view xid_text(int code) {
  for (const auto& t : kTexts)
    if (t.code == code) return t.text;
  return "Unknown Error";
}

}  // namespace ghm::simulation
