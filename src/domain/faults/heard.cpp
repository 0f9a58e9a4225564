#include "domain/faults/heard.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ghm::faults {
namespace {

struct Word {
  std::string_view kind, sign;
};
constexpr Word kSigns[] = {
    {"gpu_missing", "gpu_missing"},
    {"series_stopped", "page_trouble"},
    {"source_slow", "page_trouble"},
    {"readings_frozen", "readings_frozen"},
    {"job_failed", "job_failed"},
    {"job_ended_with_fault", "job_failed"},
    {"test_failed", "test_failed"},
    // of agents
    {"gpu_off_bus", "off_bus"},
    {"pcie_no_answer", "off_bus"},
    {"gpu_lost", "off_bus"},
    {"pci_gpu_gone", "gpu_missing"},
    {"gpu_gone", "gpu_missing"},
    {"pcie_aer", "pcie_errors"},
    {"nvml_hang", "readings_frozen"},
    {"nvml_crash", "page_trouble"},
    {"nvml_unavailable", "page_trouble"},
};

struct End {
  std::string_view kind;
  Ending what;
  std::string_view sign;  // only of this one
};
constexpr End kEnds[] = {
    {"gpu_reset", Ending::gpu_reset, ""},
    {"host_reboot", Ending::host_reboot, ""},
    {"host_booted", Ending::host_reboot, ""},
    {"test_passed", Ending::test_passed, ""},
    {"gpu_back", Ending::gpu_returned, ""},
    {"pcie_answers", Ending::gpu_returned, ""},
    {"nvml_recovered", Ending::reading_normal, "readings_frozen"},
    {"nvml_back", Ending::reading_normal, "page_trouble"},
    {"gpu_returned", Ending::gpu_returned, ""},
    {"source_returned", Ending::source_returned, ""},
    {"job_ran", Ending::job_ran, ""},
    {"gpu_replaced", Ending::replaced, ""},
    {"gpu_retired", Ending::replaced, ""},
    {"series_returned", Ending::reading_normal, "page_trouble"},
    {"source_quick", Ending::reading_normal, "page_trouble"},
    {"readings_move", Ending::reading_normal, "readings_frozen"},
};

// The exporter answered, if badly: its host is there. These are words of the scraper's own sentences.
bool something_answered(std::string_view detail) {
  constexpr std::string_view kAnswers[] = {
      ": answered ",        "connected, but no answer",  "the answer",          "its page has no", "answers, but",
      "connection refused", "the connection was closed", "the connection broke"};
  return std::ranges::any_of(kAnswers, [&](std::string_view w) { return detail.find(w) != detail.npos; });
}

std::optional<CodeKind> code_kind(std::string_view kind) {
  for (const auto k : {CodeKind::xid, CodeKind::sxid, CodeKind::dcgm_health})
    if (kind == to_string(k)) return k;
  return std::nullopt;
}

Sign place(const Heard& h, const Where& w) {
  Sign s;
  s.id = h.id;
  s.at = h.at;
  s.board = h.board;
  s.gpu = w.gpu;
  s.host = h.host;
  s.rack = w.rack;
  s.feed = w.feed;
  s.fabric = w.fabric;
  s.job = h.job.empty() ? w.job : h.job;
  s.process = h.process;
  s.pid = h.pid;
  s.text = h.detail;
  s.link = h.link;
  s.nvswitch = h.nvswitch;
  s.boards_on_host = w.boards_on_host;
  s.new_driver = w.new_driver;
  s.simulated = w.simulated;
  return s;
}

Reading sign_of(Sign s, EvidenceId what) {
  s.what = what;
  s.severity = std::max(s.severity, EvidenceTable::built_in()[what].severity);
  return s;
}

Reading read_code(const Heard& h, const Where& w, CodeKind kind, const FaultCatalogue& codes) {
  auto s = place(h, w);
  s.code = h.code;
  s.kind = kind;
  const auto& driver = h.driver.empty() ? w.driver : h.driver;
  const auto meaning = codes.find(kind, h.code, {release_of(driver), w.architecture});
  if (meaning.code == nullptr) return sign_of(std::move(s), evidence("other_code"));
  const auto what = EvidenceTable::built_in().find(meaning.code->sign);
  if (!what) return {};
  s.what = *what;
  s.severity = meaning.code->severity;
  // The line of a switch knows better than a table: the same code can end a link or only cost a retry.
  if (h.severity == "Fatal") s.severity = Severity::critical;
  if (h.severity == "Non-fatal") s.severity = std::min(s.severity, Severity::error);
  return s;
}

}  // namespace

Reading read(const Heard& h, const Where& w, const FaultCatalogue& codes) {
  if (const auto kind = code_kind(h.kind)) return read_code(h, w, *kind, codes);
  if (h.kind == "source_silent") {
    auto s = place(h, w);
    s.no_answer_at_all = !something_answered(h.detail);
    return sign_of(std::move(s), evidence(s.no_answer_at_all ? "host_silent" : "page_trouble"));
  }
  // A spare that the inventory knows and no page has shown yet did not go missing.
  if (h.kind == "gpu_missing" && h.detail.find("never on its page") != h.detail.npos) return {};
  if (h.kind == "anomaly") {
    const auto what = sign_of_anomaly(h.detail);
    return what ? sign_of(place(h, w), *what) : Reading{};
  }
  if (h.kind == "anomaly_cleared") {
    const auto what = sign_of_anomaly(h.detail);
    return what ? Reading{EndingSeen{h.id, h.at, Ending::reading_normal, h.board, h.host, h.detail, what}} : Reading{};
  }
  if (const auto found = std::ranges::find(kSigns, h.kind, &Word::kind); found != std::end(kSigns))
    return sign_of(place(h, w), evidence(found->sign));
  if (const auto found = std::ranges::find(kEnds, h.kind, &End::kind); found != std::end(kEnds)) {
    EndingSeen e{h.id, h.at, found->what, h.board, h.host, h.detail, {}};
    if (!found->sign.empty()) e.sign = evidence(found->sign);
    return e;
  }
  return {};
}

}  // namespace ghm::faults
