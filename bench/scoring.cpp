// What health scores cost in a running server: a store of a simulated fleet, then scoring rounds as the service makes them,
// reading and stories included. Prints CPU seconds of the scoring thread, as JSON.
//
//   scoring_bench FOLDER GPUS DAYS INTERVAL-SECONDS
//
// The rows of one simulated host of eight GPUs are given to every host. From scratch: a month of readings into scores. First: the
// same, and the sums that later rounds go on with. Rounds: a quarter of an hour apart, while pages go on coming in.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "adapters/sqlite/sqlite_store.h"
#include "contract/simulated_rows.h"
#include "services/board_stories.h"
#include "services/scoring.h"

namespace ghm {
namespace {

using Json = nlohmann::ordered_json;
using store::RowBatch, store::SimulatedRows, telemetry::BoardId;

constexpr Timestamp kStart{std::chrono::milliseconds(1'770'595'200'000)};  // 2026-02-09T00:00:00Z
constexpr std::uint32_t kBoardsOfHost = 8;
constexpr int kScratchRounds = 3, kRounds = 8;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// A store that notes the CPU that reading takes.
class Counting final : public store::TelemetryStore {
 private:
  template <class Read>
  auto counted(Read read) const {
    const double before = cpu_seconds();
    auto answer = read();
    seconds_ += cpu_seconds() - before;
    return answer;
  }

 public:
  explicit Counting(const store::TelemetryStore& store) : store_(store) {}
  Result<void> append(std::span<const RowBatch>) override { return Error{Errc::unavailable, "for reading alone"}; }
  Result<std::vector<store::Point>> read(const store::SeriesKey& series, TimeRange range) const override {
    return counted([&] { return store_.read(series, range); });
  }
  Result<std::vector<std::vector<store::Point>>> read_many(std::span<const store::SeriesKey> series, TimeRange range) const override {
    return counted([&] { return store_.read_many(series, range); });
  }
  Result<std::vector<store::Bucket>> aggregate(const store::SeriesKey& series, TimeRange range,
                                               std::chrono::milliseconds width) const override {
    return counted([&] { return store_.aggregate(series, range, width); });
  }
  std::vector<store::Latest> latest(BoardId board) const override { return store_.latest(board); }
  std::vector<store::Latest> latest(telemetry::MetricId metric) const override { return store_.latest(metric); }
  Result<bool> maintain(Timestamp) override { return false; }
  store::StoreStats stats() const override { return store_.stats(); }

  double take() { return std::exchange(seconds_, 0); }

 private:
  const store::TelemetryStore& store_;
  mutable double seconds_ = 0;
};

class Bench {
 public:
  Bench(const std::filesystem::path& folder, std::uint32_t gpus, std::chrono::seconds interval)
      : folder_(folder),
        hosts_(gpus / kBoardsOfHost),
        interval_(interval),
        store_(must(sqlite::SqliteStore::open(folder, {.raw_days = 40, .minute_days = 90, .hour_days = 730}, Log::off()))),
        host_rows_(kBoardsOfHost, kStart, "healthy") {
    pipeline::LiveUpdate update;
    for (std::uint32_t h = 0; h < hosts_; ++h) {
      fleet::Host host;
      host.id = BoardId{SimulatedRows::kFirstHost + h};
      host.name = fmt::format("host-{}", h);
      update.hosts.push_back(host);
      for (std::uint32_t g = 1; g <= kBoardsOfHost; ++g) update.boards.push_back(board(h, g));
    }
    live_.apply(std::move(update));
  }

  /// A long past, written an hour at a time.
  void lived_until(Timestamp end) {
    for (; now_ < end; now_ += interval_) {
      add_pages();
      if (now_.time_since_epoch() % 1h == 0ms) keep();
    }
    keep();
  }

  /// Lives until `end`; pages of the hosts are spread over the interval and kept as a keeper gathers them.
  void live_until(Timestamp end) {
    for (; now_ < end; now_ += interval_) {
      add_pages();
      keep();
    }
  }

  Json rounds() {
    std::vector<double> scratch, later, reading, telling;
    for (int n = 0; n < kScratchRounds; ++n) scratch.push_back(round(*new_service({})));
    auto scoring = new_service(folder_);
    const double first = round(*scoring);
    live_until(now_ + 15min);
    scoring->tick(now_);  // hosts whose round lay within the last seconds before the first scores are left out of this one
    must(store_->append(std::exchange(scores_, {})));
    for (int n = 0; n < kRounds; ++n) {
      live_until(now_ + 15min);
      reads_.take();
      stories_s_ = 0;
      later.push_back(round(*scoring));
      reading.push_back(reads_.take());
      telling.push_back(stories_s_);
    }
    const double boards = hosts_ * kBoardsOfHost;
    return {{"gpus", hosts_ * kBoardsOfHost},
            {"days", std::chrono::duration<double, std::ratio<86400>>(now_ - kStart).count()},
            {"interval_s", interval_.count()},
            {"from_scratch_ms_per_gpu", 1e3 * median(scratch) / boards},
            {"first_round_ms_per_gpu", 1e3 * first / boards},
            {"round_us_per_gpu", 1e6 * median(later) / boards},
            {"of_it_reading_us", 1e6 * median(reading) / boards},
            {"of_it_stories_us", 1e6 * median(telling) / boards},
            {"overall", live_score()}};
  }

 private:
  static fleet::Board board(std::uint32_t host, std::uint32_t gpu) {
    fleet::Board b;
    b.id = BoardId{host * kBoardsOfHost + gpu};
    b.serial = fmt::format("S{}", static_cast<std::uint32_t>(b.id));
    b.model = "NVIDIA H100 80GB HBM3";
    b.host = fmt::format("host-{}", host);
    b.slot = static_cast<int>(gpu) - 1;
    b.first_seen = kStart;
    return b;
  }
  void add_pages() {
    const auto row = host_rows_.row(0, now_);
    if (row.columns != known_) spread(row.columns);
    for (std::uint32_t h = 0; h < hosts_; ++h)
      rows_.push_back({fmt::format("host-{}:9400", h), columns_[h], now_ + h * std::chrono::milliseconds(interval_) / hosts_, row.values});
  }
  void keep() {
    must(store_->append(rows_));
    rows_.clear();
    while (must(store_->maintain(now_))) {
    }
  }
  void spread(const store::Columns& columns) {
    known_ = columns;
    columns_.clear();
    for (std::uint32_t h = 0; h < hosts_; ++h) {
      auto keys = *columns;
      for (auto& k : keys) {
        const auto id = static_cast<std::uint32_t>(k.board);
        k.board = BoardId{id >= SimulatedRows::kFirstHost ? SimulatedRows::kFirstHost + h : id + kBoardsOfHost * h};
      }
      columns_.push_back(std::make_shared<const std::vector<store::SeriesKey>>(std::move(keys)));
    }
  }
  /// Without a folder for sums every round is from scratch.
  std::unique_ptr<services::Scoring> new_service(const std::filesystem::path& sums) {
    stories_ = std::make_unique<services::BoardStories>(*store_, live_);
    return std::make_unique<services::Scoring>(
        reads_, live_, services::ScoringSettings{.interval = interval_, .sums_folder = sums}, Log::off(),
        [this](std::span<const fleet::Board* const> boards, Timestamp now) {
          const double before = cpu_seconds();
          auto stories = stories_->tell(boards, now);
          stories_s_ += cpu_seconds() - before;
          return stories;
        },
        [this](RowBatch row) {
          scores_.push_back(std::move(row));
          return true;
        });
  }
  /// CPU seconds of one round of all boards; every one of them must have got a score.
  double round(services::Scoring& scoring) {
    const double before = cpu_seconds();
    const auto scored = scoring.tick(now_);
    const double took = cpu_seconds() - before;
    if (scored != hosts_ * kBoardsOfHost)
      throw std::runtime_error(fmt::format("{} of {} boards were scored", scored, hosts_ * kBoardsOfHost));
    must(store_->append(scores_));
    scores_.clear();
    return took;
  }
  Json live_score() {
    live_.apply({});
    const auto& report = live_.current()->boards.front().health;
    return report && report->overall ? Json(*report->overall) : Json(nullptr);
  }

  std::filesystem::path folder_;
  std::uint32_t hosts_;
  std::chrono::seconds interval_;
  std::unique_ptr<sqlite::SqliteStore> store_;
  Counting reads_{*store_};
  double stories_s_ = 0;
  SimulatedRows host_rows_;
  pipeline::LiveView live_;
  std::unique_ptr<services::BoardStories> stories_;
  store::Columns known_;
  std::vector<store::Columns> columns_;
  std::vector<RowBatch> rows_, scores_;
  Timestamp now_ = kStart;
};

}  // namespace
}  // namespace ghm

int main(int argc, char** argv) {
  using namespace ghm;
  if (argc < 5) {
    fmt::print(stderr, "usage: {} FOLDER GPUS DAYS INTERVAL-SECONDS\n", argv[0]);
    return 2;
  }
  Bench bench(argv[1], static_cast<std::uint32_t>(std::stoul(argv[2])), std::chrono::seconds(std::stoul(argv[4])));
  const auto end = kStart + std::chrono::days(std::stoul(argv[3]));
  bench.lived_until(end - 2h);
  bench.live_until(end);
  fmt::print("{}\n", bench.rounds().dump(2));
}
