#include "domain/fleet/maintenance.h"

#include <fmt/format.h>

#include <algorithm>

#include "domain/fleet/ledger.h"

namespace ghm::fleet {
namespace {

using Scope = Maintenance::Scope;

bool names(const Maintenance& m, const Board& b) {
  switch (m.scope) {
    case Scope::gpu: return m.target == b.serial || m.target == b.uuid;
    case Scope::host: return m.target == b.host;
    case Scope::rack: return !b.place.rack.empty() && m.target == b.place.rack;
  }
  return false;
}

bool overlaps(const Maintenance& m, TimeRange range) {
  return m.from < range.to && (!m.until || range.from < *m.until);
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::gpu: return "gpu";
    case Scope::host: return "host";
    case Scope::rack: return "rack";
  }
  return "";
}

std::optional<Scope> parse_scope(std::string_view text) {
  for (const auto scope : {Scope::gpu, Scope::host, Scope::rack})
    if (text == to_string(scope)) return scope;
  return std::nullopt;
}

Result<Maintenance> MaintenanceBook::start(Maintenance m) {
  if (m.until && *m.until <= m.from)
    return Error{Errc::invalid_input, fmt::format("maintenance of {} {}: it would end at {}, before it begins at {}", to_string(m.scope),
                                                  m.target, format_rfc3339(*m.until), format_rfc3339(m.from))};
  const TimeRange wanted{m.from, m.until.value_or(Timestamp::max())};
  for (const auto& other : all_)
    if (other.scope == m.scope && other.target == m.target && overlaps(other, wanted))
      return Error{Errc::conflict,
                   fmt::format("{} {} is under maintenance already, since {}{}: end that first", to_string(m.scope), m.target,
                               format_rfc3339(other.from), other.reason.empty() ? "" : " (" + other.reason + ")")};
  m.id = fmt::format("m-{:015}-{}", to_unix_ms(m.from), all_.size() + 1);
  all_.push_back(m);
  return m;
}

Result<Maintenance> MaintenanceBook::end(Scope scope, std::string_view target, Timestamp at) {
  for (auto& m : all_)
    if (m.scope == scope && m.target == target && m.covers(at)) {
      m.until = at;
      return m;
    }
  return Error{Errc::not_found, fmt::format("{} {} is not under maintenance", to_string(scope), target)};
}

const Maintenance* MaintenanceBook::covering(const Board& board, Timestamp at) const {
  const auto found = std::ranges::find_if(all_, [&](const Maintenance& m) { return m.covers(at) && names(m, board); });
  return found == all_.end() ? nullptr : &*found;
}

const Maintenance* MaintenanceBook::covering_host(std::string_view host, std::string_view rack, Timestamp at) const {
  const auto found = std::ranges::find_if(all_, [&](const Maintenance& m) {
    return m.covers(at) && ((m.scope == Scope::host && m.target == host) || (m.scope == Scope::rack && !rack.empty() && m.target == rack));
  });
  return found == all_.end() ? nullptr : &*found;
}

std::vector<TimeRange> MaintenanceBook::windows(const Board& board, TimeRange range) const {
  std::vector<TimeRange> found;
  for (const auto& m : all_)
    if (names(m, board) && overlaps(m, range))
      found.push_back({std::max(m.from, range.from), std::min(m.until.value_or(range.to), range.to)});
  std::ranges::sort(found, {}, &TimeRange::from);
  return found;
}

}  // namespace ghm::fleet
