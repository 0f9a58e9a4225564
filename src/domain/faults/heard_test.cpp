#include "domain/faults/heard.h"

#include <gtest/gtest.h>

namespace ghm::faults {
namespace {

const Timestamp kNow = from_unix_ms(1'800'000'000'000);

Heard event(std::string kind, std::string detail = {}, int code = 0) {
  Heard h;
  h.id = "1";
  h.at = kNow;
  h.kind = std::move(kind);
  h.board = BoardId{7};
  h.host = "h1";
  h.detail = std::move(detail);
  h.code = code;
  return h;
}

std::string sign_word(const Reading& r) {
  const auto* s = std::get_if<Sign>(&r);
  return s == nullptr ? "" : EvidenceTable::built_in()[s->what].word;
}

TEST(Heard, EventsTellSigns) {
  struct Case {
    Heard heard;
    const char* sign;
  };
  const Case cases[] = {
      {event("xid", "", 79), "off_bus"},
      {event("xid", "", 31), "app_fault"},
      {event("xid", "", 98'765), "other_code"},
      {event("xid", "", 14), ""},  // test code of the driver: nothing is wrong
      {event("sxid", "", 12022), "switch_error"},
      {event("dcgm_health", "", 80), "remap_failed"},
      {event("gpu_missing"), "gpu_missing"},
      {event("source_silent", "h1 does not answer: http://h1:9400/metrics: answered 500 Internal Server Error: look into it"),
       "page_trouble"},
      {event("source_silent", "h1 does not answer: http://h1:9400/metrics: connected, but no answer within 10s: the program there hangs"),
       "page_trouble"},
      {event("source_silent", "h1 does not answer: http://h1:9400/metrics: no connection within 10s: check the host's power"),
       "host_silent"},
      {event("source_silent", "h1 does not answer"), "host_silent"},
      {event("anomaly",
             "board 1650: PCIe replays: 40 in the last hour at most, where its own rate explains 2 (against its own past, warning)"),
       "pcie_errors"},
      {event("anomaly", "board 1650: PCIe width: went from 16 lanes to 8 lanes and stays there (against its own past, warning)"),
       "pcie_narrow"},
      {event("anomaly",
             "board 1650: GPU temperature rise against what peers and its own watts explain: drifts, now 9 % (against its peers on the "
             "host, warning)"),
       "heat"},
      {event(
           "anomaly",
           "board 1650: seconds of power brake: 30 in the last hour at most, where its own rate explains 1 (against its own past, error)"),
       "power_brake"},
      {event("anomaly", "board 1650: enforced power limit: went from 700 W to 500 W and stays there (step_change, info)"), "power_odd"},
      {event("anomaly",
             "board 1650: GPU temperature: no change for 20 min although the power moved; it usually changes every 12 s (against "
             "its own past, warning)"),
       "sensor_stuck"},
      {event("anomaly", "board 1650: power: no change for 20 min; it usually changes every 12 s (against its own past, warning)"),
       "sensor_stuck"},
      {event("anomaly",
             "h7: the whole host: GPU temperature of its boards at the watts they draw: 78 °C for 31 min, peers in the rack 61 °C ± 2.5 °C "
             "(against its peers in the rack, warning)"),
       "heat"},
      {event("anomaly", "board 1650: utilisation: 3 (robust_z, warning)"), ""},
      {event("gpu_appeared"), ""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(sign_word(read(c.heard, {})), c.sign) << c.heard.kind << " " << c.heard.code << " " << c.heard.detail;
}

TEST(Heard, ASwitchsOwnWordOfSeverityIsBelieved) {
  const std::tuple<int, const char*, Severity> cases[] = {{20034, "", Severity::critical},      {20034, "fatal", Severity::critical},
                                                          {20034, "nonfatal", Severity::error}, {20034, "correctable", Severity::warning},
                                                          {20012, "", Severity::error},         {20012, "fatal", Severity::critical}};
  for (const auto& [code, word, severity] : cases) {
    auto heard = event("sxid", {}, code);
    heard.severity = word;
    const auto reading = read(heard, {});
    const auto* sign = std::get_if<Sign>(&reading);
    ASSERT_NE(sign, nullptr) << code;
    EXPECT_EQ(sign->severity, severity) << code << " " << word;
  }
}

TEST(Heard, EveryWatchedMetricIsFoundByItsOwnName) {
  const std::pair<const char*, const char*> cases[] = {{"power", "power_odd"},
                                                       {"enforced power limit", "power_odd"},
                                                       {"NVLinks up", "link_error"},
                                                       {"NVLink replays", "link_noise"},
                                                       {"row remap failure", "remap_failed"},
                                                       {"memory temperature", "heat"},
                                                       {"corrected memory errors", "corrected_storm"},
                                                       {"uncorrectable memory errors", "uncorrectable_memory"}};
  for (const auto& [metric, sign] : cases) {
    const auto found = sign_of_anomaly(std::string("board 1: ") + metric + ": 3 (robust_z, warning)");
    ASSERT_TRUE(found) << metric;
    EXPECT_EQ(EvidenceTable::built_in()[*found].word, sign) << metric;
  }
}

TEST(Heard, WhatIsOverEndsOnlyItself) {
  const auto read_end = [](Heard h) { return std::get<EndingSeen>(read(h, {})); };
  EXPECT_EQ(read_end(event("gpu_reset")).what, Ending::gpu_reset);
  EXPECT_EQ(read_end(event("gpu_replaced")).what, Ending::replaced);
  const auto cool = read_end(event("anomaly_cleared", "board 1: over after 20m: GPU temperature: 90 (robust_z, warning)"));
  EXPECT_EQ(cool.sign, evidence("heat"));
  EXPECT_TRUE(ends(cool, evidence("heat")));
  EXPECT_FALSE(ends(cool, evidence("power_brake")));
  const auto calm = read_end(event("anomaly_cleared", "board 1: over after 20m: uncorrectable memory errors: 1 (event_burst, error)"));
  EXPECT_FALSE(ends(calm, evidence("uncorrectable_memory"))) << "that it did not happen again is no repair";
}

TEST(Heard, TheDriverDecidesWhatASwitchMeant) {
  Where old;
  old.driver = "535.161.08";
  EXPECT_EQ(sign_word(read(event("sxid", "", 28004), old)), "switch_error");
  old.driver = "570.86.15";
  EXPECT_EQ(sign_word(read(event("sxid", "", 28004), old)), "") << "a cable cage cooled down";
}

}  // namespace
}  // namespace ghm::faults
