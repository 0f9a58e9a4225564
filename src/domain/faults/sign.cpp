#include "domain/faults/sign.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>

#include "core/embedded.h"
#include "domain/anomaly/watched_metrics.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::faults {
namespace {

constexpr std::array<std::string_view, kFamilies> kFamilyWords = {"memory",   "pcie",     "nvlink",      "thermal", "power",
                                                                  "firmware", "software", "application", "silence", "monitoring",
                                                                  "job",      "test",     "other",       "context"};
constexpr std::array<std::string_view, kEndings> kEndingWords = {"gpu_reset",       "host_reboot",    "test_passed", "gpu_returned",
                                                                 "source_returned", "reading_normal", "job_ran",     "replaced"};
constexpr std::array<std::string_view, 4> kSeverities = {"info", "warning", "error", "critical"};

template <std::size_t N>
std::optional<std::size_t> place(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? std::nullopt : std::optional<std::size_t>(found - words.begin());
}

EvidenceSpec read_row(telemetry::CatalogueRow& row) {
  EvidenceSpec spec;
  spec.word = row.text("sign");
  if (spec.word.empty()) row.complain("sign", "is needed");
  if (const auto family = place(kFamilyWords, row.text("family"))) spec.family = static_cast<Family>(*family);
  else row.complain("family", fmt::format("expected one of {}", fmt::join(kFamilyWords, ", ")));
  if (const auto severity = place(kSeverities, row.text("severity"))) spec.severity = static_cast<Severity>(*severity);
  else row.complain("severity", "expected info, warning, error or critical");
  spec.by_chance = row.number("by_chance").value_or(0);
  if (!(spec.by_chance > 0 && spec.by_chance < 1)) row.complain("by_chance", "expected a share between 0 and 1");
  spec.says = row.text("says");
  return spec;
}

Families families(std::initializer_list<Family> all) {
  Families set;
  for (const auto f : all) set.set(static_cast<std::size_t>(f));
  return set;
}

/// The sign of a watched metric's anomaly. A metric that is not here tells no fault.
struct Watched {
  anomaly::Slot slot;
  std::string_view sign;
};
using anomaly::Slot;
constexpr Watched kWatched[] = {
    {Slot::gpu_temp, "heat"},
    {Slot::memory_temp, "heat"},
    {Slot::heat_slowdown, "heat"},
    {Slot::heat_cut, "heat"},
    {Slot::power, "power_odd"},
    {Slot::power_limit, "power_odd"},
    {Slot::sm_clock, "clocks_low"},
    {Slot::mem_clock, "clocks_low"},
    {Slot::pcie_gen, "pcie_narrow"},
    {Slot::pcie_width, "pcie_narrow"},
    {Slot::pcie_replays, "pcie_errors"},
    {Slot::remap_pending, "row_remapped"},
    {Slot::remapped_correctable, "row_remapped"},
    {Slot::remapped_uncorrectable, "row_remapped"},
    {Slot::remap_failure, "remap_failed"},
    {Slot::banks_without_spares, "remap_failed"},
    {Slot::corrected, "corrected_storm"},
    {Slot::uncorrected, "uncorrectable_memory"},
    {Slot::links_up, "link_error"},
    {Slot::nvlink_crc, "link_noise"},
    {Slot::nvlink_replays, "link_noise"},
    {Slot::power_brake, "power_brake"},
};

}  // namespace

std::string_view to_string(Family f) {
  return kFamilyWords[static_cast<std::size_t>(f)];
}

std::optional<Family> family_named(std::string_view word) {
  const auto found = place(kFamilyWords, word);
  return found && static_cast<Family>(*found) != Family::context ? std::optional(static_cast<Family>(*found)) : std::nullopt;
}

Result<EvidenceTable> EvidenceTable::parse(std::string_view csv, std::string_view file) {
  auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  for (const auto* column : {"sign", "family", "severity", "by_chance", "says"})
    if (!table->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, column)};
  EvidenceTable out;
  for (std::size_t r = 0; r < table->size(); ++r) {
    telemetry::CatalogueRow row(*table, r, std::string(file));
    auto spec = read_row(row);
    if (out.by_word_.contains(spec.word)) row.complain("sign", "stands twice");
    if (out.size() >= kMostEvidence) row.complain("sign", fmt::format("is more than {} can be", kMostEvidence));
    if (row.error()) return *row.error();
    out.by_word_[spec.word] = static_cast<EvidenceId>(out.specs_.size());
    out.specs_.push_back(std::move(spec));
  }
  return out;
}

const EvidenceTable& EvidenceTable::built_in() {
  static const EvidenceTable table = [] {
    auto parsed = parse(embedded::file("data/faults/signs.csv"), "data/faults/signs.csv");
    if (!parsed) {
      fmt::print(stderr, "{}\n", parsed.error().what);
      std::abort();  // the binary was built with a broken catalogue
    }
    return std::move(*parsed);
  }();
  return table;
}

std::optional<EvidenceId> EvidenceTable::find(std::string_view word) const {
  const auto found = by_word_.find(word);
  return found == by_word_.end() ? std::nullopt : std::optional(found->second);
}

EvidenceId evidence(std::string_view word) {
  const auto found = EvidenceTable::built_in().find(word);
  assert(found);
  return *found;
}

std::string_view to_string(Ending e) {
  return kEndingWords[static_cast<std::size_t>(e)];
}

std::optional<Ending> ending_named(std::string_view word) {
  const auto n = place(kEndingWords, word);
  return n ? std::optional(static_cast<Ending>(*n)) : std::nullopt;
}

Families ended_by(Ending e) {
  using enum Family;
  static const Families all = Families().set();
  static const Families after_reset = families({memory, nvlink, firmware, software, application, monitoring, job, other});
  switch (e) {
    case Ending::gpu_reset: return after_reset;
    case Ending::host_reboot: return after_reset | families({pcie});
    case Ending::test_passed: return all;
    case Ending::gpu_returned: return families({silence, pcie});
    case Ending::source_returned: return families({silence, monitoring, power});
    case Ending::reading_normal: return families({thermal, power, monitoring, pcie, nvlink});
    case Ending::job_ran: return families({application, job, software});
    case Ending::replaced: return all;
  }
  return {};
}

bool ends(const EndingSeen& ending, EvidenceId sign) {
  static const auto corrected = evidence("corrected_storm"), off_bus = evidence("off_bus");
  const auto family = static_cast<std::size_t>(EvidenceTable::built_in()[sign].family);
  if (ending.what != Ending::reading_normal) return ended_by(ending.what)[family];
  if (ending.sign) return *ending.sign == sign && (ended_by(ending.what)[family] || sign == corrected);
  return ended_by(ending.what)[family] && sign != off_bus;
}

bool is_follower(Family f) {
  return f == Family::application || f == Family::job;
}

std::optional<EvidenceId> sign_of_anomaly(std::string_view detail) {
  if (detail.find(": no change for ") != detail.npos) return evidence("sensor_stuck");
  // "<who>: <metric>…: sentence" or "<who>: over after 5m: <metric>…"; the metric's word is a table's.
  for (const auto& w : kWatched) {
    const auto word = fmt::format(": {}", anomaly::watched(w.slot).word);
    const auto at = detail.find(word);
    if (at == detail.npos) continue;
    const auto after = at + word.size();
    // "power" must not be found in "power limit": what follows is the metric's end, or the meaning of its number.
    if (after < detail.size() && detail[after] != ':' && !detail.substr(after).starts_with(" against") &&
        !detail.substr(after).starts_with(" brought") && !detail.substr(after).starts_with(" rise") &&
        !detail.substr(after).starts_with(" above") && !detail.substr(after).starts_with(" of its boards"))
      continue;
    return evidence(w.sign);
  }
  return std::nullopt;
}

}  // namespace ghm::faults
