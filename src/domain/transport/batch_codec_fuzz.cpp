// Any bytes are batches or sentences. What was read must come back from its own encoding.
// Input: pieces with two bytes of length before each, every one a batch (with or without its zstd frame) for the same decoder.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "domain/transport/batch_codec.h"
#include "domain/transport/host_round_for_test.h"

namespace {

std::string in_a_frame(std::string_view piece) {
  std::string out(ZSTD_compressBound(piece.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), piece.data(), piece.size(), 1));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::transport;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  BatchDecoder decoder, again;
  BatchEncoder encoder;
  while (rest.size() >= 2) {
    const std::size_t length = static_cast<std::uint8_t>(rest[0]) + 256u * static_cast<std::uint8_t>(rest[1]);
    const auto piece = rest.substr(2, length);
    rest.remove_prefix(2 + piece.size());
    (void)PackedBatch::open(piece);
    const auto packed = PackedBatch::open(in_a_frame(piece));
    if (!packed) continue;
    const auto batch = decoder.decode(*packed);
    if (!batch) return 0;
    if (batch->stands_alone) encoder.reset();
    const auto back = PackedBatch::open(encoder.encode(batch->header, batch->rounds));
    if (!back) std::abort();
    const auto same = again.decode(*back);
    if (!same || same->rounds.size() != batch->rounds.size()) std::abort();
    for (std::size_t i = 0; i < same->rounds.size(); ++i)
      if (!test::same_round(same->rounds[i], batch->rounds[i])) std::abort();
  }
  return 0;
}
