// An archive through real stores: what is imported is what was written, killed or not, and comes out again as it went in.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "adapters/memory/memory_store.h"
#include "adapters/sqlite/sqlite_store.h"
#include "core/files.h"
#include "domain/telemetry/page.h"
#include "pipeline/archive_export.h"
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
    store_ = sqlite::SqliteStore::open(folder_ / "data", {.raw_days = 36500, .minute_days = 36500, .hour_days = 36500}, Log::off()).value();
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
  Result<pipeline::ExportReport> write_out(const std::string& name, pipeline::ExportOptions options = {}) {
    options.folder = folder_ / name;
    std::vector<telemetry::BoardId> boards;
    for (const auto& [id, board] : ledger_.boards()) boards.push_back(id);
    return pipeline::export_archive(options, ledger_, {*store_, *store_, store_->days(boards)});
  }
  std::string text(const std::string& name) { return read_file(folder_ / name).value_or("missing"); }
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

TEST_F(Archive, ATableMayBeWiderThanAStoresRow) {
  put_manifest();
  put_assets(70);
  std::string csv = "time,gpu_uuid";
  for (int n = 0; n < 1100; ++n) csv += fmt::format(",DCGM_FI_DEV_GPU_TEMP@mig{}", n);
  csv += '\n';
  for (int b = 0; b < 70; ++b) {
    csv += "1770627600," + uuid(b);
    for (int n = 0; n < 1100; ++n) csv += fmt::format(",{}", 30 + (b + n) % 40);
    csv += '\n';
  }
  put("telemetry/a.csv", csv);
  const auto report = import();
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->total.cells, 70u * 1100);
  EXPECT_EQ(series(69, 150, {telemetry::Entity::Kind::mig, 1099}), (std::vector<store::Point>{{kNine, 30 + (69 + 1099) % 40}}));
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

// ---- out again

constexpr const char* kColumns[] = {"DCGM_FI_DEV_GPU_TEMP",
                                    "DCGM_FI_DEV_POWER_USAGE",
                                    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL@nvlink4",
                                    "DCGM_FI_DEV_FB_USED",
                                    "DCGM_FI_PROF_GR_ENGINE_ACTIVE@mig2",
                                    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"};

// Doubles of every kind that validation believes, absent ones too.
std::string random_cell(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0: return "";
    case 1: return fmt::format("{}", random() % 100);
    case 2: return fmt::format("{:.3f}", static_cast<double>(random() % 100'000) / 1000);
    case 3: return fmt::format("{}", std::ldexp(static_cast<double>(random() % (1ull << 53)), -53));
    case 4: return "1e-300";
    default: return "0";
  }
}

void put_random_archive(const std::function<void(const std::string&, std::string_view)>& put, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto text = [&] {
    const char* kTexts[] = {"", "plain", "with, comma", "=cmd()", "'=odd", "a \"quoted\" one", "two\nlines", "-1", "\xc3\xa9"};
    return std::string(kTexts[random() % std::size(kTexts)]);
  };
  const auto minute = [&] { return kNine + std::chrono::minutes(random() % 3000); };
  const auto uuid = [](std::uint64_t b) { return fmt::format("GPU-00000000-0000-0000-0000-{:012}", b); };
  put("manifest.json",
      fmt::format(R"({{"format":"fleet-archive","version":1,"start":0,"end":"2026-02-20T00:00:00Z","interval_s":60,"simulated":{}}})",
                  seed % 2 == 0));
  auto assets = archive::asset_header({"a", "b c"}), events = archive::event_header(), failures = archive::failure_header();
  const int boards = 1 + static_cast<int>(random() % 90);
  for (int b = 0; b < boards; ++b)
    for (int stay = 0, stays = 1 + static_cast<int>(random() % 2); stay < stays; ++stay) {
      fleet::Asset a;
      a.uuid = uuid(static_cast<std::uint64_t>(b));
      a.serial = fmt::format("S{}", b);
      a.model = "NVIDIA H100 80GB HBM3";
      a.host = fmt::format("h{}-{}", b / 8, stay);
      a.slot = text();
      a.batch = text();
      a.deployed_at = kNine - std::chrono::hours(100 * (stays - stay));
      if (stay + 1 < stays) a.retired_at = *a.deployed_at + 50h;
      if (random() % 2 == 0) a.purchase_price_usd = static_cast<double>(random() % 1'000'000) / 7;
      for (const char* name : {"a", "b c"})
        if (auto value = text(); !value.empty()) a.attributes[name] = value;
      archive::put_asset(assets, a, {"a", "b c"});
    }
  for (int n = 0; n < 30; ++n) {
    const auto b = random() % static_cast<std::uint64_t>(boards);
    archive::put_event(events, {minute() + std::chrono::milliseconds(random() % 1000), n % 2 ? "xid" : "note", n % 3 ? uuid(b) : "", text(),
                                n % 2 ? "79" : text(), text()});
    archive::put_failure(
        failures, {minute(), uuid(b), "memory", text(), n % 2 ? "error" : "", n % 3 ? std::optional(minute()) : std::nullopt, "reset"});
  }
  std::string telemetry = "time,gpu_uuid";
  for (const auto* c : kColumns) telemetry.append(",").append(c);
  telemetry += '\n';
  for (int m = 0; m < 40; ++m)
    for (int b = 0; b < boards; ++b) {
      if (random() % 10 == 0) continue;
      telemetry += fmt::format("{},{}", format_rfc3339(kNine + std::chrono::minutes(m * 25) + std::chrono::milliseconds(random() % 2)),
                               uuid(static_cast<std::uint64_t>(b)));
      for (std::size_t c = 0; c < std::size(kColumns); ++c) telemetry += "," + random_cell(random);
      telemetry += '\n';
    }
  put("assets.csv", assets);
  put("events.csv", events);
  put("failures.csv", failures);
  put("telemetry/t.csv", telemetry);
}

TEST_F(Archive, WhatComesOutGoesInAsTheSame) {
  for (const std::uint64_t seed : {1, 2}) {
    fs::remove_all(folder_ / "in");
    fs::remove_all(folder_ / "data");
    put_random_archive([this](const std::string& name, std::string_view t) { put(name, t); }, seed);
    store_.reset();
    const auto first = import();
    ASSERT_TRUE(first) << first.error().what;
    const auto one = fmt::format("one{}", seed), two = fmt::format("two{}", seed);
    const auto out = write_out(one, {{}, {}, {}, seed == 2});
    ASSERT_TRUE(out) << out.error().what;
    EXPECT_LE(out->rows, first->total.rows) << "a row without any reading leaves no trace";
    EXPECT_EQ(out->cells, first->total.cells);
    EXPECT_EQ(out->stays, first->total.stays);
    EXPECT_EQ(out->events, first->total.events);
    EXPECT_EQ(out->failures, first->total.failures);
    std::map<std::pair<std::string, int>, std::vector<store::Point>> readings;
    const auto read_all = [&](auto& to) {
      for (const auto& [id, b] : ledger_.boards()) {
        EXPECT_EQ(b.simulated, seed % 2 == 0);
        for (const int field : {150, 155, 156, 252}) to[{b.uuid, field}] = series(std::stoi(b.uuid.substr(24)), field);
      }
    };
    read_all(readings);
    store_.reset();
    fs::remove_all(folder_ / "data");
    fs::remove_all(folder_ / "in");
    fs::rename(folder_ / one, folder_ / "in");
    const auto second = import();
    ASSERT_TRUE(second) << second.error().what;
    EXPECT_THAT(second->total.refusals.named, IsEmpty());
    EXPECT_THAT(second->warnings, IsEmpty());
    decltype(readings) again;
    read_all(again);
    EXPECT_TRUE(readings == again);
    ASSERT_TRUE(write_out(two, {{}, {}, {}, seed == 2}));
    for (const std::string name : {"assets.csv", "events.csv", "failures.csv", "telemetry/2026-02-09.csv", "telemetry/2026-02-10.csv"}) {
      const auto file = name + (seed == 2 ? ".zst" : "");
      EXPECT_NE(text("in/" + file), "missing") << file;
      EXPECT_EQ(text("in/" + file), text(two + "/" + file)) << file;
    }
  }
}

TEST_F(Archive, AnExportGoesOnAndIsNotDoneTwice) {
  put_random_archive([this](const std::string& name, std::string_view t) { put(name, t); }, 7);
  ASSERT_TRUE(import());
  ASSERT_TRUE(write_out("whole"));
  ASSERT_TRUE(write_out("cut"));
  // As if killed behind the first day, in the middle of the second.
  fs::remove(folder_ / "cut/manifest.json");
  fs::remove(folder_ / "cut/telemetry/2026-02-10.csv");
  std::ofstream(folder_ / "cut/telemetry/2026-02-10.csv.part") << "time,gpu_uuid\nhalf";
  auto mark = text("cut/.export.json");
  const auto at = mark.find(",\"2026-02-10.csv\"");
  ASSERT_NE(at, std::string::npos);
  mark.erase(at, mark.find(']', at) + 1 - at);
  std::ofstream(folder_ / "cut/.export.json") << mark;
  const auto report = write_out("cut");
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->days_there, 1u);
  EXPECT_EQ(report->days_written, 1u);
  for (const std::string name : {"assets.csv", "telemetry/2026-02-09.csv", "telemetry/2026-02-10.csv"})
    EXPECT_EQ(text("cut/" + name), text("whole/" + name));
  auto manifest = archive::parse_manifest(text("cut/manifest.json"), "").value(),
       whole = archive::parse_manifest(text("whole/manifest.json"), "").value();
  manifest.name = whole.name;
  EXPECT_EQ(manifest, whole);
  EXPECT_TRUE(write_out("cut")->was_there);
  EXPECT_THAT(write_out("cut", {{}, {}, {}, true}).error().what, HasSubstr("other options"));
  EXPECT_THAT(write_out("in").error().what, HasSubstr("is not empty"));
}

TEST_F(Archive, AnExportOfARangeHasThatRangeAlone) {
  put_random_archive([this](const std::string& name, std::string_view t) { put(name, t); }, 8);
  ASSERT_TRUE(import());
  const auto from = kNine + 15h, to = kNine + 16h;
  ASSERT_TRUE(write_out("part", {{}, from, to, false}));
  EXPECT_EQ(text("part/telemetry/2026-02-09.csv"), "missing");
  fs::remove_all(folder_ / "data");
  fs::remove_all(folder_ / "in");
  fs::rename(folder_ / "part", folder_ / "in");
  store_.reset();
  const auto report = import();
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_GE(*report->total.first, from);
  EXPECT_LT(*report->total.last, to);
  EXPECT_GT(report->total.rows, 0u);
}

// A board that only pages told of: where it stood comes from its intervals.
TEST_F(Archive, ALiveFleetIsExportedFromItsLedger) {
  open_store();
  telemetry::GpuIdentity gpu;
  gpu.uuid = uuid(1);
  gpu.serial = "S1";
  gpu.model = "M";
  gpu.pci_bus_id = "00000000:65:00.0";
  ledger_.sight({"h1:9400", "h1", {"", "", "r1"}, false, 10s, kNine}, {gpu});
  ledger_.sight({"h2:9400", "h2", {"", "", "r2"}, false, 10s, kNine + 1h}, {gpu});
  std::uint64_t sequence = 0;
  ASSERT_TRUE(store_->put(pipeline::to_records(ledger_.take_changes(), ledger_, kNine + 1h, sequence)));
  const auto report = write_out("live");
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->stays, 2u);
  EXPECT_THAT(text("live/assets.csv"), HasSubstr("h1,S1,r1"));
  EXPECT_THAT(text("live/assets.csv"), HasSubstr("h2,S1,r2"));
  EXPECT_THAT(text("live/events.csv"), HasSubstr("note," + uuid(1) + ",h2,own:gpu_moved"));
  const auto events = text("live/events.csv");
  fs::remove_all(folder_ / "data");
  fs::rename(folder_ / "live", folder_ / "in");
  store_.reset();
  ASSERT_TRUE(import());
  EXPECT_EQ(ledger_.find("S1")->host, "h2");
  ASSERT_TRUE(write_out("again"));
  EXPECT_EQ(text("again/events.csv"), events);
}

}  // namespace
}  // namespace ghm
