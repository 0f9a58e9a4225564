#include "adapters/yaml/nearest_key.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace ghm::config {
namespace {

constexpr std::size_t kLongestKey = 64;  // longer ones are no typing mistakes

// Letters to change, add or drop; one row of the table at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

// "password" for password_file, "targets_file" for targets.
bool contains(std::string_view a, std::string_view b) {
  return b.size() >= 4 && a.find(b) != a.npos;
}

}  // namespace

std::string nearest_key(std::string_view key, const std::set<std::string>& known) {
  if (key.size() > kLongestKey) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, key.size() / 3) + 1;
  for (const auto& candidate : known) {
    const bool near = contains(candidate, key) || contains(key, candidate);
    const std::size_t d = near ? std::min<std::size_t>(1, distance(key, candidate)) : distance(key, candidate);
    if (d >= least) continue;
    least = d;
    best = candidate;
  }
  return best;
}

}  // namespace ghm::config
