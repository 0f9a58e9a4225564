#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ghm::archive {

/// Rows and cells that were kept out: counted by reason, the first few of each reason named.
class Refusals {
 public:
  static constexpr std::size_t kNamedPerReason = 5;
  /// `why`: one phrase, without what file and line say.
  void add(std::string_view reason, std::string_view file, std::uint64_t line, std::string_view why);

  std::map<std::string, std::uint64_t, std::less<>> counts;
  std::vector<std::string> named;  // "telemetry/a.csv:12: unparsable: power 'x'"
};

}  // namespace ghm::archive
