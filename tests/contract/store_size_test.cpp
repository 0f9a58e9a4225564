// What a reading costs on disk, on a simulated fleet's pages: the figures that check-config reckons with.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>

#include "adapters/sqlite/sqlite_store.h"
#include "simulated_rows.h"

namespace ghm::store {
namespace {

namespace fs = std::filesystem;

constexpr Timestamp kMidnight = Timestamp(std::chrono::milliseconds(1'770'595'200'000));  // 2026-02-09T00:00:00Z
constexpr auto kEvery = 10s;
constexpr int kHours = 24, kHosts = 1;

class OnDisk {
 public:
  OnDisk() {
    std::string name = (fs::temp_directory_path() / "ghm-size-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~OnDisk() { fs::remove_all(folder); }
  double bytes(std::string_view start) const {
    double sum = 0;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().starts_with(start)) sum += static_cast<double>(entry.file_size());
    return sum;
  }
  fs::path folder;
};

double live_day(OnDisk& disk) {
  auto store = sqlite::SqliteStore::open(disk.folder, {}, Log::off()).value();
  SimulatedRows fleet(kHosts * 8, kMidnight);
  double samples = 0;
  std::vector<RowBatch> rows;
  for (auto t = kMidnight; t < kMidnight + std::chrono::hours(kHours); t += kEvery) {
    for (std::size_t h = 0; h < fleet.hosts(); ++h) rows.push_back(fleet.row(h, t));
    if (t.time_since_epoch() % 5min != 0s) continue;
    for (const auto& r : rows) samples += static_cast<double>(r.values.size());
    EXPECT_TRUE(store->append(rows));
    rows.clear();
    while (store->maintain(t).value()) {
    }
  }
  for (const auto later : {3h, 4h})
    while (store->maintain(kMidnight + std::chrono::hours(kHours) + later).value()) {
    }
  return samples;
}

/// ghm.db without the room that the journal's rows have left free for those to come.
double rows_in_main(const OnDisk& disk) {
  auto db = sqlite::Db::open(disk.folder / "ghm.db", sqlite::Db::Mode::read_write).value();
  EXPECT_TRUE(db->run("vacuum"));
  return static_cast<double>(db->integer("select page_count * page_size from pragma_page_count, pragma_page_size").value());
}

TEST(StoreSize, AReadingCostsLessThanAByteInAllTiersTogether) {
  OnDisk disk;
  const double samples = live_day(disk);
  const double raw = disk.bytes("raw-") / samples, minutes = disk.bytes("rollup-") / samples, main = rows_in_main(disk) / samples;
  const auto blocks = [&](const char* sql) {
    return static_cast<double>(sqlite::Db::open(disk.folder / "ghm.db", sqlite::Db::Mode::read_only).value()->integer(sql).value());
  };
  const double series = samples / (kHours * 360);
  fmt::print("bytes per series: a minute {:.2f}, an hour {:.2f}, a day {:.2f} (a span of one day)\n", minutes * 6,
             blocks("select sum(length(bytes)) from hour_rollups") / series / kHours,
             blocks("select sum(length(bytes)) from day_rollups") / series);
  RecordProperty("bytes_per_reading", fmt::format("raw {:.3f}, 1 min {:.3f}, 1 h and 1 d {:.3f}", raw, minutes, main));
  fmt::print("bytes per reading: raw {:.3f}, 1 min {:.3f}, 1 h and 1 d with all of ghm.db {:.3f}\n", raw, minutes, main);
  EXPECT_LE(raw, 0.70);
  EXPECT_LE(raw + minutes + main, 1.0);
}

}  // namespace
}  // namespace ghm::store
