#pragma once
#include <string>
#include <string_view>

namespace ghm::archive {

/// Appends a text as a CSV cell: quoted where needed, and with a ' before a leading = + - @, so that a spreadsheet runs nothing.
/// A text that would be read back as such a one gets a further '. Never for numbers.
void put_text(std::string& out, std::string_view text);

/// What put_text was given, from a cell's unquoted text.
std::string_view plain_text(std::string_view cell);

}  // namespace ghm::archive
