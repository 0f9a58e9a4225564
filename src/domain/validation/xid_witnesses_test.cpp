#include "domain/validation/xid_witnesses.h"

#include <gtest/gtest.h>

namespace ghm::validation {
namespace {

using telemetry::BoardId;

constexpr BoardId kBoard{7};
const Timestamp kAt = from_unix_ms(1'700'000'000'000);

TEST(XidWitnesses, AGaugeAfterItsLineTellsNothing) {
  XidWitnesses w;
  EXPECT_EQ(w.line_told(kBoard, 79, kAt, "line"), "line");
  EXPECT_TRUE(w.has_line(kBoard, 79, kAt + 25s));
  EXPECT_TRUE(w.has_line(kBoard, 79, kAt - 20s)) << "clocks differ";
  EXPECT_FALSE(w.has_line(kBoard, 79, kAt + 6min));
  EXPECT_FALSE(w.has_line(kBoard, 79, kAt - 2min));
  EXPECT_FALSE(w.has_line(kBoard, 48, kAt + 25s));
  EXPECT_FALSE(w.has_line(BoardId{8}, 79, kAt + 25s));
}

TEST(XidWitnesses, ALineTakesThePlaceOfOneGauge) {
  XidWitnesses w;
  w.gauge_told(kBoard, 31, kAt, "gauge");
  EXPECT_EQ(w.line_told(BoardId{8}, 31, kAt, "another board's"), "another board's");
  EXPECT_EQ(w.line_told(kBoard, 43, kAt, "another code"), "another code");
  EXPECT_EQ(w.line_told(kBoard, 31, kAt - 6min, "too early"), "too early");
  EXPECT_EQ(w.line_told(kBoard, 31, kAt - 1s, "first"), "gauge");
  EXPECT_EQ(w.line_told(kBoard, 31, kAt - 1s, "first"), "gauge") << "it came again";
  EXPECT_EQ(w.line_told(kBoard, 31, kAt + 1s, "second"), "second");
}

TEST(XidWitnesses, LinesThatWaitedInASpoolFindTheirGauges) {
  XidWitnesses w;
  w.gauge_told(kBoard, 31, kAt, "morning");
  w.gauge_told(kBoard, 31, kAt + 3h, "noon");
  EXPECT_EQ(w.line_told(kBoard, 31, kAt - 10s, "1"), "morning");
  EXPECT_EQ(w.line_told(kBoard, 31, kAt + 3h - 10s, "2"), "noon");
}

}  // namespace
}  // namespace ghm::validation
