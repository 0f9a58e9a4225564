#include "domain/views/groupings.h"

#include <algorithm>
#include <array>

namespace ghm::views {
namespace {

using fleet::Board;
using Text = std::string_view;

constexpr std::array kGroupings{
    Grouping{"region", [](const Board& b) { return Text(b.place.region); }},
    Grouping{"datacenter", [](const Board& b) { return Text(b.place.datacenter); }},
    Grouping{"rack", [](const Board& b) { return Text(b.place.rack); }},
    Grouping{"host", [](const Board& b) { return Text(b.host); }},
    Grouping{"model", [](const Board& b) { return Text(b.model); }},
    Grouping{"batch", [](const Board& b) { return b.asset ? Text(b.asset->batch) : Text(); }},
    Grouping{"driver", [](const Board& b) { return Text(b.driver_version); }},
};

}  // namespace

std::span<const Grouping> groupings() {
  return kGroupings;
}

const Grouping* grouping_named(std::string_view name) {
  const auto found = std::ranges::find(kGroupings, name, &Grouping::name);
  return found == kGroupings.end() ? nullptr : &*found;
}

}  // namespace ghm::views
