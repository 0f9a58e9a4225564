#include "adapters/kernel_log/driver_line.h"

#include <gtest/gtest.h>

namespace ghm::kernel_log {
namespace {

template <class Line>
Line read(const char* text) {
  const auto line = read_driver_line(text);
  const auto* said = line ? std::get_if<Line>(&*line) : nullptr;
  EXPECT_NE(said, nullptr) << text;
  return said ? *said : Line{};
}

TEST(XidLine, EveryFormOfAddressPidAndName) {
  struct Case {
    const char* line;
    const char* pci;
    int code;
    std::optional<std::uint32_t> pid;
    const char* process;
    const char* text;
  };
  const Case cases[] = {
      {"NVRM: Xid (PCI:0000:9b:00): 13, pid=24931, name=python3, Graphics SM Warp Exception on (GPC 4, TPC 2, SM 0): Out Of Range Address",
       "00000000:9B:00.0", 13, 24931, "python3", "Graphics SM Warp Exception on (GPC 4, TPC 2, SM 0): Out Of Range Address"},
      {"NVRM: Xid (PCI:0000:29:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", "00000000:29:00.0", 79, std::nullopt,
       "", "GPU has fallen off the bus."},
      {"NVRM: Xid (PCI:0000:29:00): 79, pid=<unknown>, name=<unknown>, GPU has fallen off the bus.", "00000000:29:00.0", 79, std::nullopt,
       "", "GPU has fallen off the bus."},
      {"NVRM: Xid (PCI:0000:5d:00): 31, pid='77', name=ray::WorkerDict, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS",
       "00000000:5D:00.0", 31, 77, "ray::WorkerDict", "Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS"},
      {"NVRM: Xid (PCI:0000:5d:00): 31, pid=77, name=a, b c, Ch 00000008, intr 0", "00000000:5D:00.0", 31, 77, "a, b c",
       "Ch 00000008, intr 0"},
      {"NVRM: Xid (PCI:0000:5d:00): 43, pid=2239, name=train loop, channel 0x00000010", "00000000:5D:00.0", 43, 2239, "train loop",
       "channel 0x00000010"},
      {"NVRM: Xid (PCI:0000:5d:00): 43, pid=2239, Ch 00000010", "00000000:5D:00.0", 43, 2239, "", "Ch 00000010"},
      {"NVRM: Xid (0000:03:00): 31, Ch 00000010, engmask 00000101, intr 10000000", "00000000:03:00.0", 31, std::nullopt, "",
       "Ch 00000010, engmask 00000101, intr 10000000"},
      {"NVRM: Xid (0002:00): 13, 0003 00000000 00009097", "00000000:02:00.0", 13, std::nullopt, "", "0003 00000000 00009097"},
      {"NVRM: Xid (PCI:0000:03:00.0): 8, Channel 00000001", "00000000:03:00.0", 8, std::nullopt, "", "Channel 00000001"},
      {"NVRM: Xid (PCI:00010000:03:00): 62, 2d0b(31b0) 00000000 00000000", "00010000:03:00.0", 62, std::nullopt, "",
       "2d0b(31b0) 00000000 00000000"},
      {"[  123.456789] NVRM: Xid (PCI:0000:3b:00): 61, pid=1, name=x, 0cec(3098) 00000000", "00000000:3B:00.0", 61, 1, "x",
       "0cec(3098) 00000000"},
      {"NVRM: Xid (PCI:0000:3b:00): 63", "00000000:3B:00.0", 63, std::nullopt, "", ""},
      {"NVRM: Xid (PCI:0000:3b:00): 13, pid=9, name=only a name", "00000000:3B:00.0", 13, 9, "only a name", ""},
  };
  for (const auto& c : cases) {
    const auto xid = read<XidLine>(c.line);
    EXPECT_EQ(xid.pci_bus_id, c.pci) << c.line;
    EXPECT_EQ(xid.code, c.code) << c.line;
    EXPECT_EQ(xid.pid, c.pid) << c.line;
    EXPECT_EQ(xid.process, c.process) << c.line;
    EXPECT_EQ(xid.text, c.text) << c.line;
  }
}

TEST(XidLine, MigInstancesStandInTheBrackets) {
  const auto one = read<XidLine>("NVRM: Xid (PCI:0000:01:00 GPU-I:05): 31, pid=5, name=a, Ch 1");
  EXPECT_EQ(one.gpu_instance, 5u);
  EXPECT_FALSE(one.compute_instance);
  const auto both = read<XidLine>("NVRM: Xid (PCI:0000:01:00 GPU-I:09 GPU-CI:00): 43, pid=5, name=a, Ch 1");
  EXPECT_EQ(both.gpu_instance, 9u);
  EXPECT_EQ(both.compute_instance, 0u);
  EXPECT_EQ(both.code, 43);
}

TEST(XidLine, WhatTheTextOfSomeCodesSays) {
  EXPECT_EQ(read<XidLine>("NVRM: Xid (PCI:0000:4e:00): 45, pid=1, name=a, Ch 00000001, caused by previous Xid 31").caused_by, 31);
  const auto recovery = read<XidLine>(
      "NVRM: Xid (PCI:0000:4e:00): 154, pid='<unknown>', name=<unknown>, GPU recovery action changed from 0x0 (None) "
      "to 0x4 (Drain and Reset)");
  EXPECT_EQ(recovery.recovery_from, 0u);
  EXPECT_EQ(recovery.recovery_to, 4u);
  const auto contained = read<XidLine>("NVRM: Xid (PCI:0000:4e:00): 94, pid=7, name=a, Contained: SM (0x1, 0x0). RST: No, D-RST: No");
  EXPECT_EQ(contained.needs_reset, false);
  EXPECT_EQ(contained.needs_drain_and_reset, false);
  const auto uncontained =
      read<XidLine>("NVRM: Xid (PCI:0000:4e:00): 95, pid=7, name=a, Uncontained: LTC TAG (0x2, 0x1). RST: Yes, D-RST: No");
  EXPECT_EQ(uncontained.needs_reset, true);
  EXPECT_EQ(uncontained.needs_drain_and_reset, false);
  const auto gsp = read<XidLine>(
      "NVRM: Xid (PCI:0000:c1:00): 119, pid=8, name=nvidia-smi, Timeout after 6s of waiting for RPC response from GPU4 GSP! "
      "Expected function 103 (GSP_RM_ALLOC) (0x2080 0x4).");
  EXPECT_EQ(gsp.rpc_function, 103u);
  EXPECT_EQ(read<XidLine>(
                "NVRM: Xid (PCI:0000:c1:00): 63, pid=8, name=a, Row Remapper: New row (0x00000000abcd) marked for remapping, reset gpu to "
                "activate.")
                .code,
            63);
}

TEST(XidLine, TheExtendedFormOfNvlink5) {
  const auto line = read<XidLine>(
      "NVRM: Xid (PCI:0009:01:00): 145, pid=876767, name=x, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x0409a0c2 0x00000008 "
      "0x00000001 0x00000000 0x00100000 0x00000004)");
  ASSERT_TRUE(line.link_error);
  EXPECT_EQ(line.link_error->unit, "RLW_RXPIPE");
  EXPECT_FALSE(line.link_error->fatal);
  EXPECT_EQ(line.link_error->link, 13);
  EXPECT_EQ(line.link_error->info, 0x0409a0c2u);
  EXPECT_EQ(line.link_error->status, 8u);
  EXPECT_EQ(line.link_error->words.size(), 4u);
  EXPECT_EQ(line.link_error->info_link(), 13u);

  struct Case {
    const char* text;
    const char* unit;
    bool fatal;
    int xc, link;
    std::size_t words;
  };
  const Case cases[] = {
      {"TLW_RX/TLW_RX_PIPE0 Fatal XC1 i1 Link 04 (0x0409a0c2 0x00000008)", "TLW_RX/TLW_RX_PIPE0", true, 1, 4, 0},
      {"NETIR_LINK_EVT   Nonfatal  XC0  i0  Link -1  (0x02a00000 0x00000001 0x0)", "NETIR_LINK_EVT", false, 0, -1, 1},
      {"NETIR_BER_EVENT Nonfatal XC0 i0 Link 17 (0x00022000 0x00000002 0x1 0x2 0x3 0x4 0x5 0x6)", "NETIR_BER_EVENT", false, 0, 17, 6},
  };
  for (const auto& c : cases) {
    const auto xid = read<XidLine>((std::string("NVRM: Xid (PCI:0000:01:00): 149, ") + c.text).c_str());
    ASSERT_TRUE(xid.link_error) << c.text;
    EXPECT_EQ(xid.link_error->unit, c.unit);
    EXPECT_EQ(xid.link_error->fatal, c.fatal);
    EXPECT_EQ(xid.link_error->xc, c.xc);
    EXPECT_EQ(xid.link_error->link, c.link);
    EXPECT_EQ(xid.link_error->words.size(), c.words);
  }
  EXPECT_EQ(read<XidLine>("NVRM: Xid (PCI:0000:01:00): 149, NETIR_LINK_EVT Nonfatal XC0 i0 Link 1 (0x02a00000 0x1)").link_error->subcode(),
            42u);
}

TEST(XidLine, AFreeTextUnderALinkCodeIsStillThatXid) {
  for (const char* text :
       {"NVRM: Xid (PCI:0000:01:00): 149, pid=1, name=a, something new", "NVRM: Xid (PCI:0000:01:00): 145, RLW Fatal XC0 i0 Link (0x1 0x2)",
        "NVRM: Xid (PCI:0000:01:00): 145, RLW Fatal XC0 i0 Link 3 (0x1)"}) {
    const auto xid = read<XidLine>(text);
    EXPECT_FALSE(xid.link_error) << text;
    EXPECT_GE(xid.code, 145) << text;
  }
}

TEST(SxidLine, FaultSeverityAndData) {
  const auto fault = read<SxidLine>("nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46 MC TS crumbstore MCTO (First)");
  EXPECT_EQ(fault.nvswitch, 3);
  EXPECT_EQ(fault.pci_bus_id, "00000000:C1:00.0");
  EXPECT_EQ(fault.code, 28006);
  EXPECT_EQ(fault.severity, "nonfatal");
  EXPECT_EQ(fault.link, 46u);
  EXPECT_EQ(fault.text, "Link 46 MC TS crumbstore MCTO (First)");
  EXPECT_EQ(read<SxidLine>("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Fatal, Link 30 LTSSM Fault Up").severity, "fatal");
  EXPECT_EQ(read<SxidLine>("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 12028, Correctable, Link 3 egress").severity, "correctable");
  const auto severity =
      read<SxidLine>("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Severity 1 Engine instance 30 Sub-engine instance 00");
  EXPECT_EQ(severity.part, SxidLine::Part::severity);
  EXPECT_EQ(severity.instance, 30u);
  const auto data = read<SxidLine>("nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 20034, Data {0x50610002, 0x10100030, 0x00000000}");
  EXPECT_EQ(data.part, SxidLine::Part::data);
  const auto chiplet = read<SxidLine>("nvidia-nvswitch1: SXid (PCI:0000:aa:00.0): 10003, Fatal, instance=2, chiplet=0 SAW host");
  EXPECT_EQ(chiplet.instance, 2u);
  EXPECT_FALSE(chiplet.link);
  EXPECT_EQ(read<SxidLine>("nvidia-nvswitch1: SXid (PCI:0000:aa:00.0): 00012, Fatal, x").code, 12);
}

TEST(SxidLine, RenumberedAtDriver550) {
  struct Case {
    int code;
    const char* driver;
    std::optional<int> today;
  };
  const Case cases[] = {
      {28006, "535.104.05", 29006}, {29004, "525.60.13", 30004}, {28006, "550.54.15", 28006}, {30001, "570.86.15", 30001},
      {20034, "535.104.05", 20034}, {20034, "", 20034},          {28006, "", std::nullopt},   {28006, "unknown", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(current_sxid(c.code, c.driver), c.today) << c.code << " " << c.driver;
}

TEST(DriverLine, WhatStandsAroundTheFaults) {
  EXPECT_EQ(read<GpuAtLine>("NVRM: GPU at PCI:0000:9b:00: GPU-5b0c6a44-0000-1111-2222-333344445555"),
            (GpuAtLine{"00000000:9B:00.0", "GPU-5b0c6a44-0000-1111-2222-333344445555"}));
  EXPECT_EQ(read<BoardSerialLine>("NVRM: GPU Board Serial Number: 1655122001234").serial, "1655122001234");
  EXPECT_EQ(read<OffBusLine>("NVRM: GPU 0000:29:00.0: GPU has fallen off the bus."), (OffBusLine{"00000000:29:00.0", true}));
  EXPECT_EQ(read<OffBusLine>("NVRM: The NVIDIA GPU 0000:18:00.0"), (OffBusLine{"00000000:18:00.0", false}));
  read<OffBusTail>("NVRM: fallen off the bus and is not responding to commands.");
  EXPECT_EQ(read<DriverLoadedLine>("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023").version,
            "535.104.05");
  EXPECT_EQ(read<DriverLoadedLine>("NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build").version,
            "570.86.15");
  EXPECT_EQ(read<PrintsLimitedLine>("NVRM: Rate limiting GSP RPC error prints for GPU at PCI:0000:9b:00 (printing 1 of every 30).").one_of,
            30u);
}

TEST(DriverLine, LinesOfOthersAreNotOurs) {
  for (const char* line :
       {"", "usb 1-1: new high-speed USB device", "nvidia 0000:9b:00.0: enabling device", "Xid (PCI:0000:9b:00): 79, by hand",
        "NVRM: API mismatch: the client has the version 535.1", "audit: name=SXid (x): 1", "NVRM: GPU 0000:29:00.0: RmInitAdapter failed!"})
    EXPECT_FALSE(read_driver_line(line)) << line;
}

TEST(DriverLine, AlmostRightIsKept) {
  for (const char* line :
       {"NVRM: Xid (PCI:0000:zz:00): 79, x", "NVRM: Xid (PCI:0000:9b:00): seventy-nine", "NVRM: Xid (", "NVRM: Xid (PCI:0000:9b:00",
        "NVRM: Xid: 13", "NVRM: Xid (PCI:0000:9b:00): -4", "NVRM: Xid (PCI:0000:9b:00): 99999999999999999999",
        "nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): Fatal", "nvidia-nvswitch0: SXid ("}) {
    const auto said = read_driver_line(line);
    ASSERT_TRUE(said) << line;
    EXPECT_TRUE(std::holds_alternative<UnreadableLine>(*said)) << line;
  }
}

}  // namespace
}  // namespace ghm::kernel_log
