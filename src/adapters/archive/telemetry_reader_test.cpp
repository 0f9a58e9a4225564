#include "adapters/archive/telemetry_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "domain/telemetry/page.h"

namespace ghm::archive {
namespace {

using telemetry::Entity, telemetry::MetricCatalogue;
using testing::ElementsAre, testing::HasSubstr, testing::Pair, testing::UnorderedElementsAre;

struct Opened {
  std::vector<std::string> warnings;
  Refusals refusals;
  Result<TelemetryReader> reader;
  explicit Opened(std::string_view csv)
      : reader(TelemetryReader::open("telemetry/a.csv", stream_of(csv), MetricCatalogue::built_in(), warnings)) {}
};

TEST(TelemetryReader, ReadsExporterColumnsInCanonicalUnits) {
  Opened o(
      "time,gpu_uuid,DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_SM_CLOCK_HERTZ,DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink4,DCGM_FI_PROF_GR_ENGINE_"
      "ACTIVE@mig2\n"
      "2026-02-09T19:00:00Z,GPU-1,71,1980000000,,0.57\n"
      "1770663600,GPU-2,x,,1,\n"
      "sometime,GPU-2,1,,1,\n"
      "1770663600.5,GPU-1,-0,1e6,,nan\n");
  ASSERT_TRUE(o.reader) << o.reader.error().what;
  auto& r = *o.reader;
  EXPECT_TRUE(o.warnings.empty()) << o.warnings[0];
  ASSERT_EQ(r.columns().size(), 4u);
  EXPECT_EQ(r.columns()[2].entity, (Entity{Entity::Kind::nvlink, 4}));
  EXPECT_EQ(r.columns()[3].entity, (Entity{Entity::Kind::mig, 2}));
  const auto t = parse_time("2026-02-09T19:00:00Z").value();
  ASSERT_TRUE(r.next(o.refusals).value());
  EXPECT_EQ(r.at(), t);
  EXPECT_EQ(r.gpu_uuid(), "GPU-1");
  EXPECT_EQ(r.values()[0], 71);
  EXPECT_EQ(r.values()[1], 1980) << "Hz became MHz";
  EXPECT_TRUE(telemetry::is_absent(r.values()[2]));
  EXPECT_EQ(r.values()[3], 0.57);
  ASSERT_TRUE(r.next(o.refusals).value());
  EXPECT_EQ(r.at(), t);
  EXPECT_TRUE(telemetry::is_absent(r.values()[0])) << "an unparsable cell costs itself";
  EXPECT_EQ(r.values()[2], 1);
  ASSERT_TRUE(r.next(o.refusals).value());
  EXPECT_EQ(r.at(), t + 500ms);
  EXPECT_FALSE(telemetry::is_absent(r.values()[3])) << "a NaN that was written is for validation to refuse";
  EXPECT_FALSE(r.next(o.refusals).value());
  EXPECT_THAT(o.refusals.counts, UnorderedElementsAre(Pair("unparsable", 1), Pair("bad_time", 1)));
  EXPECT_THAT(o.refusals.named, ElementsAre("telemetry/a.csv:3: unparsable: DCGM_FI_DEV_GPU_TEMP 'x' is no number",
                                            "telemetry/a.csv:4: bad_time: time 'sometime'"));
}

TEST(TelemetryReader, KeepsOutWhatIsNoReadingOfAGpuAndSaysWhy) {
  Opened o(
      "gpu_uuid,time,mood,DCGM_FI_DEV_SERIAL,DCGM_EXP_XID_ERRORS_COUNT,DCGM_FI_DEV_GPU_UTIL_RATIO,DCGM_FI_DEV_COUNT,DCGM_FI_DEV_GPU_TEMP@"
      "cpu0,"
      "DCGM_FI_DEV_GPU_TEMP@moon,DCGM_FI_DEV_SM_CLOCK,DCGM_FI_DEV_SM_CLOCK_HERTZ,DCGM_FI_DEV_SM_CLOCK\n");
  ASSERT_TRUE(o.reader);
  EXPECT_EQ(o.reader->columns().size(), 1u);
  EXPECT_THAT(o.warnings,
              ElementsAre(HasSubstr("'mood' is kept out: no DCGM exporter has that name"), HasSubstr("texts"), HasSubstr("events.csv"),
                          HasSubstr("percent from ratio"), HasSubstr("describes the host"), HasSubstr("describes the host"),
                          HasSubstr("no part of a GPU"), HasSubstr("an earlier column"), HasSubstr("stands twice")));
  EXPECT_EQ(Opened("time,DCGM_FI_DEV_GPU_TEMP\n").reader.error().what, "telemetry/a.csv: column 'gpu_uuid' is missing from the header");
}

// Every field that a table can hold: what is written under its name is read as the same series, in the same unit.
TEST(ColumnName, IsReadBackAsTheSameSeries) {
  const auto& all = MetricCatalogue::built_in();
  const Entity entities[] = {{}, {Entity::Kind::nvlink, 3}, {Entity::Kind::mig, 2}};
  int read = 0;
  for (const auto& spec : all.all()) {
    if (spec.kind == telemetry::MetricKind::label || spec.event_like || spec.entity == Entity::Kind::node) continue;
    for (const auto entity : entities) {
      Opened o(fmt::format("time,gpu_uuid,{}\n", column_name(spec, entity)));
      ASSERT_TRUE(o.reader && o.reader->columns().size() == 1) << column_name(spec, entity) << (o.warnings.empty() ? "" : o.warnings[0]);
      const auto& c = o.reader->columns()[0];
      EXPECT_TRUE(c.metric == spec.id && c.entity == entity && c.to_canonical.changes_nothing()) << column_name(spec, entity);
      ++read;
    }
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace ghm::archive
