// Any bytes are a chunk or an error. What is a chunk must come back from its own encoding bit for bit.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "domain/store/chunk_codec.h"
#include "domain/telemetry/page.h"

namespace {

using ghm::store::Chunk, ghm::store::ChunkColumn;

bool same(const ChunkColumn& a, const ChunkColumn& b) {
  return a.name == b.name && a.values.size() == b.values.size() &&
         (a.values.empty() || std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(double)) == 0);
}

// What an encoder leaves out: columns without a value.
void drop_empty(Chunk& chunk) {
  std::erase_if(chunk.columns, [](const ChunkColumn& c) { return std::ranges::all_of(c.values, ghm::telemetry::is_absent); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // A few bytes may claim millions of rows in thousands of columns, which a reader takes one at a time; here all are held.
  const auto reader = ghm::store::ChunkReader::open(bytes);
  if (!reader || reader->times().size() * reader->columns() > 1 << 20) return 0;
  auto chunk = ghm::store::decode_chunk(bytes);
  if (!chunk) return 0;
  drop_empty(*chunk);
  const auto again = ghm::store::decode_chunk(ghm::store::encode_chunk(*chunk));
  if (!again || again->times != chunk->times || !std::ranges::equal(again->columns, chunk->columns, same)) std::abort();
  return 0;
}
