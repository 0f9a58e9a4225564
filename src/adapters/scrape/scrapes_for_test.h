#pragma once
#include <zlib.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "adapters/scrape/exporter_for_test.h"
#include "adapters/scrape/scraper.h"

namespace ghm::scrape::test {

using namespace std::chrono_literals;

inline std::string gzip(const std::string& text) {
  std::string out(text.size() + 100, '\0');
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// What a sink saw, copied.
struct Seen {
  std::string target, page, error, simulated;
  Timestamp at{};
  std::chrono::microseconds took{};
  std::chrono::steady_clock::time_point when;
};

/// A scraper with short rounds whose scrapes are kept.
struct Rig {
  explicit Rig(ScraperSettings s = {.interval = 120ms, .timeout = 100ms, .max_page = 64u << 20}) : settings(s) {}
  ~Rig() { scraper.stop(); }

  telemetry::Target target(const std::string& address, telemetry::ScrapeAccess access = {}) {
    return {address, {}, std::make_shared<telemetry::ScrapeAccess>(std::move(access))};
  }
  /// The first scrape of `address`, with its port written as PORT.
  Seen first(const std::string& address, telemetry::ScrapeAccess access = {}) {
    scraper.set_targets({target(address, std::move(access))});
    const auto before = seen.size();
    EXPECT_TRUE(run_until(
        io, [&] { return seen.size() > before; }, settings.interval + 5s))
        << "no scrape in time";
    if (seen.size() == before) return {};
    return with_port_hidden(seen[before]);
  }
  Seen first_of(const telemetry::Target& t) const {
    const auto found = std::ranges::find(seen, t.address, &Seen::target);
    return found == seen.end() ? Seen{} : with_port_hidden(*found);
  }
  static Seen with_port_hidden(Seen s) {
    const auto port = s.target.substr(s.target.rfind(':'));
    for (auto at = s.error.find(port); at != s.error.npos; at = s.error.find(port)) s.error.replace(at, port.size(), ":PORT");
    return s;
  }
  bool wait_for(std::size_t n) {
    return run_until(io, [&] { return seen.size() >= n; });
  }
  /// Each of `targets` was read `n` times at least.
  bool wait_for_all(const std::vector<telemetry::Target>& targets, std::ptrdiff_t n) {
    const auto often = [&](const telemetry::Target& t) { return std::ranges::count(seen, t.address, &Seen::target) >= n; };
    return run_until(io, [&] { return std::ranges::all_of(targets, often); });
  }

  asio::io_context io{1};
  ScraperSettings settings;
  std::vector<Seen> seen;
  std::vector<std::string> log_lines;
  Scraper scraper{
      io, settings,
      [this](const Scrape& s) {
        seen.push_back({s.target.address, std::string(s.page), s.error, s.simulated, s.at, s.took, std::chrono::steady_clock::now()});
      },
      Log::to_memory(log_lines)};
};

}  // namespace ghm::scrape::test
