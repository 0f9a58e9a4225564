#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/faults/action.h"

/// What the codes of driver, switch, DCGM and NVML mean, as data: data/faults/*.csv, and a site's own rows over them.
namespace ghm::faults {

enum class Severity : std::uint8_t { info, warning, error, critical };
std::string_view to_string(Severity severity);
/// Who is at fault, most likely, when the code comes alone.
enum class Origin : std::uint8_t { hardware, driver, application, ambiguous };
std::string_view to_string(Origin origin);

enum class CodeKind : std::uint8_t { xid, sxid, dcgm_health, recovery_action };
inline constexpr std::size_t kCodeKinds = 4;
std::string_view to_string(CodeKind kind);

/// Releases from <= release <= to; 0: no limit on that side. "550-", "525-549", "-470", "570".
struct DriverRange {
  int from = 0, to = 0;
  bool holds(int release) const { return release >= from && (to == 0 || release <= to); }
  friend bool operator==(DriverRange, DriverRange) = default;
};

/// From the older to the newer architecture, both included; empty: no limit. "Ampere-", "-Hopper", "Volta-Ampere".
struct ArchitectureRange {
  std::string from, to;
  bool holds(std::string_view architecture) const;  // true for one that is not known
};

/// What a code tells about a board, if more than once.
struct Escalation {
  int repeats = 0;  // so many within `within`; 0: it does not escalate
  std::chrono::milliseconds within{};
  Action then{};
};

struct Code {
  CodeKind kind{};
  int code = 0;
  std::string name;  // "row_remap_or_page_retire_failed"
  std::string
      component;  // the column `class`: memory nvlink pcie_bus gsp_firmware thermal_power compute_engine driver application security other
  Origin origin{};
  Severity severity{};
  Action first_action{};
  Escalation escalation;
  std::chrono::milliseconds counts_for{};  // its age limit: how long one event says something about the board
  ArchitectureRange architectures;         // that can print it
  DriverRange drivers;                     // whose numbering this row is of
  std::string source;                      // an id of data/faults/sources.csv, or the site's file
  std::string sign;                        // what it tells, a word of data/faults/signs.csv; empty: nothing is wrong
};

/// Where a number came from, so that it is read by the right numbering.
struct SeenOn {
  int driver = 0;  // major release, 0: not known
  std::string_view architecture;
};
/// "570.86.15" -> 570; 0 where it is none.
int release_of(std::string_view driver_version);

struct Meaning {
  const Code* code = nullptr;  // nullptr: not in the catalogue
  /// False where several numberings have this code and the driver is not known (the newest is taken then), or where
  /// driver or architecture are outside the row's limits.
  bool certain = false;
};

class FaultCatalogue {
 public:
  /// The catalogue carried in the binary.
  static const FaultCatalogue& built_in();
  static Result<FaultCatalogue> parse(CodeKind kind, std::string_view csv, std::string_view file);

  /// A site's own rows over these, from a file of the same shape; the first column's name says of which kind its codes are. A code
  /// that is here (with the same drivers) keeps what an empty cell does not say; a new one needs name, class, likely_origin,
  /// severity and first_action. All complaints at once, a line each: "site.csv:3: severity 'bad': expected …".
  Result<FaultCatalogue> with_site(std::string_view csv, std::string_view file) const;

  /// O(log n).
  Meaning find(CodeKind kind, int code, SeenOn where = {}) const;
  std::vector<const Code*> all(CodeKind kind) const;
  std::size_t size() const;
  /// Of the data files together, "2026.11.1"; "+site" when a site's rows are in it.
  const std::string& version() const { return version_; }
  /// The source's title and state, for an id; empty for one that is not known.
  std::string source_text(std::string_view id) const;

 private:
  Result<void> add(CodeKind kind, std::string_view csv, std::string_view file, bool site);
  using Key = std::pair<CodeKind, int>;
  std::map<Key, std::vector<Code>> codes_;  // by driver, oldest first
  std::map<std::string, std::string, std::less<>> sources_;
  std::string version_ = "none";
};

}  // namespace ghm::faults
