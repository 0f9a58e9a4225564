// Any bytes as files of a spool: rounds come out or not, the agent never falls, and it goes on.
// Input: a byte that says which file, two bytes of length, the file's text; and again.
#include <cstdint>
#include <cstdlib>

#include "domain/transport/host_round_for_test.h"
#include "domain/transport/machine_for_test.h"
#include "domain/transport/spool.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::transport;
  test::Machine machine(1);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= 3) {
    const auto which = static_cast<std::uint8_t>(rest[0]) % 4;
    const std::size_t length = static_cast<std::uint8_t>(rest[1]) + 256u * static_cast<std::uint8_t>(rest[2]);
    const auto text = rest.substr(3, length);
    rest.remove_prefix(3 + text.size());
    machine.files()[which == 0 ? "agent" : which == 1 ? "position" : segment_name(which)] += text;
  }
  auto spool = Spool::open(machine, {.segment_rounds = 3, .key_every = 2}, test::kStart);
  if (!spool) return 0;
  test::MovingHost host(1, 3, 1);
  for (int i = 0; i < 2; ++i) spool->keep(host.next(0));
  std::size_t rounds = 0;
  for (auto some = spool->waiting(); !some.empty(); some = spool->waiting()) {
    rounds += some.size();
    const auto last = some.back().sequence;
    if (last > spool->stats().last) std::abort();
    spool->taken(last);
    if (!spool->waiting().empty() && spool->waiting().front().sequence <= last) std::abort();
  }
  if (rounds < 2 || !spool->is_empty()) std::abort();
  return 0;
}
