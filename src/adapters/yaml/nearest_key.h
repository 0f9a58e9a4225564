#pragma once
#include <set>
#include <string>
#include <string_view>

namespace ghm::config {

/// The known key that `key` was probably meant to be: the one that contains it, is contained in it, or differs in at most a
/// third of its letters (Levenshtein 1966). Empty when none is near.
std::string nearest_key(std::string_view key, const std::set<std::string>& known);

}  // namespace ghm::config
