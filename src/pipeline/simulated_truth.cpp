#include "pipeline/simulated_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ghm::pipeline {
namespace {

using namespace simulation;

std::string time_text(double t) {
  return t > 0 ? format_rfc3339(from_unix_ms(std::llround(t) * 1000)) : std::string();
}

struct Known {
  const HostLife* life;
  const Failure* failure;
};

}  // namespace

std::string truth_of_failures(const World& world, const std::vector<HostLife>& lives) {
  std::vector<Known> all;
  for (const auto& life : lives) {
    for (const auto& f : life.failures) all.push_back({&life, &f});
    for (const auto& f : life.to_come)
      if (f.sign != Sign::none && f.sign_from < world.end()) all.push_back({&life, &f});
  }
  std::ranges::stable_sort(all, {}, [](const Known& k) { return k.failure->detected; });
  std::string out = "detected_at,gpu_uuid,failed_at,mode,cause,first,sign,sign_from,lead_hours\n";
  for (const auto& [life, f] : all) {
    const bool signed_ = f->sign != Sign::none;
    out +=
        fmt::format("{},{},{},{},{},{:d},{},{},{}\n", time_text(f->detected), life->stays[f->stay].id.uuid, time_text(f->at),
                    world.scenario().modes[f->mode].name, word_of(f->cause), f->first, word_of(f->sign),
                    signed_ ? time_text(f->sign_from) : "", signed_ ? fmt::format("{:.2f}", (f->at - f->sign_from) / kSecondsOfHour) : "");
  }
  return out;
}

std::string truth_of_boards(const World& world, const std::vector<HostLife>& lives) {
  std::string out = "gpu_uuid,host,slot,frailty,lemon_host,bad_lot,site_factor,rack_factor,height_factor,hazard_per_1000_days\n";
  for (const auto& life : lives)
    for (const auto& s : life.stays) {
      const auto h = life.number;
      out += fmt::format("{},{},{},{:.6g},{:d},{:d},{:.6g},{:.6g},{:.6g},{:.6g}\n", s.id.uuid, life.place.host, s.slot, s.frailty,
                         world.lemon(h), s.bad_lot, world.site_factor(h), world.rack_factor(h),
                         world.height_factor(h, facts::kTopOverBottom), known_hazard(world, h, s, world.end()));
    }
  return out;
}

std::string truth_of_regimes(const World& world) {
  std::string out = "kind,where,from,until,factor\n";
  for (const auto& d : world.drivers())
    if (d.bad)
      out += fmt::format("bad_driver,{},{},{},{}\n", d.version, time_text(d.span.from), time_text(d.span.until), facts::kBadDriver);
  for (const auto& r : world.regimes())
    out += fmt::format("software,fleet,{},{},{:.4g}\n", time_text(r.span.from), time_text(r.span.until), r.factor);
  for (std::size_t h = 0; h < world.hosts(); h += kHostsPerRack)
    if (const auto spell = world.hot_spell(h))
      out += fmt::format("hot_rack,{},{},{},{}\n", world.place(h).rack, time_text(spell->from), time_text(spell->until), facts::kHotRackC);
  return out;
}

}  // namespace ghm::pipeline
