// Any bytes as a journal row: listed and read, or refused. The same row a second time says the same.
#include "adapters/sqlite/journal.h"

#include <bit>
#include <cstdlib>
#include <map>

namespace {

using namespace ghm;
using namespace ghm::sqlite;

ColumnSets three_sets() {
  ColumnSets sets;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    std::vector<SeriesKey> keys;
    for (std::uint32_t metric = 0; metric < id * 2; ++metric) keys.push_back({BoardId{id}, {}, telemetry::MetricId(150 + metric)});
    sets.restore(id, std::make_shared<const std::vector<SeriesKey>>(std::move(keys)));
  }
  return sets;
}

/// A number that any difference in what was read changes; 0 when the row was refused.
std::uint64_t read_all(std::string_view row, const ColumnSets& sets) {
  std::map<std::uint32_t, ChainReader> chains;
  std::uint64_t told = 1;
  const auto done = list_rows(1, row, sets, [&](std::uint32_t source, const RowRef& ref) -> Result<void> {
    if (std::uint64_t{ref.offset} + ref.length > row.size() || ref.columns == nullptr) std::abort();
    auto& chain = chains[source];
    const auto values = chain.read(ref, row);
    if (!values) {
      if (values.error().code != Errc::corrupt) std::abort();
      chain.broken();
      return {};
    }
    if (!values->empty() && values->size() != ref.columns->size()) std::abort();
    for (const double v : *values) told = told * 31 + std::bit_cast<std::uint64_t>(v);
    return {};
  });
  return done ? told : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto sets = three_sets();
  const std::string_view row(reinterpret_cast<const char*>(data), size);
  if (read_all(row, sets) != read_all(row, sets)) std::abort();
  return 0;
}
