// Any bytes: the three paths must say the same, whatever a template was learnt from. An input may hold several pages,
// parted by a form feed: one reader reads them one after the other, so that templates meet pages that nearly fit.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/dcgm_exporter/reading_text.h"

namespace {

using namespace ghm;
using dcgm_exporter::text_of;

void demand_same(const std::string& got, const std::string& want, const char* path) {
  if (got == want) return;
  std::fprintf(stderr, "%s path:\n%s\nnaive twin:\n%s\n", path, got.c_str(), want.c_str());
  std::abort();
}

void read_all_ways(dcgm_exporter::PageReader& reader, std::string_view page) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  const auto want = text_of(dcgm_exporter::read_naive(page, catalogue));
  demand_same(text_of(dcgm_exporter::read_careful(page, catalogue)), want, "careful");
  demand_same(text_of(reader.read(page)), want, "reader's first");
  demand_same(text_of(reader.read(page)), want, "template");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  dcgm_exporter::PageReader reader(telemetry::MetricCatalogue::built_in(), dcgm_exporter::make_layout_pool());
  for (;;) {
    const auto end = std::min(input.find('\f'), input.size());
    read_all_ways(reader, input.substr(0, end));
    if (end == input.size()) return 0;
    input.remove_prefix(end + 1);
  }
}
