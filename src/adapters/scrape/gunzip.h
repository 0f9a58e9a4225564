#pragma once
#include <optional>
#include <string_view>

#include "adapters/scrape/buffer_pool.h"

namespace ghm::scrape {

/// Inflates gzip (several members in a row too) into `out`. The view lies in `out`; nullopt when `in` is broken, cut off,
/// or would become longer than `limit` bytes (`too_long` tells which).
std::optional<std::string_view> gunzip(std::string_view in, Buffer& out, std::size_t limit, bool& too_long);

}  // namespace ghm::scrape
