// An archive through real stores: what is imported is what was written, killed or not, and comes out again as it went in.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "adapters/memory/memory_store.h"
#include "adapters/sqlite/sqlite_store.h"
#include "domain/telemetry/page.h"
#include "pipeline/archive_import.h"
#include "pipeline/ledger_records.h"

namespace ghm {
namespace {

namespace fs = std::filesystem;
using telemetry::MetricId;
using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty, testing::Pair, testing::UnorderedElementsAre;

const Timestamp kNine = parse_time("2026-02-09T09:00:00Z").value();

class Archive : public testing::Test {
 protected:
  Archive() {
    std::string name = (fs::temp_directory_path() / "ghm-archive-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Archive() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void put(const std::string& name, std::string_view text) {
    const auto path = folder_ / "in" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void put_manifest(std::string_view more = "") {
    put("manifest.json", fmt::format(R"({{"format":"fleet-archive","version":1,"start":"2026-02-09T09:00:00Z","end":"2026-02-10T09:00:00Z",
      "interval_s":60,"name":"test"{}}})",
                                     more));
  }
  void put_assets(int boards) {
    std::string csv = "gpu_uuid,model,host,serial,slot\n";
    for (int b = 0; b < boards; ++b) csv += fmt::format("{},NVIDIA H100 80GB HBM3,node{},S{},{}\n", uuid(b), b / 8, b, b % 8);
    put("assets.csv", csv);
  }
  static std::string uuid(int board) { return fmt::format("GPU-00000000-0000-0000-0000-{:012}", board); }

  void open_store() {
    store_.reset();
    store_ = sqlite::SqliteStore::open(folder_ / "data", {.raw_days = 36500}, Log::off()).value();
  }
  Result<pipeline::ImportReport> import(store::TelemetryStore& telemetry, store::RecordStore& records) {
    auto from = archive::Folder::open(folder_ / "in");
    if (!from) return from.error();
    auto kept = pipeline::load_ledger(records);
    if (!kept) return kept.error();
    ledger_ = {};
    ledger_.restore(std::move(*kept));
    return pipeline::import_archive(*from, ledger_, {.telemetry = telemetry, .records = records, .values_at_once = at_once_});
  }
  Result<pipeline::ImportReport> import() {
    if (!store_) open_store();
    return import(*store_, *store_);
  }
  std::vector<store::Point> series(int board, int field, telemetry::Entity entity = {}) {
    return store_->read({ledger_.find(uuid(board))->id, entity, MetricId(static_cast<std::uint16_t>(field))}, {Timestamp{}, kNine + 1000h})
        .value();
  }

  fs::path folder_;
  std::unique_ptr<sqlite::SqliteStore> store_;
  fleet::Ledger ledger_;
  std::size_t at_once_ = 1 << 21;
};

TEST_F(Archive, IsKeptAsItSays) {
  put_manifest(R"(,"simulated":true)");
  put_assets(10);
  put("telemetry/a.csv", "time,gpu_uuid,DCGM_FI_DEV_GPU_TEMP,DCGM_FI_DEV_SM_CLOCK_HERTZ,DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink4,mood\n" +
                             fmt::format("2026-02-09T09:00:00Z,{},71.25,1980000000,12,gay\n", uuid(0)) +
                             fmt::format("2026-02-09T09:00:00Z,{},400,,,\n", uuid(9)) + fmt::format("1770627660,{},72,x,nan,\n", uuid(0)) +
                             "1770627660,GPU-nobody,1,,,\n" + fmt::format("1770627660,{},73,,,\n", uuid(0)) +
                             fmt::format("noon,{},73,,,\n", uuid(0)));
  put("events.csv",
      fmt::format("time,kind,gpu_uuid,code,detail\n1770627600,xid,{0},79,gone\n1770627600,xid,{0},79,gone\n1770627600,note,GPU-x,,\n",
                  uuid(3)));
  put("failures.csv",
      fmt::format("detected_at,gpu_uuid,failure_type,resolution\n1770627600,{},pcie,replaced\n1770627600,GPU-x,pcie,\n", uuid(3)));
  const auto report = import();
  ASSERT_TRUE(report) << report.error().what;
  const auto& total = report->total;
  EXPECT_EQ(total.boards, 10u);
  EXPECT_EQ(total.stays, 10u);
  EXPECT_EQ(total.rows, 3u);
  EXPECT_EQ(total.cells, 4u);
  EXPECT_EQ(total.events, 1u);
  EXPECT_EQ(total.failures, 1u);
  EXPECT_THAT(total.refusals.counts, UnorderedElementsAre(Pair("bad_time", 1), Pair("duplicate", 2), Pair("unknown_identity", 3),
                                                          Pair("unparsable", 1), Pair("not_finite", 1), Pair("out_of_range", 1)));
  EXPECT_THAT(total.refusals.named, testing::Contains(HasSubstr("telemetry/a.csv:3: out_of_range: DCGM_FI_DEV_GPU_TEMP 400")));
  EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("'mood' is kept out")));
  EXPECT_EQ(series(0, 150), (std::vector<store::Point>{{kNine, 71.25}, {kNine + 1min, 72}}));
  EXPECT_EQ(series(0, 100), (std::vector<store::Point>{{kNine, 1980}}));
  EXPECT_EQ(series(0, 449, {telemetry::Entity::Kind::nvlink, 4}), (std::vector<store::Point>{{kNine, 12}}));
  EXPECT_THAT(series(9, 150), IsEmpty());
  for (const auto& [id, board] : ledger_.boards()) EXPECT_TRUE(board.simulated);
  EXPECT_EQ(ledger_.find(uuid(9))->serial, "S9");
  const auto event = store_->recent("event", {Timestamp{}, kNine + 1h}, 10).value();
  ASSERT_EQ(event.size(), 1u);
  EXPECT_THAT(event[0].body, HasSubstr(R"("code":"79")"));
  EXPECT_EQ(store_->recent("failure", {Timestamp{}, kNine + 1h}, 10)->size(), 1u);

  const auto again = import();
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_TRUE(again->was_there);
  EXPECT_EQ(again->total.rows, 3u);
}

TEST_F(Archive, AMissingColumnAnywhereImportsNothing) {
  put_manifest();
  put_assets(1);
  put("telemetry/a.csv", fmt::format("time,gpu_uuid,DCGM_FI_DEV_GPU_TEMP\n1770627600,{},71\n", uuid(0)));
  put("telemetry/b.csv", "time,DCGM_FI_DEV_GPU_TEMP\n1770627600,71\n");
  EXPECT_EQ(import().error().what, "telemetry/b.csv: column 'gpu_uuid' is missing from the header");
  EXPECT_THAT(store_->scan("board", "", "", 10).value(), IsEmpty());
}

// ---- repetitions

TEST_F(Archive, TheFirstRowOfAnInstantStandsWhereverTheOtherLies) {
  put_manifest();
  put_assets(2);
  const auto row = [&](int board, int minute, double temperature) {
    return fmt::format("{},{},{}\n", to_unix_ms(kNine) / 1000 + minute * 60, uuid(board), temperature);
  };
  std::string a = "time,gpu_uuid,DCGM_FI_DEV_GPU_TEMP\n", b = a, c = "time,gpu_uuid,DCGM_FI_DEV_MEMORY_TEMP\n";
  for (int m = 120; m < 240; ++m) a += row(0, m, m / 4.0) + row(1, m, m / 4.0);  // the later hours first
  for (int m = 0; m < 125; ++m) b += row(0, m, 1000 - m) + row(0, m, 0);         // each twice, the last five in `a` already
  for (int m = 239; m < 242; ++m) c += row(1, m, 50);                            // another column, the first at a known instant
  put("telemetry/a.csv", a);
  put("telemetry/b.csv", b);
  put("telemetry/c.csv", c);
  const auto report = import();
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->total.refusals.counts.at("duplicate"), 125u + 5 + 1);
  EXPECT_EQ(report->total.rows, 240u + 120 + 2);
  EXPECT_EQ(series(1, 140).size(), 2u);
  EXPECT_EQ(series(0, 150).back().value, 239 / 4.0);
  EXPECT_EQ(report->total.refusals.counts.at("out_of_range"), 120u) << "a thousand degrees are believed of nobody";
}

// ---- a store that fails, an import that goes on

/// Fails its n-th append, before or after the rows are kept: what a kill at that moment leaves.
class Failing final : public store::TelemetryStore {
 public:
  Failing(store::TelemetryStore& below, int good, bool keeps) : below_(below), good_(good), keeps_(keeps) {}
  Result<void> append(std::span<const store::RowBatch> rows) override {
    if (good_-- > 0) return below_.append(rows);
    if (keeps_)
      if (auto done = below_.append(rows); !done) return done;
    return Error{Errc::unavailable, "killed"};
  }
  Result<std::vector<store::Point>> read(const store::SeriesKey& s, TimeRange r) const override { return below_.read(s, r); }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey> s, TimeRange r) const override {
    return below_.read_many(s, r);
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey& s, TimeRange r, std::chrono::milliseconds w) const override {
    return below_.aggregate(s, r, w);
  }
  std::vector<store::Latest> latest(telemetry::BoardId b) const override { return below_.latest(b); }
  std::vector<store::Latest> latest(MetricId m) const override { return below_.latest(m); }
  Result<bool> maintain(Timestamp now) override { return below_.maintain(now); }
  store::StoreStats stats() const override { return below_.stats(); }

 private:
  store::TelemetryStore& below_;
  int good_;
  bool keeps_;
};

TEST_F(Archive, StoppedAnywhereItEndsAsIfNeverStopped) {
  put_manifest();
  put_assets(70);  // two banks
  at_once_ = 100'000;
  for (const std::string name : {"a", "b"}) {
    std::string csv = "time,gpu_uuid";
    for (const int link : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})
      csv += fmt::format(",DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink{}", link);
    csv += '\n';
    for (int m = 0; m < 200; ++m)
      for (int board = 0; board < 70; ++board) {
        csv += fmt::format("{},{}", to_unix_ms(kNine) / 1000 + m * 60 + (name == "b" ? 60'000 : 0), m == 7 ? "GPU-x" : uuid(board));
        for (int link = 0; link < 18; ++link) csv += fmt::format(",{}", m + link + board);
        csv += '\n';
      }
    put("telemetry/" + name + ".csv", csv);
  }
  const auto whole = import();
  ASSERT_TRUE(whole) << whole.error().what;
  const auto want_first = series(0, 449, {telemetry::Entity::Kind::nvlink, 3}),
             want_last = series(69, 449, {telemetry::Entity::Kind::nvlink, 17});
  ASSERT_EQ(want_first.size(), 398u);
  for (const bool keeps : {false, true})
    for (const int good : {0, 1, 4}) {
      store_.reset();
      fs::remove_all(folder_ / "data");
      open_store();
      Failing failing(*store_, good, keeps);
      ASSERT_FALSE(import(failing, *store_)) << "the import has more batches than that";
      open_store();
      const auto report = import();
      ASSERT_TRUE(report) << report.error().what;
      EXPECT_TRUE(report->went_on);
      EXPECT_EQ(report->total.rows, whole->total.rows);
      EXPECT_EQ(report->total.cells, whole->total.cells);
      EXPECT_EQ(report->total.refusals.counts, whole->total.refusals.counts);
      EXPECT_EQ(series(0, 449, {telemetry::Entity::Kind::nvlink, 3}), want_first);
      EXPECT_EQ(series(69, 449, {telemetry::Entity::Kind::nvlink, 17}), want_last);
    }
}

}  // namespace
}  // namespace ghm
