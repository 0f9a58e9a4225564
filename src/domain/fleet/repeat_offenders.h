#pragma once
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "domain/telemetry/identity.h"

/// What fails again and again, whoever repaired it: a board, the slot that boards stand in, or a host.
namespace ghm::fleet {

/// Something that happened to a board (or to a host as such): an incident that was opened or opened again, or a repair.
struct Trouble {
  enum class What : unsigned char { incident, reopened, repair, relapse };
  Timestamp at{};
  What what{};
  telemetry::BoardId board{};  // none: the host
  std::string gpu, host, pci;  // where it stood then; pci empty: not known
  std::string slot;            // "h1/3", for people; may be empty
  std::string model, family;
};

enum class OffenderBy : unsigned char { serial, slot, host };
std::optional<OffenderBy> offender_by_named(std::string_view word);
std::string_view to_string(OffenderBy by);

struct Offender {
  std::string name;  // serial, "h1/3" or host
  std::string gpu, host, slot, model;
  std::size_t incidents = 0, reopened = 0, cases = 0, relapses = 0;
  std::size_t boards = 0;  // that it happened to
  std::set<std::string> faults;
  Timestamp last{};
  std::size_t bad() const { return incidents + reopened + relapses; }
};

/// Those with at least two incidents, reopenings and relapses together, the worst first, at most `most`. What follows programs and
/// monitoring (families application, job, monitoring) is not counted: it says nothing about the place. O(n log n).
std::vector<Offender> repeat_offenders(std::span<const Trouble> all, OffenderBy by, std::size_t most);

/// "2 incidents, 1 opened again, 1 repair, 1 relapse after a repair in 30 days: memory, pcie; on 2 boards".
std::string says(const Offender& offender, OffenderBy by, int days);

}  // namespace ghm::fleet
