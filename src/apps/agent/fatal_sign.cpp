#include "apps/agent/fatal_sign.h"

#include <algorithm>
#include <charconv>

namespace ghm::agent {
namespace {

using transport::AgentEvent;

constexpr FatalXid kXids[] = {
    {46, "compute_engine"}, {48, "memory"},        {54, "thermal_power"},   {57, "memory"},        {58, "memory"},
    {59, "gsp_firmware"},   {61, "gsp_firmware"},  {62, "gsp_firmware"},    {64, "memory"},        {74, "nvlink"},
    {79, "pcie_bus"},       {95, "memory"},        {109, "compute_engine"}, {110, "security"},     {119, "gsp_firmware"},
    {120, "gsp_firmware"},  {122, "gsp_firmware"}, {123, "gsp_firmware"},   {124, "gsp_firmware"}, {125, "other"},
    {136, "nvlink"},        {140, "memory"},       {142, "compute_engine"}, {143, "gsp_firmware"}, {144, "nvlink"},
    {145, "nvlink"},        {146, "nvlink"},       {149, "nvlink"},         {150, "nvlink"},       {151, "security"},
    {155, "nvlink"},        {157, "memory"},       {158, "gsp_firmware"},   {159, "pcie_bus"},     {161, "memory"},
    {165, "thermal_power"}, {166, "security"},     {167, "pcie_bus"},       {168, "memory"},       {169, "gsp_firmware"},
    {171, "memory"},        {172, "memory"},       {173, "nvlink"},         {175, "memory"}};
constexpr int kSxids[] = {10003, 10006, 10007, 10008, 10009, 11013, 11017, 11018, 11019, 11020, 12001, 12002, 12020, 12022, 12024, 12025,
                          12026, 12027, 12030, 12031, 12032, 14017, 15001, 15006, 15009, 15010, 15012, 15013, 19047, 19048, 19054, 19056,
                          19058, 19060, 19061, 19063, 19064, 19066, 19067, 19069, 19070, 19084, 20013, 20034, 22003, 22010, 22011, 23001,
                          23002, 23003, 23004, 23005, 23006, 23007, 23008, 23009, 23010, 23011, 23012, 23013, 23014, 23015, 23016, 23017,
                          24004, 24005, 24006, 24007, 25010, 26004, 26006, 26008, 28002, 28003, 28004, 28005, 29002, 30002};

struct Row {
  std::string_view kind;
  FatalSign sign;
};
// Signs without a code. All ways of losing the GPU are one family with Xid 79: they are one fault, seen by several witnesses.
constexpr Row kKinds[] = {
    {"gpu_off_bus", {"pcie_bus", "the driver says that the GPU fell off the bus: only a reboot or a power cycle brings it back"}},
    {"gpu_lost", {"pcie_bus", "NVML says that the GPU is lost: what is known of it now is the last that will be known"}},
    {"pcie_no_answer", {"pcie_bus", "the GPU no longer answers on the PCI bus: only a reboot or a power cycle brings it back"}},
    {"gpu_reset_required", {"recovery", "NVML says that the GPU needs a reset, which clears its counters"}},
    {"nvml_hang", {"gsp_firmware", "a call into the driver does not come back: mostly only a reboot ends that"}},
};

std::string_view field(const AgentEvent& e, const char* name) {
  const auto found = e.fields.find(name);
  return found == e.fields.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<FatalSign> of_xid(const AgentEvent& e) {
  if (e.code == 154) {
    const auto to = field(e, "recovery_to");
    if (to.empty() || to == "0") return std::nullopt;
    return FatalSign{"recovery", "the driver asks for a reset or a reboot"};
  }
  if (field(e, "fatal") == "no") return std::nullopt;
  if (field(e, "needs_reset") == "yes") return FatalSign{"memory", "the driver says that the GPU needs a reset"};
  const auto row = std::ranges::find(kXids, e.code, &FatalXid::code);
  if (row == std::end(kXids)) return std::nullopt;
  return FatalSign{row->family, "an Xid whose first step is a reset or more"};
}

std::optional<FatalSign> of_sxid(const AgentEvent& e) {
  const auto severity = field(e, "severity");
  int code = e.code;
  if (const auto now = field(e, "code_now"); !now.empty()) std::from_chars(now.data(), now.data() + now.size(), code);
  const bool fatal = severity.empty() ? std::ranges::find(kSxids, code) != std::end(kSxids) : severity == "fatal";
  return fatal ? std::optional(FatalSign{"nvlink", "a fatal SXid: the switch and its GPUs need a reset"}) : std::nullopt;
}

}  // namespace

std::span<const FatalXid> fatal_xids() {
  return kXids;
}

std::span<const int> fatal_sxids() {
  return kSxids;
}

std::optional<FatalSign> fatal_sign(const AgentEvent& e) {
  if (e.fields.contains("written_by")) return std::nullopt;
  if (e.kind == "xid") return of_xid(e);
  if (e.kind == "sxid") return of_sxid(e);
  const auto row = std::ranges::find(kKinds, e.kind, &Row::kind);
  return row == std::end(kKinds) ? std::nullopt : std::optional(row->sign);
}

}  // namespace ghm::agent
