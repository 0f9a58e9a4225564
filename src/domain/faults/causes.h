#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/faults/sign.h"

/// Which cause explains an incident: naive Bayes over declared likelihoods (data/faults/causes.csv, evidence.csv), each with its
/// source. P(cause | evidence) is the prior times, for every evidence, its likelihood where it is there and one minus it where it
/// could have been seen and is not. Evidence is not independent; kTemper takes account of that: it shrinks all log ratios.
namespace ghm::faults {

inline constexpr double kTemper = 0.8;
/// Below this probability, or without an evidence of its own, the first cause is not named: the answer is "cannot tell".
inline constexpr double kLeastToTell = 0.5;
inline constexpr std::string_view kUnknown = "unknown";

/// Whose fault it is.
enum class Side : std::uint8_t { application, driver, hardware, facility, monitoring, unknown };
inline constexpr std::size_t kSides = 6;
std::string_view to_string(Side s);

struct Cause {
  std::string name;  // "memory_worn_out"
  Side side{};
  double prior = 0;         // relative frequency of such incidents
  Action action{}, then{};  // first, and when it came back or kept on
  std::string sources;      // ids of sources.csv
  std::string says;
};

class CauseTable {
 public:
  /// `causes` and `evidence` in the shape of the data files; names of files are for complaints.
  struct File {
    std::string_view text, name;
  };
  static Result<CauseTable> parse(File causes, File evidence, const EvidenceTable& signs);
  static const CauseTable& built_in();

  const std::vector<Cause>& causes() const { return causes_; }  // "unknown" last
  std::optional<std::size_t> find(std::string_view name) const;
  double likelihood(std::size_t cause, EvidenceId e) const { return likelihood_[cause][e]; }
  /// Empty where no likelihood was declared and chance stands in.
  std::string_view source(std::size_t cause, EvidenceId e) const { return source_[cause][e]; }
  const EvidenceTable& evidence() const { return *signs_; }

 private:
  const EvidenceTable* signs_ = nullptr;
  std::vector<Cause> causes_;
  std::vector<std::array<double, kMostEvidence>> likelihood_;
  std::vector<std::array<std::string, kMostEvidence>> source_;
};

/// What is known of an incident, as evidence.
struct Facts {
  EvidenceSet present, unknowable;  // unknowable: nobody could have seen it, so that its absence says nothing
  std::array<int, kMostEvidence> count{};
  EvidenceId leading{};    // the sign that the incident is named after
  bool escalated = false;  // it came back, or a code repeated more often than its catalogue row allows
};

struct Weighed {
  EvidenceId what{};
  bool present = true;
  double weight = 0;  // ln of how much more likely under this cause than under the others; > 0 speaks for it
  std::string_view source;
};

struct RankedCause {
  std::size_t cause = 0;  // of CauseTable::causes()
  double probability = 0;
  Action action{};
  std::vector<Weighed> evidence_for, evidence_against;  // what was seen, then what was not; the weightiest of each first; at most 6
};

struct Ranking {
  std::vector<RankedCause> causes;  // the likeliest first, without "unknown"; at most 5
  bool cannot_tell = true;
  double unknown = 1;  // probability that it is none of these
  std::array<double, kSides> sides{};
  Side side{};  // whose fault it is; unknown below kLeastToTell
  Action action{};
};

/// What operators said about causes that were named. It shifts the priors: a cause that was confirmed c and denied d times for
/// incidents with the same leading sign weighs (5 + c) / (5 + d) as much, never less than 1/3 or more than 3 times. Bounded: one
/// pair of numbers per leading sign and cause.
class Experience {
 public:
  void add(EvidenceId leading, std::size_t cause, bool right);
  double shift(EvidenceId leading, std::size_t cause) const;

 private:
  struct Words {
    int right = 0, wrong = 0;
  };
  std::map<std::pair<EvidenceId, std::size_t>, Words> words_;
};

/// O(causes · evidence), ~5 µs.
Ranking rank(const CauseTable& table, const Facts& facts, const Experience& experience = {});

}  // namespace ghm::faults
