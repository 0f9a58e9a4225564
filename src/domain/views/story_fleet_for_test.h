#pragma once
#include <fmt/format.h>

#include <memory>

#include "domain/views/fleet_snapshot.h"

namespace ghm::views::test {

inline const Timestamp kNow = from_unix_ms(1'800'000'000'000);  // 2027-01-15T08:00:00Z

/// Racks of 3 hosts of 8 boards, two sites, all well: serial "S17", host "h2", rack "R0".
inline FleetSnapshot well_fleet(std::size_t racks) {
  FleetSnapshot fleet;
  fleet.as_of = kNow;
  auto names = std::make_shared<NameIndex>();
  auto well = std::make_shared<health::Report>();
  well->overall = 98;
  well->risk = "low";
  for (std::size_t h = 0; h < racks * 3; ++h) {
    HostView host;
    host.host.name = fmt::format("h{}", h);
    host.host.place = {"eu", fmt::format("dc{}", h / 3 % 2), fmt::format("R{}", h / 3)};
    for (int slot = 0; slot < 8; ++slot) {
      BoardView v;
      const auto n = fleet.boards.size();
      v.board.id = static_cast<fleet::BoardId>(n + 1);
      v.board.serial = fmt::format("S{}", n);
      v.board.host = host.host.name;
      v.board.slot = slot;
      v.board.place = host.host.place;
      v.board.model = n % 5 == 0 ? "NVIDIA H200" : "NVIDIA H100 80GB HBM3";
      v.board.driver_version = n % 7 == 0 ? "560" : "570";
      v.board.first_seen = v.board.last_seen = kNow;
      v.health = well;
      names->emplace(v.board.serial, n);
      host.boards.push_back(n);
      fleet.boards.push_back(std::move(v));
    }
    fleet.hosts.push_back(std::move(host));
  }
  fleet.by_name = names;
  return fleet;
}

/// A report with one finding.
inline std::shared_ptr<const health::Report> ill(std::string rule, double lost = 20, bool critical = false, double score = 75) {
  health::Report r;
  r.at = to_unix_seconds(kNow);
  r.overall = score;
  r.class_name = health::class_of(score);
  r.risk = critical ? "critical" : "medium";
  health::Dimension d;
  d.name = rule.substr(0, rule.find('.'));
  d.weight_percent = 25;
  d.score = 100 - lost;
  d.coverage = 1;
  d.findings.push_back({rule, lost, 4, 0, to_unix_seconds(kNow - 1h), critical});
  r.dimensions = {d};
  if (critical) r.critical = {rule};
  return std::make_shared<const health::Report>(r);
}

}  // namespace ghm::views::test
