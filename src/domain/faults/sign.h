#pragma once
#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "domain/faults/catalogue.h"
#include "domain/telemetry/identity.h"

/// What says that something is wrong, in one vocabulary: data/faults/signs.csv.
namespace ghm::faults {

using telemetry::BoardId;

/// Signs of one family tell about the same part of a machine. `context` is no sign: what an incident looks like as a whole.
enum class Family : std::uint8_t {
  memory,
  pcie,
  nvlink,
  thermal,
  power,
  firmware,
  software,
  application,
  silence,
  monitoring,
  job,
  test,
  other,
  context
};
inline constexpr std::size_t kFamilies = 14;
std::string_view to_string(Family f);
/// nullopt for a word that is no family of signs; `context` is none.
std::optional<Family> family_named(std::string_view word);
using Families = std::bitset<kFamilies>;

/// Place of an evidence in the table: signs first, then contexts.
using EvidenceId = std::uint8_t;
inline constexpr std::size_t kMostEvidence = 64;
using EvidenceSet = std::bitset<kMostEvidence>;

struct EvidenceSpec {
  std::string word;  // "row_remapped", "many_hosts"
  Family family{};
  Severity severity{};
  double by_chance = 0;  // share of incidents of any other cause that have it, 0 < p < 1
  std::string says;      // "a memory row remapped, or a page retired"
};

class EvidenceTable {
 public:
  static Result<EvidenceTable> parse(std::string_view csv, std::string_view file);
  static const EvidenceTable& built_in();  // data/faults/signs.csv

  std::optional<EvidenceId> find(std::string_view word) const;
  const EvidenceSpec& operator[](EvidenceId id) const { return specs_[id]; }
  std::size_t size() const { return specs_.size(); }

 private:
  std::vector<EvidenceSpec> specs_;
  std::map<std::string, EvidenceId, std::less<>> by_word_;
};

/// The id of a word that this program itself uses; a word that is not in the built-in table is a bug.
EvidenceId evidence(std::string_view word);

/// One sign, with what is known of where it stands. Texts are empty and numbers 0 (link, nvswitch: -1) where nobody said.
struct Sign {
  std::string id;  // of the event that it came from
  Timestamp at{};
  EvidenceId what{};
  Severity severity{};
  BoardId board{};  // none: about the host
  std::string gpu;  // its serial or UUID
  std::string host, rack, feed;
  std::string fabric;  // boards that share NVLinks beyond a host: an NVLink domain
  std::string job, process, text;
  int pid = 0;
  int link = -1, nvswitch = -1;
  int code = 0;  // of `kind`; 0: none
  CodeKind kind{};
  int boards_on_host = 0;
  bool simulated = false;         // of a simulated board or host
  bool new_driver = false;        // it changed within the last seven days
  bool no_answer_at_all = false;  // of a host's silence: connections fail, not only the page
};

/// What explicitly says that something is over. Silence about a fault never does.
enum class Ending : std::uint8_t {
  gpu_reset,
  host_reboot,
  test_passed,
  gpu_returned,
  source_returned,
  reading_normal,  // an anomaly ended
  job_ran,         // the board worked again for a while without a sign
  replaced
};
inline constexpr std::size_t kEndings = 8;
std::string_view to_string(Ending e);
std::optional<Ending> ending_named(std::string_view word);

struct EndingSeen {
  std::string id;
  Timestamp at{};
  Ending what{};
  BoardId board{};  // none: all of the host
  std::string host, text;
  std::optional<EvidenceId> sign;  // of a reading that is normal again: only this sign ends
};

/// The families whose trouble it ends.
Families ended_by(Ending e);
/// Whether it ends a sign of a board that is not well.
bool ends(const EndingSeen& ending, EvidenceId sign);
/// Signs that follow from others and open no story of their own where one is told already.
bool is_follower(Family f);

/// The sign that an anomaly's sentence tells ("<board>: PCIe replays: 40 in …"), or nullopt when it tells none.
std::optional<EvidenceId> sign_of_anomaly(std::string_view detail);

}  // namespace ghm::faults
