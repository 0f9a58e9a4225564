// Scores are sorted once; from then on a draw of boards is a weight per board, and one walk over the sorted scores gives its area.
#include "domain/health/evaluation.h"

#include <algorithm>
#include <vector>

#include "domain/health/windows.h"

namespace ghm::health {
namespace {

constexpr double kInterval = 2.5;  // percent left out on each side

std::vector<Rated> worst_first(std::span<const Rated> rated) {
  std::vector<Rated> sorted(rated.begin(), rated.end());
  std::ranges::stable_sort(sorted, {}, &Rated::score);
  return sorted;
}

std::optional<double> ratio(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

// Calls see(bad, good) with the weights that share one score, worst score first.
template <class Weight, class See>
void for_each_score(std::span<const Rated> sorted, Weight weight, See see) {
  for (std::size_t i = 0; i < sorted.size();) {
    double bad = 0, good = 0;
    for (const double score = sorted[i].score; i < sorted.size() && sorted[i].score == score; ++i)
      (sorted[i].bad ? bad : good) += weight(sorted[i].board);
    see(bad, good);
  }
}

template <class Weight>
std::optional<double> area(std::span<const Rated> sorted, Weight weight) {
  double bad = 0, good = 0, pairs = 0;
  for_each_score(sorted, weight, [&](double b, double g) {
    pairs += g * (bad + b / 2);
    bad += b;
    good += g;
  });
  return ratio(pairs, bad * good);
}

double one(std::uint32_t) {
  return 1;
}

// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): the same draws on every machine.
class Draws {
 public:
  std::size_t below(std::size_t n) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::size_t>(z ^ (z >> 31)) % n;
  }

 private:
  std::uint64_t state_ = 1;
};

// The boards that have a score, and how many of them were ever bad.
struct Boards {
  std::vector<std::uint32_t> all;
  std::size_t ever_bad = 0, numbers = 0;
};
Boards boards_of(std::span<const Rated> rated) {
  Boards out;
  std::vector<char> seen;
  for (const auto& r : rated) {
    if (r.board >= seen.size()) seen.resize(r.board + 1u);
    auto& s = seen[r.board];
    if (s == 0) out.all.push_back(r.board);
    if (r.bad && s != 2) ++out.ever_bad;
    s = r.bad ? 2 : std::max(s, char{1});
  }
  out.numbers = seen.size();
  return out;
}

}  // namespace

Outcome fails_within(const Fate& fate, double t, double horizon) {
  const double end = t + horizon;
  if (end > fate.observed_until) return Outcome::unknown;
  const auto next = std::ranges::upper_bound(fate.failures, t);
  if (next != fate.failures.end() && *next <= end) return Outcome::yes;
  return fate.gone_at < end ? Outcome::unknown : Outcome::no;
}

std::optional<double> roc_auc(std::span<const Rated> rated) {
  return area(worst_first(rated), one);
}

std::optional<double> average_precision(std::span<const Rated> rated) {
  double bad = 0, called = 0, sum = 0;
  for_each_score(worst_first(rated), one, [&](double b, double g) {
    bad += b;
    called += b + g;
    sum += b * bad / called;
  });
  return ratio(sum, bad);
}

std::optional<Range> auc_interval(std::span<const Rated> rated, int rounds) {
  const auto sorted = worst_first(rated);
  const auto boards = boards_of(rated);
  if (boards.ever_bad < 2) return std::nullopt;
  Draws draws;
  std::vector<double> areas, weight(boards.numbers);
  for (int spare = rounds; static_cast<int>(areas.size()) < rounds;) {
    std::ranges::fill(weight, 0);
    for (std::size_t i = 0; i < boards.all.size(); ++i) ++weight[boards.all[draws.below(boards.all.size())]];
    if (const auto a = area(sorted, [&](std::uint32_t board) { return weight[board]; })) areas.push_back(*a);
    else if (--spare < 0) return std::nullopt;
  }
  return Range{percentile(areas, kInterval), percentile(areas, 100 - kInterval)};
}

std::optional<double> Confusion::precision() const {
  return ratio(static_cast<double>(bad_called), static_cast<double>(called()));
}
std::optional<double> Confusion::recall() const {
  return ratio(static_cast<double>(bad_called), static_cast<double>(bad()));
}
std::optional<double> Confusion::false_alarms() const {
  return ratio(static_cast<double>(good_called), static_cast<double>(good()));
}

Confusion confusion(std::span<const Rated> rated, double below) {
  Confusion c;
  for (const auto& r : rated) {
    const bool called = r.score < below;
    ++(r.bad ? (called ? c.bad_called : c.bad_missed) : (called ? c.good_called : c.good_left));
  }
  return c;
}

}  // namespace ghm::health
