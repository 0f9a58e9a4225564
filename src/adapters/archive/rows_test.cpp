#include "adapters/archive/rows.h"

#include <gmock/gmock.h>

#include "adapters/archive/manifest.h"

namespace ghm::archive {
namespace {

using testing::ElementsAre, testing::HasSubstr, testing::Pair, testing::UnorderedElementsAre;

template <class Row>
struct Read {
  std::vector<Row> rows;
  Refusals refusals;
  std::vector<std::string> warnings;
  std::string error;
};

template <class Row>
Read<Row> read(std::string_view csv) {
  Read<Row> out;
  auto reader = RowReader<Row>::open("table.csv", stream_of(csv), out.warnings);
  if (!reader) return out.error = reader.error().what, out;
  for (;;) {
    auto row = reader->next(out.refusals).value();
    if (!row) return out;
    out.rows.push_back(std::move(*row));
  }
}

const Timestamp kNine = parse_time("2026-02-09T09:00:00Z").value();

TEST(AssetRows, AreReadAsTheFormatSays) {
  const auto got = read<fleet::Asset>(
      "serial,gpu_uuid,model,host,slot,attr_col,deployed_at,retired_at,purchase_price_usd,colour,rack,attr_\n"
      "S1,GPU-1,Tesla K20X,\"node, first\",3,7,2026-02-09T09:00:00Z,1770627600,25000.5,red,r1,x\n"
      ",GPU-2,Tesla K20X,node2,,,,,,blue,,\n"
      ",,Tesla K20X,node2,,,,,,,,\n"
      ",GPU-3,M,h,,,yesterday,,,,,\n"
      ",GPU-4,M,h,,,2026-02-09T09:00:01Z,2026-02-09T09:00:00Z,,,,\n"
      ",GPU-5,M,h,,,,,cheap,,,\n"
      ",GPU-6,M\n");
  ASSERT_EQ(got.rows.size(), 2u);
  fleet::Asset want;
  want.serial = "S1";
  want.uuid = "GPU-1";
  want.model = "Tesla K20X";
  want.host = "node, first";
  want.slot = "3";
  want.place.rack = "r1";
  want.attributes = {{"col", "7"}};
  want.deployed_at = want.retired_at = kNine;
  want.purchase_price_usd = 25000.5;
  EXPECT_EQ(got.rows[0], want);
  EXPECT_TRUE(got.rows[1].attributes.empty()) << "an empty attribute is none";
  EXPECT_THAT(got.refusals.counts, UnorderedElementsAre(Pair("unparsable", 3), Pair("bad_time", 2)));
  EXPECT_THAT(
      got.refusals.named,
      ElementsAre(HasSubstr("table.csv:4: unparsable: gpu_uuid is empty"), HasSubstr("table.csv:5: bad_time: deployed_at 'yesterday'"),
                  HasSubstr("table.csv:6: bad_time"), HasSubstr("table.csv:7: unparsable: purchase_price_usd 'cheap'"),
                  HasSubstr("table.csv:8: unparsable: 3 cells, expected 12")));
  EXPECT_THAT(got.warnings, ElementsAre(HasSubstr("column 'colour' is kept out"), HasSubstr("column 'attr_' is kept out")));
}

TEST(AssetRows, AMissingRequiredColumnNamesFileAndColumn) {
  EXPECT_EQ(read<fleet::Asset>("gpu_uuid,host\n").error, "table.csv: column 'model' is missing from the header");
  EXPECT_EQ(read<EventRow>("time\n").error, "table.csv: column 'kind' is missing from the header");
  EXPECT_EQ(read<FailureRow>("detected_at,gpu_uuid\n").error, "table.csv: column 'failure_type' is missing from the header");
  EXPECT_THAT(read<FailureRow>("").error, HasSubstr("table.csv: is empty"));
}

TEST(EventAndFailureRows, KnowTheWordsOfTheFormat) {
  const auto events =
      read<EventRow>("time,kind,gpu_uuid,code,detail\n1770627600,xid,GPU-1,79,\"fell, off\"\n1770627600,party,,,\nnever,note,,,\n");
  EXPECT_EQ(events.rows, (std::vector<EventRow>{{kNine, "xid", "GPU-1", "", "79", "fell, off"}}));
  EXPECT_THAT(events.refusals.counts, UnorderedElementsAre(Pair("unparsable", 1), Pair("bad_time", 1)));
  const auto failures = read<FailureRow>(
      "detected_at,gpu_uuid,failure_type,severity,resolved_at,resolution\n"
      "2026-02-09T09:00:00Z,GPU-1,memory,critical,2026-02-09T09:00:00Z,replaced\n"
      "2026-02-09T09:00:00Z,GPU-1,bad luck,,,\n2026-02-09T09:00:00Z,GPU-1,memory,info,,\n2026-02-09T09:00:00Z,GPU-1,memory,,,prayer\n");
  EXPECT_EQ(failures.rows, (std::vector<FailureRow>{{kNine, "GPU-1", "memory", "", "critical", kNine, "replaced"}}));
  EXPECT_THAT(failures.refusals.counts, ElementsAre(Pair("unparsable", 3)));
}

TEST(Rows, ComeBackAsTheyWereWritten) {
  fleet::Asset a{"=S1",
                 "GPU-1",
                 "M",
                 "h",
                 "3",
                 "0000:3B:00.0",
                 {"r", "d", "k"},
                 "b",
                 kNine,
                 kNine + 1ms,
                 kNine + 2h,
                 {},
                 0.1,
                 {{"x", "a\nb"}, {"y, z", "-1"}}};
  const EventRow e{kNine + 250ms, "note", "GPU-1", "h", "+79", "@all: \"x\""};
  const FailureRow f{kNine, "GPU-1", "pcie", "S", "error", {}, "none"};
  auto assets = asset_header({"x", "y, z"}), events = event_header(), failures = failure_header();
  put_asset(assets, a, {"x", "y, z"});
  put_event(events, e);
  put_failure(failures, f);
  EXPECT_EQ(read<fleet::Asset>(assets).rows, std::vector{a});
  EXPECT_EQ(read<EventRow>(events).rows, std::vector{e});
  EXPECT_EQ(read<FailureRow>(failures).rows, std::vector{f});
}

TEST(Times, EveryMillisecondComesBack) {
  for (int ms = 0; ms < 1000; ++ms)
    ASSERT_EQ(read_time(format_rfc3339(kNine + std::chrono::milliseconds(ms))), kNine + std::chrono::milliseconds(ms));
  EXPECT_EQ(read_time("0"), Timestamp{});
  EXPECT_FALSE(read_time("-1"));
  EXPECT_FALSE(read_time("1e12"));
  EXPECT_FALSE(read_time(""));
}

TEST(Manifest, IsReadWrittenAndRefused) {
  constexpr std::string_view kGood =
      R"({"format":"fleet-archive","version":1,"start":"2026-02-09T09:00:00Z","end":1770631200,"interval_s":60,
    "name":"n","simulated":true,"more":[1]})";
  const auto m = parse_manifest(kGood, "manifest.json").value();
  EXPECT_EQ(m.start, kNine);
  EXPECT_EQ(m.end, kNine + 1h);
  EXPECT_EQ(m.interval, 60s);
  EXPECT_TRUE(m.simulated);
  EXPECT_EQ(parse_manifest(format_manifest(m), "again").value(), m);
  const std::pair<const char*, const char*> bad[] = {
      {"[]", "is not a JSON object"},
      {"{\"format\":\"zip\"}", "format: expected \"fleet-archive\""},
      {R"({"format":"fleet-archive","version":2})", "version: expected 1"},
      {R"({"format":"fleet-archive","version":1,"end":1,"interval_s":0})", "start: is missing"},
      {R"({"format":"fleet-archive","version":1,"start":2,"end":1,"interval_s":0})", "end: lies before start"},
      {R"({"format":"fleet-archive","version":1,"start":1,"end":1,"interval_s":-1})", "interval_s: expected seconds"},
      {R"({"format":"fleet-archive","version":1,"start":1,"end":1,"interval_s":0,"name":7})", "name: expected a text"},
  };
  for (const auto& [json, why] : bad) EXPECT_THAT(parse_manifest(json, "m.json").error().what, HasSubstr(why)) << json;
}

}  // namespace
}  // namespace ghm::archive
