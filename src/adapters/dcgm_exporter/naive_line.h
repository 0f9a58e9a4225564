#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The text format read the obvious way: an own grammar, own numbers (strtod), own everything, so that it can be the
/// oracle of the quick one and the baseline of the benchmark.
namespace ghm::dcgm_exporter {

struct NaiveLine {
  std::string text, name, rest;
  std::map<std::string, std::string> labels;
  bool whole = true;
  bool is_number = false, has_stamp = false;
  double value = 0;
  std::int64_t stamp = 0;
};

/// The page's lines, trimmed, without empty ones.
std::vector<std::string> naive_lines(std::string_view page);

NaiveLine parse_naive_line(const std::string& text);

}  // namespace ghm::dcgm_exporter
