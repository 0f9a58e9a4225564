#pragma once
#include <span>
#include <string_view>

#include "domain/fleet/ledger.h"

namespace ghm::views {

/// What boards can have in common, and so what may be at fault instead of a board.
struct Grouping {
  std::string_view name;                         // "rack": the API's word
  std::string_view (*key)(const fleet::Board&);  // empty: not known; a view of the board
};

/// Places from wide to narrow, then what boards are: region datacenter rack host model batch driver.
std::span<const Grouping> groupings();
/// nullptr for an unknown name.
const Grouping* grouping_named(std::string_view name);

}  // namespace ghm::views
