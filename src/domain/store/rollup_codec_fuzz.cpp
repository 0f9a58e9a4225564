// Any bytes are a block of rollups or an error. What is a block must come back from its own encoding to the last bit.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "domain/store/rollup_codec.h"

namespace {

bool same(const ghm::store::RollupSeries& a, const ghm::store::RollupSeries& b) {
  return a.name == b.name && a.rollups == b.rollups;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A few bytes may claim hundreds of rollups in thousands of series, which a reader takes one at a time; here all are held.
  const auto reader = ghm::store::RollupReader::open(bytes);
  if (!reader || reader->series() > 1000) return 0;
  const auto block = ghm::store::decode_rollups(bytes);
  if (!block) return 0;
  const auto again = ghm::store::decode_rollups(ghm::store::encode_rollups(*block));
  if (!again || again->start != block->start || again->width != block->width || !std::ranges::equal(again->series, block->series, same))
    std::abort();
  return 0;
}
