// The way of a page in one thread, without sockets: copy, parse, validate, ledger, durable store, hours sealed into chunks
// and rollups. Prints what it cost and what it left on disk, as JSON. Making the pages is not counted.
//
//   ghm_history_bench FOLDER HOSTS HOURS [OPENMETRICS-FILE]
//
// With a file, the first host's pages are written to it with their times, for the peer (promtool tsdb create-blocks-from).
#include <fmt/format.h>
#include <sys/resource.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/sqlite/sqlite_store.h"
#include "domain/simulation/fleet.h"
#include "pipeline/ingest.h"

namespace ghm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr auto kInterval = 10s;
constexpr Timestamp kStart{std::chrono::milliseconds(1'770'595'200'000)};  // 2026-02-09T00:00:00Z

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Counts the CPU of its life.
class Counted {
 public:
  explicit Counted(double& total) : total_(total), from_(cpu_seconds()) {}
  ~Counted() { total_ += cpu_seconds() - from_; }

 private:
  double& total_;
  double from_;
};

class Run {
 public:
  Run(fs::path folder, std::size_t hosts)
      : folder_(std::move(folder)),
        fleet_(std::move(*simulation::Fleet::create({static_cast<int>(hosts * 8), 1, "healthy", kStart}))),
        store_(std::move(*sqlite::SqliteStore::open(folder_, {}, Log::off()))),
        ingest_({kInterval},
                {[this](pipeline::ToKeep& k) {
                   std::ranges::move(k.rows, std::back_inserter(waiting_.rows));
                   std::ranges::move(k.records, std::back_inserter(waiting_.records));
                   return true;
                 },
                 [](pipeline::LiveUpdate&) { return true; }},
                Log::off()) {
    for (std::size_t h = 0; h < hosts; ++h) targets_.push_back({fmt::format("h{}:9400", h), {}, {}});
  }

  void live_through(Timestamp end, std::ofstream* openmetrics) {
    for (auto now = kStart; now < end; now += kInterval) {
      for (std::size_t h = 0; h < targets_.size(); ++h) page(h, now, h == 0 ? openmetrics : nullptr);
      keep(now);
    }
    keep(end + 1h);
    keep(end + 2h);  // the last hour has been quiet for long enough
    store_.reset();
  }

  Json result() const {
    Json files = Json::object();
    std::map<std::string, std::uintmax_t> bytes;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const auto name = entry.path().filename().string();
      bytes[name.substr(0, name.find_first_of("-."))] += entry.file_size();
    }
    const auto samples = static_cast<double>(samples_);
    return {{"samples", samples_},
            {"pages", pages_},
            {"cpu_s", {{"ingest", ingest_s_}, {"append", append_s_}, {"seal", seal_s_}}},
            {"ns_per_sample", 1e9 * (ingest_s_ + append_s_ + seal_s_) / samples},
            {"samples_per_cpu_s", samples / (ingest_s_ + append_s_ + seal_s_)},
            {"bytes", bytes},
            {"bytes_per_sample_raw", static_cast<double>(bytes["raw"]) / samples},
            {"bytes_per_sample_all", static_cast<double>(bytes["raw"] + bytes["rollup"] + bytes["ghm"]) / samples}};
  }

 private:
  void page(std::size_t host, Timestamp now, std::ofstream* openmetrics) {
    fleet_.advance(host, now);
    page_.clear();
    fleet_.render(host, page_);
    if (openmetrics != nullptr) write_openmetrics(now, *openmetrics);
    const auto before = ingest_.stats().accepted;
    {
      Counted count(ingest_s_);
      received_ = page_;  // what receiving costs at least
      ingest_.on_scrape({targets_[host], now, 1ms, received_, {}, "healthy/1"});
    }
    samples_ += ingest_.stats().accepted - before;
    ++pages_;
  }

  void keep(Timestamp now) {
    {
      Counted count(append_s_);
      if (!store_->put(waiting_.records) || !store_->append(waiting_.rows)) std::abort();
    }
    waiting_ = {};
    Counted count(seal_s_);
    for (;;) {
      const auto more = store_->maintain(now);
      if (!more) std::abort();
      if (!*more) return;
    }
  }

  void write_openmetrics(Timestamp now, std::ofstream& out) {
    for (std::size_t at = 0; at < page_.size();) {
      const auto end = page_.find('\n', at);
      if (page_[at] != '#') out << std::string_view(page_).substr(at, end - at) << ' ' << to_unix_ms(now) / 1000 << '\n';
      at = end + 1;
    }
  }

  fs::path folder_;
  simulation::Fleet fleet_;
  std::unique_ptr<sqlite::SqliteStore> store_;
  pipeline::ToKeep waiting_;
  pipeline::Ingest ingest_;
  std::vector<telemetry::Target> targets_;
  std::string page_, received_;
  double ingest_s_ = 0, append_s_ = 0, seal_s_ = 0;
  std::uint64_t samples_ = 0, pages_ = 0;
};

}  // namespace
}  // namespace ghm

int main(int argc, char** argv) {
  using namespace ghm;
  if (argc < 4) {
    fmt::print(stderr, "usage: {} FOLDER HOSTS HOURS [OPENMETRICS-FILE]\n", argv[0]);
    return 2;
  }
  std::unique_ptr<std::ofstream> openmetrics;
  if (argc > 4) openmetrics = std::make_unique<std::ofstream>(argv[4]);
  Run run(argv[1], std::stoul(argv[2]));
  run.live_through(kStart + std::chrono::hours(std::stoul(argv[3])), openmetrics.get());
  if (openmetrics) *openmetrics << "# EOF\n";
  fmt::print("{}\n", run.result().dump(2));
}
