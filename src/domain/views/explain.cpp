#include "domain/views/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "domain/views/board_facts.h"
#include "domain/views/groupings.h"
#include "domain/views/headline.h"
#include "domain/views/hypergeometric.h"

namespace ghm::views {
namespace {

constexpr std::size_t kMostItems = 50;
constexpr double kSurprising = 0.01;

using Values = std::vector<std::string_view>;

struct Attribute {
  std::string_view name, phrase;  // "9 of the 12 are in rack R031"
  void (*values)(const BoardView&, Timestamp now, Values& out);
};

template <std::size_t N>
void by_grouping(const BoardView& v, Timestamp, Values& out) {
  out.push_back(groupings()[N].key(v.board));
}

void jobs_of(const BoardView& v, Timestamp, Values& out) {
  if (!v.work) return;
  for (const auto* list : {&v.work->jobs, &v.work->pods}) out.insert(out.end(), list->begin(), list->end());
}

constexpr std::array kAttributes{
    Attribute{"region", "in region", by_grouping<0>},
    Attribute{"datacenter", "at site", by_grouping<1>},
    Attribute{"rack", "in rack", by_grouping<2>},
    Attribute{"host", "in host", by_grouping<3>},
    Attribute{"model", "of model", by_grouping<4>},
    Attribute{"batch", "of batch", by_grouping<5>},
    Attribute{"driver", "on driver", by_grouping<6>},
    Attribute{"vbios", "on VBIOS", [](const BoardView& v, Timestamp, Values& out) { out.emplace_back(v.board.vbios_version); }},
    Attribute{"job", "at work for", jobs_of},
    Attribute{"age", "of age", [](const BoardView& v, Timestamp now, Values& out) { out.push_back(age_band(v.board, now)); }},
};

struct Count {
  std::size_t chosen = 0, rest = 0;
  std::size_t all() const { return chosen + rest; }
};

/// One attribute over the whole fleet. Boards whose value nobody knows are no part of its test.
struct Counts {
  const Attribute* attribute;
  Count known;
  std::unordered_map<std::string_view, Count> values;

  void add(const BoardView& view, bool is_chosen, Timestamp now, Values& scratch) {
    scratch.clear();
    attribute->values(view, now, scratch);
    std::erase(scratch, std::string_view());
    if (scratch.empty()) return;
    ++(is_chosen ? known.chosen : known.rest);
    for (const auto& value : scratch) {
      auto& count = values[value];
      ++(is_chosen ? count.chosen : count.rest);
    }
  }
  // A value that all have tells nothing, and was not tried.
  bool is_tried(const Count& c) const { return c.all() < known.all(); }
  std::size_t tried() const {
    return static_cast<std::size_t>(std::ranges::count_if(values, [this](const auto& v) { return is_tried(v.second); }));
  }
};

struct Item {
  const Attribute* attribute;
  std::string_view value;
  Count has, known;
  double p_single = 1;
  double share() const { return static_cast<double>(has.chosen) / static_cast<double>(known.chosen); }
  double share_of_rest() const { return known.rest == 0 ? 0 : static_cast<double>(has.rest) / static_cast<double>(known.rest); }
  // nullopt: none of the rest has it.
  std::optional<double> lift() const { return has.rest == 0 ? std::nullopt : std::optional(share() / share_of_rest()); }
};

std::vector<Item> items_of(const Counts& counts, const Hypergeometric& chance) {
  std::vector<Item> out;
  if (counts.known.rest == 0) return out;  // nobody to compare with
  for (const auto& [value, c] : counts.values) {
    Item item{counts.attribute, value, c, counts.known};
    if (c.chosen == 0 || !counts.is_tried(c) || item.share() <= item.share_of_rest()) continue;
    item.p_single = chance.at_least(c.chosen, c.all(), counts.known.chosen, counts.known.all());
    out.push_back(item);
  }
  return out;
}

// The least likely first; of equals the smaller group, which says more.
bool before(const Item& a, const Item& b) {
  if (a.p_single != b.p_single) return a.p_single < b.p_single;
  if (a.has.all() != b.has.all()) return a.has.all() < b.has.all();
  return std::tie(a.attribute, a.value) < std::tie(b.attribute, b.value);
}

std::string text_of(const Item& i, double p) {
  const auto chosen = i.has.chosen == i.known.chosen && i.known.chosen > 1 ? fmt::format("All {} chosen", i.known.chosen)
                      : i.known.chosen == 1                                ? std::string("The chosen one")
                                            : fmt::format("{} of the {} chosen", i.has.chosen, i.known.chosen);
  const auto rest = i.has.rest == 0 ? "none of the rest" : fmt::format("{} of the other {}", i.has.rest, i.known.rest);
  return fmt::format("{} {} {} {}; {}{}.", chosen, i.has.chosen == 1 ? "is" : "are", i.attribute->phrase, i.value, rest,
                     p < kSurprising ? "" : ": this may be chance");
}

Json item_json(const Item& i, std::size_t tried) {
  const double p = std::min(1.0, i.p_single * static_cast<double>(tried));
  return {{"attribute", i.attribute->name},
          {"value", i.value},
          {"chosen", i.has.chosen},
          {"of_chosen", i.known.chosen},
          {"rest", i.has.rest},
          {"of_rest", i.known.rest},
          {"lift", or_null(i.lift())},
          {"p", p},
          {"p_single", i.p_single},
          {"text", text_of(i, p)}};
}

}  // namespace

std::string_view age_band(const fleet::Board& board, Timestamp now) {
  if (!board.asset) return {};
  const auto& from = board.asset->deployed_at ? board.asset->deployed_at : board.asset->manufactured_at;
  if (!from || *from > now) return {};
  struct Band {
    std::chrono::days below;
    std::string_view name;
  };
  constexpr Band kBands[] = {{std::chrono::days(90), "under 90 days"},
                             {std::chrono::days(365), "90 days to 1 year"},
                             {std::chrono::days(730), "1 to 2 years"},
                             {std::chrono::days(1461), "2 to 4 years"}};
  for (const auto& band : kBands)
    if (now - *from < band.below) return band.name;
  return "over 4 years";
}

Json explain(const FleetSnapshot& fleet, const std::vector<std::size_t>& chosen) {
  std::vector<bool> is_chosen(fleet.boards.size());
  for (const auto i : chosen) is_chosen[i] = true;
  std::vector<Counts> all;
  for (const auto& a : kAttributes) all.push_back({&a, {}, {}});
  Values scratch;
  std::size_t rest = 0;
  for (std::size_t i = 0; i < fleet.boards.size(); ++i) {
    if (!fleet.boards[i].board.in_service && !is_chosen[i]) continue;
    rest += is_chosen[i] ? 0 : 1;
    for (auto& counts : all) counts.add(fleet.boards[i], is_chosen[i], fleet.as_of, scratch);
  }
  const Hypergeometric chance(chosen.size() + rest);
  std::size_t tried = 0;
  std::vector<Item> items;
  for (const auto& counts : all) {
    tried += counts.tried();
    std::ranges::move(items_of(counts, chance), std::back_inserter(items));
  }
  std::ranges::sort(items, before);
  if (items.size() > kMostItems) items.resize(kMostItems);
  Json out = Json::array();
  for (const auto& item : items) out.push_back(item_json(item, tried));
  return {{"as_of", format_rfc3339(fleet.as_of)}, {"chosen", chosen.size()}, {"rest", rest}, {"tried", tried}, {"items", std::move(out)}};
}

}  // namespace ghm::views
