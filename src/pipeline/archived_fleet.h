#pragma once
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "adapters/archive/folder.h"
#include "adapters/archive/refusals.h"
#include "domain/health/health.h"

/// The small tables of an archive in memory, for who judges scores or predictions: who was where, what happened, who failed when.
namespace ghm::pipeline {

struct ArchivedBoard {
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  struct Failure {
    double detected = 0, resolved = kNever;  // Unix seconds
  };

  std::string uuid, model;
  std::size_t host = 0;               // of ArchivedFleet::hosts, where it was last
  double from = 0, until = kNever;    // in service; Unix seconds, not before the archive begins
  std::vector<health::Event> events;  // that scores know; drains of its host too
  std::vector<Failure> failures;      // by detection

  /// There, and not known to be broken.
  bool in_service(double t) const;
};

struct ArchivedFleet {
  std::vector<std::string> hosts;
  std::vector<ArchivedBoard> boards;
  std::map<std::string, std::size_t, std::less<>> by_uuid;
  archive::Refusals refusals;
  std::vector<std::string> warnings;

  /// invalid_input: a table without its required columns. Rows that are malformed or name no known board are counted. A board
  /// that is read of twice is one board, in service from its first stay's begin to its last one's end.
  static Result<ArchivedFleet> read(const archive::Folder& folder);
};

/// From a simulated archive's truth folder: from when to when each board showed a sign of a failure to come.
struct Sign {
  double from = 0, until = 0;  // Unix seconds
};
using Signs = std::map<std::string, std::vector<Sign>, std::less<>>;  // by UUID
/// not_found: no failures.csv in the folder. invalid_input: a column is missing, or a time is none.
Result<Signs> read_signs(const std::filesystem::path& truth);

}  // namespace ghm::pipeline
