// Any bytes are a sequence of rows or an error. What is a row must come back from its own encoding bit for bit.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "domain/store/row_codec.h"

namespace {

bool same(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::store;
  if (size == 0) return 0;
  const std::size_t columns = data[0];
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  RowState read, written, again;
  while (!rest.empty()) {  // a length byte, then a row
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(rest[0]), rest.size() - 1);
    const auto row = rest.substr(1, length);
    rest.remove_prefix(1 + length);
    if (!decode_row(row, columns, read)) return 0;
    std::string bytes;
    written.size() == columns ? encode_next_row(read.values(), written, bytes) : encode_key_row(read.values(), written, bytes);
    if (!decode_row(bytes, columns, again) || !same(again.values(), read.values())) std::abort();
  }
  return 0;
}
