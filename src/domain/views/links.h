#pragma once
#include <string>
#include <string_view>

#include "domain/fleet/ledger.h"
#include "domain/health/health.h"

/// Where the app shows something: paths of its pages.
namespace ghm::views {

/// Bytes that have a meaning in a path or query become %XX.
std::string url_part(std::string_view text);
/// A board's page: "/gpus/1650…".
std::string gpu_link(const fleet::Board& board);
/// The chart of the metric behind a finding, at the moment of the finding; the board's summary where no series shows it.
std::string evidence_link(const fleet::Board& board, const health::Finding& finding);
/// The page of a rack, host, datacenter, …; the list with that filter where a group has no page of its own.
std::string group_link(std::string_view kind, std::string_view id);

}  // namespace ghm::views
