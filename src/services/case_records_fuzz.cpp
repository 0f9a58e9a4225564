// Any bytes may stand in a record of a repair case: it is refused, or a case whose history replays and is written so that it reads again.
#include <cstdint>
#include <cstdlib>

#include "services/case_records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm;
  const auto now = from_unix_ms(1'800'000'000'000);
  const auto read = services::parse_case({"case", "0000000001", now, std::string(reinterpret_cast<const char*>(data), size)});
  if (!read) return 0;
  const auto& c = read->it;
  const auto again = services::parse_case(services::to_record(c, read->gap ? &*read->gap : nullptr));
  if (!again || again->it != c || again->gap != read->gap) std::abort();
  if (c.is_active() && why_not_proven(c, now).empty() != c.is_proven(now)) std::abort();
  for (const auto& next : next_steps(c, now))
    if (next.to == c.state) std::abort();
  return 0;
}
