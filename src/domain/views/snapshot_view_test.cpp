#include "domain/views/snapshot_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghm::views {
namespace {

using ::testing::ElementsAre, ::testing::HasSubstr, ::testing::Not;

Json sign() {
  return Json::parse(R"({"id":"5f0c6f0e-k77","at":"2026-02-02T02:40:01Z","part":"sign","host":"h1","board":11,
    "gpu":{"serial":"1650001","uuid":null,"pci_bus_id":"00000000:65:00.0"},
    "said":{"version":1,
      "sign":{"kind":"xid","code":79,"family":"pcie_bus","why":"an Xid whose first step is a reset or more","text":"NVRM: Xid 79"},
      "gpu":{"index":3,"vbios_version":"96.00"},
      "readings":{"at":"2026-02-02T02:39:58Z","values":{"DCGM_FI_DEV_GPU_TEMP":71.5}},
      "jobs":[{"kind":"job","name":"secret-job"}],
      "sources":{"nvml":{"missing":"NVML says that the GPU is lost","processes":["4711 python3, state D"]},
                 "host_facts":{"facts":{"aer_fatal":"none"}}}}})");
}

Json context(const char* line) {
  Json said = {{"version", 1}, {"agent", {{"version", "0.1"}}}, {"sources", {{"kernel_log", {{"lines", {line}}}}}}};
  return {{"id", "5f0c6f0e-k77"}, {"part", "context"}, {"host", "h1"}, {"said", std::move(said)}};
}

TEST(SnapshotView, ReadsLikeThis) {
  const auto d = snapshot_document(sign(), context("77 [1.000100] <4> NVRM: Xid 79"), nullptr, context("78 [1.000200] <4> NVRM: and more"));
  EXPECT_EQ(snapshot_text(d), R"(snapshot 5f0c6f0e-k77
taken    2026-02-02T02:40:01Z on h1, of GPU 1650001
sign     xid 79: NVRM: Xid 79
why      an Xid whose first step is a reset or more

What could not be read
  nvml: NVML says that the GPU is lost

The host at the sign
  agent.version: 0.1

The GPU at the sign
  nvml.process: 4711 python3, state D
  host_facts.aer_fatal: none
  gpu.index: 3
  gpu.vbios_version: 96.00
  reading DCGM_FI_DEV_GPU_TEMP: 71.5

The host a moment later
  agent.version: 0.1

The kernel's log: number, seconds since the boot, level, text
  77 [1.000100] <4> NVRM: Xid 79
  78 [1.000200] <4> NVRM: and more
)");
}

TEST(SnapshotView, JobsStayInside) {
  const auto d = snapshot_document(sign(), context("a line"), nullptr, nullptr);
  EXPECT_THAT(d.dump(), Not(HasSubstr("secret-job")));
  EXPECT_THAT(snapshot_html(d), Not(HasSubstr("secret-job")));
}

TEST(SnapshotView, WhatDidNotArriveIsMissing) {
  EXPECT_THAT(snapshot_missing(snapshot_document(sign(), nullptr, nullptr, nullptr)),
              ElementsAre(HasSubstr("GPU is lost"), HasSubstr("has not reached the server")));
  Json odd = {{"id", "x"}, {"unreadable", "\x01no json"}};
  EXPECT_THAT(snapshot_missing(snapshot_document(odd, nullptr, nullptr, nullptr)), ::testing::Contains(HasSubstr("cannot be read")));
}

}  // namespace
}  // namespace ghm::views
