// Any bytes give a request or a sentence; what was read says the same when it is written and read again. The bytes are tried
// as a body, and as the message inside one, so that the fuzzer need not invent snappy.
#include <snappy.h>

#include <cstdlib>

#include "adapters/remote_write/encoder_for_test.h"

namespace {

void try_body(std::string_view body) {
  using namespace ghm::remote_write;
  const auto read = decode(body);
  if (!read) {
    if (read.error().what.empty()) std::abort();
    return;
  }
  const auto again = decode(test::body_of(*read));
  if (!again || test::encode(*again) != test::encode(*read)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_body(bytes);
  try_body(ghm::remote_write::test::pack(bytes));
  return 0;
}
