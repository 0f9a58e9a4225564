// Any bytes, in one piece or byte by byte: the same requests come out. (A refusal may come sooner in one piece: in pieces
// a head is looked at when its end is there.)
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "adapters/http/request_reader.h"

namespace {

using ghm::http::RequestReader;

// What a server would see of `bytes` when at most `step` of them arrive at a time.
std::vector<std::string> read_all(std::string_view bytes, std::size_t step) {
  // A head near its limit is refused or not by how it arrives; bodies are counted exactly.
  RequestReader reader({1u << 20, 512});
  std::vector<std::string> seen;
  std::string waiting;
  for (std::size_t at = 0; at < bytes.size();) {
    waiting += bytes.substr(at, step);
    at += step;
    for (bool more = true; more;) {
      std::size_t used = 0;
      const auto state = reader.read(waiting, used);
      if (used > waiting.size()) std::abort();
      waiting.erase(0, used);
      more = state == RequestReader::State::done;
      if (state == RequestReader::State::refused) {
        if (reader.refusal().status < 400) std::abort();
        return seen;
      }
      if (!more) continue;
      const auto& q = reader.request();
      seen.push_back(q.method + " " + q.path + " " + std::to_string(q.query.size()) + " " + std::to_string(q.headers.size()) + " " +
                     q.body);
      if (q.body.size() > 512) std::abort();
      reader.reset();
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (read_all(bytes, size + 1) != read_all(bytes, 1)) std::abort();
  return 0;
}
