#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "adapters/sqlite/sqlite_store.h"
#include "domain/store/points.h"

namespace ghm::sqlite {

/// A data folder that goes with the test, and the few words its stories are told in.
class Folder : public testing::Test {
 protected:
  Folder() {
    // In memory where that is possible: nothing here depends on what a disk does, and on a busy machine syncing takes minutes.
    const std::filesystem::path memory = "/dev/shm";
    const auto in = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (in / "ghm-sqlite-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Folder() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<void> open(SqliteSettings settings = {}) {
    store_.reset();
    auto opened = SqliteStore::open(folder_, settings, Log::to_memory(lines_));
    if (!opened) return opened.error();
    store_ = std::move(*opened);
    return {};
  }
  Result<void> append(std::string source, Timestamp at, std::vector<double> values) {
    const RowBatch row{std::move(source), columns_, at, std::move(values)};
    return store_->append(std::span(&row, 1));
  }
  std::vector<Point> temperatures() { return store_->read((*columns_)[0], {Timestamp{}, kNoon + std::chrono::days(900)}).value(); }
  /// Of the temperatures, all of them, in buckets.
  std::vector<Bucket> buckets(std::chrono::milliseconds width) {
    auto found = store_->aggregate((*columns_)[0], {Timestamp{}, kNoon + std::chrono::days(1000)}, width);
    EXPECT_TRUE(found) << found.error().what;
    return found ? *found : std::vector<Bucket>();
  }
  /// What `buckets` says of these readings.
  static std::vector<Bucket> buckets_of(std::span<const Point> points, std::chrono::milliseconds width) {
    return store::to_buckets(windows::roll_up(points, width, windows::Counting::none), windows::Counting::none);
  }
  void settle(Timestamp now) {
    for (const auto t : {now, now + 2min})
      while (store_->maintain(t).value()) {
      }
  }
  std::size_t files(std::string_view end) {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) n += entry.path().string().ends_with(end);
    return n;
  }
  bool logged(std::string_view word) {
    return std::ranges::any_of(lines_, [word](const std::string& line) { return line.find(word) != std::string::npos; });
  }

  static constexpr Timestamp kNoon = Timestamp(std::chrono::milliseconds(1'770'638'400'000));  // 2026-02-09T12:00:00Z
  const store::Columns columns_ = std::make_shared<const std::vector<SeriesKey>>(
      std::vector<SeriesKey>{{BoardId{7}, {}, telemetry::MetricId{150}}, {BoardId{7}, {}, telemetry::MetricId{155}}});
  std::filesystem::path folder_;
  std::vector<std::string> lines_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace ghm::sqlite
