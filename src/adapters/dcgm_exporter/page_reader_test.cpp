#include "adapters/dcgm_exporter/page_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "adapters/dcgm_exporter/naive_line.h"
#include "adapters/dcgm_exporter/reading_text.h"
#include "adapters/dcgm_exporter/sample_page.h"

namespace ghm::dcgm_exporter {
namespace {

const telemetry::MetricCatalogue& catalogue() {
  return telemetry::MetricCatalogue::built_in();
}

sample::Host small_host() {
  return {.name = "n1", .gpus = 2, .families = 6, .links = 2, .switches = 1, .cpus = 1, .mig = false, .xids = true};
}

TEST(PageReader, TakesTheTemplatePathWhilePagesLookAlike) {
  PageReader reader(catalogue(), make_layout_pool());
  const sample::Host host{.name = "n1", .gpus = 8, .families = 110, .xids = true};
  const auto first = reader.read(sample::page(host, 1)).layout;
  for (unsigned scrape = 2; scrape < 12; ++scrape) {
    const auto page = sample::page(host, scrape);
    auto& reading = reader.read(page);
    EXPECT_EQ(reading.layout, first);
    EXPECT_EQ(text_of(reading), text_of(read_naive(page, catalogue())));
  }
  EXPECT_EQ(reader.stats().careful_pages, 1u);
  EXPECT_EQ(reader.stats().template_pages, 10u);
}

TEST(PageReader, KnowsEveryOrderOfGroupsAfterAWhile) {
  PageReader reader(catalogue(), make_layout_pool());
  sample::Host host = small_host();
  host.switches = host.cpus = 0;  // two groups, two orders
  const auto layout = reader.read(sample::page(host, 0)).layout;
  for (unsigned scrape = 1; scrape < 40; ++scrape)
    EXPECT_EQ(reader.read(sample::page(host, scrape)).layout, layout) << "the order of groups is no part of the layout";
  EXPECT_EQ(reader.stats().careful_pages, 2u);
}

TEST(PageReader, SharesTablesBetweenHostsAndNothingElse) {
  const auto pool = make_layout_pool();
  PageReader a(catalogue(), pool), b(catalogue(), pool);
  sample::Host host = small_host();
  const auto first = a.read(sample::page(host, 0)).layout;
  host.name = "n2";
  const auto second = b.read(sample::page(host, 1)).layout;
  EXPECT_EQ(first->table, second->table);
  EXPECT_NE(first, second);
  EXPECT_NE(first->gpus[0].uuid, second->gpus[0].uuid);
}

TEST(PageReader, AnotherLayoutIsAnotherObjectAndTheOldOneComesBack) {
  PageReader reader(catalogue(), make_layout_pool());
  sample::Host host = small_host();
  const auto both = sample::page(host, 0);
  host.gpus = 1;  // the second GPU fell off the bus
  const auto one = sample::page(host, 0);
  const auto full = reader.read(both).layout;
  EXPECT_NE(reader.read(one).layout, full);
  EXPECT_EQ(reader.read(one).layout->gpus.size(), 1u);
  EXPECT_EQ(reader.read(both).layout, full);
}

TEST(PageReader, KeepsRefusedTextsOnTheTemplatePath) {
  PageReader reader(catalogue(), make_layout_pool());
  const std::string page =
      "DCGM_FI_DEV_SM_CLOCK{gpu=\"0\"} ERROR - FAILED TO CONVERT TO STRING\nnode_load1 0.5\nDCGM_FI_DEV_GPU_TEMP{gpu=\"0\"} 41\n";
  const auto first = text_of(reader.read(page));
  auto later = page;
  later.replace(later.find("0.5"), 3, "11.25");
  EXPECT_EQ(text_of(reader.read(later)), first);
  EXPECT_EQ(reader.stats().template_pages, 1u);
}

TEST(PageReader, CallersMayChangeTheReading) {
  PageReader reader(catalogue(), make_layout_pool());
  const auto page = sample::page(small_host(), 0);
  const auto want = text_of(reader.read(page));
  for (int i = 0; i < 3; ++i) {
    auto& reading = reader.read(page);
    EXPECT_EQ(text_of(reading), want);
    reading.values.assign(reading.values.size(), telemetry::absent());
    reading.refused.push_back({});
  }
}

TEST(PageReader, OrderOfLinesIsNoPartOfTheMeaning) {
  auto other = small_host();
  other.name = "n2";  // a federated page: the same indices and addresses on another host
  std::vector<std::string> lines;
  for (const auto& text : naive_lines(sample::page(small_host(), 1) + sample::page(other, 2)))
    if (text[0] != '#') lines.push_back(text + '\n');
  lines.push_back("DCGM_FI_DEV_FB_USED{gpu=\"1\",Hostname=\"n1\"} 5\n");                  // only an index
  lines.push_back("DCGM_FI_DEV_FB_USED{pci_bus_id=\"0000:18:00\",Hostname=\"n2\"} 6\n");  // only an address
  lines.push_back("DCGM_FI_DEV_FB_FREE{gpu=\"7\"} 7\n");                                  // a GPU of its own
  const auto joined = [&] { return std::accumulate(lines.begin(), lines.end(), std::string()); };
  const auto want = text_of(read_careful(joined(), catalogue()));
  EXPECT_EQ(read_careful(joined(), catalogue()).layout->gpus.size(), 5u);
  std::minstd_rand random(1);
  for (int i = 0; i < 50; ++i) {
    std::ranges::shuffle(lines, random);
    ASSERT_EQ(text_of(read_careful(joined(), catalogue())), want);
  }
}

/// Damage as it happens on wires and in exporters: bytes, lines, order.
class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}

  std::string to(std::string page) {
    for (auto times = random_() % 3; times > 0; --times) once(page);
    return page;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  std::pair<std::size_t, std::size_t> line_of(const std::string& page) {
    const auto from = page.rfind('\n', below(page.size()));
    const auto start = from == std::string::npos ? 0 : from + 1;
    return {start, std::min(page.find('\n', start), page.size() - 1) + 1 - start};
  }
  void once(std::string& page) {
    constexpr std::string_view kBytes = " \"\\{},=}\n\r\t0159.-eN#_x";
    if (page.empty()) return;
    const auto at = below(page.size());
    const auto [start, length] = line_of(page);
    switch (random_() % 7) {
      case 0: page[at] = static_cast<char>(page[at] ^ 1 << random_() % 8); break;
      case 1: page[at] = kBytes[below(kBytes.size())]; break;
      case 2: page.insert(at, 1, kBytes[below(kBytes.size())]); break;
      case 3: page.erase(start, length); break;
      case 4: page.insert(below(page.size()), page.substr(start, length)); break;
      case 5: page.insert(line_of(page).first, page.substr(start, length)); break;
      default: page.resize(at);
    }
  }
  std::minstd_rand random_;
};

TEST(PageReader, AllPathsAgreeOnDamagedPages) {
  const auto pool = make_layout_pool();
  std::uint64_t by_template = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    auto host = small_host();
    host.mig = seed % 3 == 0;
    host.xids = seed % 2 == 0;
    if (seed % 4 < 3) host.switches = host.cpus = 0;
    PageReader reader(catalogue(), pool);
    Damage damage(seed);
    for (unsigned scrape = 0; scrape < 20; ++scrape) {
      const auto whole = sample::page(host, seed * 100 + scrape);
      const auto page = damage.to(whole);
      reader.read(whole);
      const auto want = text_of(read_naive(page, catalogue()));
      ASSERT_EQ(text_of(read_careful(page, catalogue())), want) << page;
      ASSERT_EQ(text_of(reader.read(page)), want) << page;
    }
    by_template += reader.stats().template_pages;
  }
  EXPECT_GT(by_template, 500u) << "the template path was hardly tried";
}

}  // namespace
}  // namespace ghm::dcgm_exporter
