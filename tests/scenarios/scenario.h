#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "domain/faults/incident_book.h"

/// Stories of a site, told in lines: at this time, this sign; expect this incident, this cause, this action. tests/scenarios/README.md
/// has the grammar.
namespace ghm::scenarios {

struct Site {
  int hosts = 8, gpus = 8, rack = 4, feed = 0;  // hosts per rack; racks per feed, 0: feeds are not known
  bool fabric = false;                          // racks are NVLink domains
  std::string driver = "570.86.15";
};

/// One line, taken apart.
struct Line {
  std::size_t number = 0;
  std::string text;
  Timestamp at{};
  enum class Kind : std::uint8_t { happens, expect, operator_says } kind{};
  std::vector<std::string> words;  // behind the time
};

struct Scenario {
  std::string file;
  Site site;
  std::vector<Line> lines;
};

/// Every complaint is "file:line: sentence", all at once, a line each.
Result<Scenario> parse(std::string_view text, std::string_view file);

/// Plays it. What was not as expected, and words that mean nothing, are sentences with file and line; empty: all as told.
std::vector<std::string> play(const Scenario& scenario);

}  // namespace ghm::scenarios
