#pragma once
#include <string>
#include <string_view>

namespace ghm {

/// True for well-formed UTF-8 (no overlong forms, no surrogates, nothing over U+10FFFF). ~1 ns per byte.
bool is_utf8(std::string_view text);

/// Well-formed UTF-8 as it is; every byte that is none as `\xFF`. Different texts stay different, so that two serial numbers
/// that somebody sends in another encoding do not become one board. RFC 3629.
std::string to_utf8(std::string_view text);

}  // namespace ghm
