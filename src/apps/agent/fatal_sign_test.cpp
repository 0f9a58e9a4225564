#include "apps/agent/fatal_sign.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "domain/faults/catalogue.h"

namespace ghm::agent {
namespace {

using faults::Action, faults::CodeKind;

bool is_reset_or_more(Action a) {
  return a == Action::reset_gpu || a == Action::reboot_host || a == Action::drain_and_test || a == Action::drain_then_inspect ||
         a == Action::check_seating_and_power || a == Action::replace_board;
}

TEST(FatalSign, TheListIsWhatTheCatalogueSays) {
  std::map<int, std::string> xids;
  std::set<int> sxids;
  for (const auto* c : faults::FaultCatalogue::built_in().all(CodeKind::xid))
    if (c->severity >= faults::Severity::error && is_reset_or_more(c->first_action)) xids[c->code] = c->component;
  for (const auto* c : faults::FaultCatalogue::built_in().all(CodeKind::sxid))
    if (c->severity == faults::Severity::critical && is_reset_or_more(c->first_action)) sxids.insert(c->code);
  std::map<int, std::string> listed;
  for (const auto& x : fatal_xids()) listed[x.code] = x.family;
  EXPECT_EQ(listed, xids) << "apps/agent/fatal_sign.cpp and data/faults/xids.csv have parted";
  EXPECT_EQ(std::set<int>(fatal_sxids().begin(), fatal_sxids().end()), sxids);
}

TEST(FatalSign, TheWitnessIsBelievedBeforeTheTable) {
  struct Case {
    const char* why;
    const char* kind;
    int code;
    telemetry::LabelMap fields;
    std::string_view family;  // empty: no fatal sign
  };
  const Case cases[] = {
      {"off the bus", "xid", 79, {}, "pcie_bus"},
      {"a program's fault", "xid", 31, {}, ""},
      {"anybody can write into the kernel log", "xid", 79, {{"written_by", "process"}}, ""},
      {"a contained error", "xid", 94, {{"needs_reset", "no"}}, ""},
      {"a contained error that needs a reset all the same", "xid", 94, {{"needs_reset", "yes"}}, "memory"},
      {"NVLink 5, and the line says that it goes on", "xid", 149, {{"fatal", "no"}}, ""},
      {"NVLink 5", "xid", 149, {{"fatal", "yes"}}, "nvlink"},
      {"nothing to recover", "xid", 154, {{"recovery_to", "0"}}, ""},
      {"a reboot is asked for", "xid", 154, {{"recovery_to", "2"}}, "recovery"},
      {"the switch says fatal", "sxid", 20012, {{"severity", "fatal"}}, "nvlink"},
      {"the switch says that it is not", "sxid", 20034, {{"severity", "nonfatal"}}, ""},
      {"the switch does not say", "sxid", 20034, {}, "nvlink"},
      {"numbered as drivers before 550 did", "sxid", 28002, {{"code_now", "29002"}}, "nvlink"},
      {"lost for NVML", "gpu_lost", 0, {}, "pcie_bus"},
      {"off the bus without an Xid", "gpu_off_bus", 0, {}, "pcie_bus"},
      {"a call that hangs", "nvml_hang", 0, {}, "gsp_firmware"},
      {"a gap in the log", "kernel_gap", 0, {}, ""},
  };
  for (const auto& c : cases) {
    transport::AgentEvent e;
    e.kind = c.kind;
    e.code = c.code;
    e.fields = c.fields;
    const auto sign = fatal_sign(e);
    EXPECT_EQ(sign ? sign->family : "", c.family) << c.why;
    EXPECT_TRUE(!sign || !sign->why.empty()) << c.why;
  }
}

}  // namespace
}  // namespace ghm::agent
