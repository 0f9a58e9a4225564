#include "adapters/scrape/gunzip.h"

#include <zlib.h>

#include <limits>

namespace ghm::scrape {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;  // zlib: 16 asks for the gzip frame

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&z, kGzip) == Z_OK; }
  ~Inflater() { inflateEnd(&z); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ready() const { return ready_; }
  z_stream z{};

 private:
  bool ready_ = false;
};

}  // namespace

std::optional<std::string_view> gunzip(std::string_view in, Buffer& out, std::size_t limit, bool& too_long) {
  too_long = false;
  Inflater inflater;
  if (!inflater.ready() || in.size() > std::numeric_limits<uInt>::max()) return std::nullopt;
  z_stream& z = inflater.z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib does not write there
  z.avail_in = static_cast<uInt>(in.size());
  std::size_t filled = 0;
  out.grow(std::min(4 * in.size() + 4096, limit + 1), 0);  // pages shrink about fifteenfold; doubling does the rest
  while (true) {
    if (filled == out.capacity()) out.grow(out.capacity() + 1, filled);
    const auto room = std::min<std::size_t>(out.capacity() - filled, std::numeric_limits<uInt>::max());
    z.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    z.avail_out = static_cast<uInt>(room);
    const int said = inflate(&z, Z_NO_FLUSH);
    filled += room - z.avail_out;
    if ((too_long = filled > limit)) return std::nullopt;
    if (said == Z_STREAM_END && z.avail_in == 0) return std::string_view(out.data(), filled);
    if (said == Z_STREAM_END) {
      if (inflateReset(&z) != Z_OK) return std::nullopt;
    } else if (said != Z_OK || (z.avail_in == 0 && z.avail_out > 0)) {
      return std::nullopt;
    }
  }
}

}  // namespace ghm::scrape
