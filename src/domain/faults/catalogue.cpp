#include "domain/faults/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "core/embedded.h"
#include "domain/faults/sign.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::faults {
namespace {

using telemetry::CatalogueRow;

constexpr std::array<std::string_view, kCodeKinds> kKinds = {"xid", "sxid", "dcgm_health", "recovery_action"};
constexpr std::array<std::string_view, kCodeKinds> kFiles = {"data/faults/xids.csv", "data/faults/sxids.csv", "data/faults/dcgm_health.csv",
                                                             "data/faults/recovery_actions.csv"};
constexpr std::array<std::string_view, 8> kArchitectures = {"Kepler", "Maxwell", "Pascal", "Volta",
                                                            "Turing", "Ampere",  "Hopper", "Blackwell"};
constexpr std::array<std::string_view, 10> kComponents = {"memory",         "nvlink", "pcie_bus",    "gsp_firmware", "thermal_power",
                                                          "compute_engine", "driver", "application", "security",     "other"};
constexpr std::array<std::string_view, 4> kOrigins = {"hardware", "driver", "application", "ambiguous"};
constexpr std::array<std::string_view, 4> kSeverities = {"info", "warning", "error", "critical"};
constexpr const char* kColumns[] = {"name",   "class", "likely_origin", "severity",      "first_action", "repeats",
                                    "within", "then",  "counts_for",    "architectures", "drivers",      "source"};

// Ada stands beside Hopper: released together, neither came first.
std::ptrdiff_t age_of(std::string_view architecture) {
  if (architecture == "Ada") architecture = "Hopper";
  const auto found = std::ranges::find(kArchitectures, architecture);
  return found == kArchitectures.end() ? -1 : found - kArchitectures.begin();
}

template <std::size_t N>
std::string joined(const std::array<std::string_view, N>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

/// Reads the cells of one row; an empty one leaves `out` as it is.
class Cells {
 public:
  Cells(const CsvTable& table, std::size_t row, std::string_view file) : row_(table, row, std::string(file)) {}

  template <class E, std::size_t N>
  void word(const char* column, const std::array<std::string_view, N>& words, E& out) {
    const auto& text = row_.text(column);
    if (text.empty()) return;
    const auto found = std::ranges::find(words, text);
    if (found == words.end()) return row_.complain(column, "expected one of " + joined(words));
    out = static_cast<E>(found - words.begin());
  }
  void text(const char* column, std::string& out) {
    if (!row_.text(column).empty()) out = row_.text(column);
  }
  void component(std::string& out) {
    std::size_t n = kComponents.size();
    word("class", kComponents, n);
    if (n < kComponents.size()) out = kComponents[n];
  }
  void action(const char* column, Action& out) {
    const auto& text = row_.text(column);
    if (text.empty()) return;
    if (const auto action = action_named(text)) out = *action;
    else row_.complain(column, "expected one of " + std::string(action_words()));
  }
  void whole(const char* column, int& out, int most) {
    const auto n = row_.number(column);
    if (row_.error() || !n) return;
    if (*n < 0 || *n > most || *n != std::floor(*n)) return row_.complain(column, fmt::format("expected a whole number up to {}", most));
    out = static_cast<int>(*n);
  }
  void duration(const char* column, std::chrono::milliseconds& out) {
    const auto& text = row_.text(column);
    if (text.empty()) return;
    if (const auto d = parse_duration(text)) out = *d;
    else row_.complain(column, "expected a span such as 30d");
  }
  void architectures(ArchitectureRange& out) {
    const auto& text = row_.text("architectures");
    if (text.empty()) return;
    const auto dash = text.find('-');
    ArchitectureRange range{text.substr(0, dash), dash == text.npos ? text : text.substr(dash + 1)};
    for (const auto* name : {&range.from, &range.to})
      if (!name->empty() && age_of(*name) < 0)
        return row_.complain("architectures", "expected a range such as Ampere- or -Hopper of " + joined(kArchitectures));
    out = std::move(range);
  }
  void drivers(DriverRange& out) {
    const auto& text = row_.text("drivers");
    if (text.empty()) return;
    const auto dash = text.find('-');
    const auto side = [&](std::string_view digits) -> std::optional<int> {
      int n = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
      if (digits.empty()) return 0;
      return error == std::errc() && end == digits.data() + digits.size() && n > 0 ? std::optional(n) : std::nullopt;
    };
    const auto from = side(std::string_view(text).substr(0, dash));
    const auto to = dash == text.npos ? from : side(std::string_view(text).substr(dash + 1));
    if (!from || !to) return row_.complain("drivers", "expected a range of major releases such as 550- or 525-549");
    out = {*from, *to};
  }
  CatalogueRow& row() { return row_; }

 private:
  CatalogueRow row_;
};

void need(CatalogueRow& row, const Code& c) {
  if (c.name.empty()) row.complain("name", "is needed");
  for (const auto* column : {"class", "likely_origin", "severity", "first_action"})
    if (row.text(column).empty()) row.complain(column, "is needed for a code that the catalogue does not have");
}

void read_rest(Cells& cells, Code& c) {
  cells.text("name", c.name);
  cells.component(c.component);
  cells.word("likely_origin", kOrigins, c.origin);
  cells.word("severity", kSeverities, c.severity);
  cells.action("first_action", c.first_action);
  cells.whole("repeats", c.escalation.repeats, 1000);
  cells.duration("within", c.escalation.within);
  cells.action("then", c.escalation.then);
  cells.duration("counts_for", c.counts_for);
  cells.architectures(c.architectures);
  cells.text("source", c.source);
  cells.text("sign", c.sign);
  const auto sign = EvidenceTable::built_in().find(c.sign);
  if (!c.sign.empty() && (!sign || EvidenceTable::built_in()[*sign].family == Family::context))
    cells.row().complain("sign", "is not a sign of data/faults/signs.csv, such as app_fault or off_bus");
  if (c.escalation.repeats > 0 && c.escalation.within <= 0ms)
    cells.row().complain("within", "is needed where repeats is given: a span such as 7d");
}

std::optional<CodeKind> kind_of(const CsvTable& table) {
  const auto& first = table.header().empty() ? std::string() : table.header().front();
  const auto found = std::ranges::find(kKinds, first);
  if (found == kKinds.end()) return std::nullopt;
  return static_cast<CodeKind>(found - kKinds.begin());
}

}  // namespace

std::string_view to_string(CodeKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::string_view to_string(Origin origin) {
  return kOrigins[static_cast<std::size_t>(origin)];
}

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

bool ArchitectureRange::holds(std::string_view architecture) const {
  const auto age = age_of(architecture);
  if (age < 0) return true;
  return (from.empty() || age >= age_of(from)) && (to.empty() || age <= age_of(to));
}

int release_of(std::string_view version) {
  int release = 0;
  std::from_chars(version.data(), version.data() + version.size(), release);
  return std::max(release, 0);
}

Result<void> FaultCatalogue::add(CodeKind kind, std::string_view csv, std::string_view file, bool site) {
  auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  const std::string key(to_string(kind));
  for (const auto* column : kColumns)
    if (!table->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, column)};
  if (!table->column(key)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, key)};
  std::string complaints;
  std::map<std::pair<int, int>, bool> seen;
  for (std::size_t r = 0; r < table->size(); ++r) {
    Cells cells(*table, r, file);
    Code read;
    read.kind = kind;
    read.code = -1;
    read.source = file;
    cells.whole(key.c_str(), read.code, 100'000);
    if (read.code < 0) cells.row().complain(key.c_str(), "expected a whole number");
    cells.drivers(read.drivers);
    auto& rows = codes_[{kind, read.code}];
    const auto same = std::ranges::find(rows, read.drivers, &Code::drivers);
    if (!cells.row().error() && seen[{read.code, read.drivers.from}]) cells.row().complain(key.c_str(), "stands twice");
    seen[{read.code, read.drivers.from}] = true;
    Code made = site && same != rows.end() ? *same : read;
    if (site) made.source = file;
    read_rest(cells, made);
    if (same == rows.end() || !site) need(cells.row(), made);
    if (cells.row().error()) complaints += (complaints.empty() ? "" : "\n") + cells.row().error()->what;
    else if (same != rows.end()) *same = std::move(made);
    else rows.insert(std::ranges::upper_bound(rows, made.drivers.from, {}, [](const Code& c) { return c.drivers.from; }), std::move(made));
  }
  if (!complaints.empty()) return Error{Errc::invalid_input, std::move(complaints)};
  return {};
}

Result<FaultCatalogue> FaultCatalogue::parse(CodeKind kind, std::string_view csv, std::string_view file) {
  FaultCatalogue out;
  if (auto done = out.add(kind, csv, file, false); !done) return done.error();
  return out;
}

Result<FaultCatalogue> FaultCatalogue::with_site(std::string_view csv, std::string_view file) const {
  const auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  const auto kind = kind_of(*table);
  if (!kind)
    return Error{Errc::invalid_input, fmt::format("{}:1: the first column must say what the codes are: one of {}", file, joined(kKinds))};
  FaultCatalogue out = *this;
  if (auto done = out.add(*kind, csv, file, true); !done) return done.error();
  if (!out.version_.ends_with("+site")) out.version_ += "+site";
  return out;
}

const FaultCatalogue& FaultCatalogue::built_in() {
  static const FaultCatalogue catalogue = [] {
    FaultCatalogue out;
    const auto broken = [](const Error& e) {
      fmt::print(stderr, "{}\n", e.what);
      std::abort();  // the binary was built with a broken catalogue
    };
    for (std::size_t k = 0; k < kCodeKinds; ++k)
      if (auto done = out.add(static_cast<CodeKind>(k), embedded::file(kFiles[k]), kFiles[k], false); !done) broken(done.error());
    auto sources = CsvTable::parse(embedded::file("data/faults/sources.csv"), "data/faults/sources.csv");
    if (!sources) broken(sources.error());
    for (std::size_t r = 0; r < sources->size(); ++r) {
      const auto& id = sources->cell(r, "id");
      if (id == "catalogue") out.version_ = sources->cell(r, "state");
      else out.sources_[id] = sources->cell(r, "title") + " (" + sources->cell(r, "state") + ")";
    }
    return out;
  }();
  return catalogue;
}

Meaning FaultCatalogue::find(CodeKind kind, int code, SeenOn where) const {
  const auto found = codes_.find({kind, code});
  if (found == codes_.end() || found->second.empty()) return {};
  const auto& rows = found->second;
  const auto holds = [&](const Code& c) { return where.driver > 0 && c.drivers.holds(where.driver); };
  // From the newest on: a row for certain drivers wins over one for all.
  const auto fitting = std::find_if(rows.rbegin(), rows.rend(), holds);
  const auto& row = fitting != rows.rend() ? *fitting : rows.back();
  const bool numbered = where.driver > 0 ? fitting != rows.rend() : rows.size() == 1;
  return {&row, numbered && row.architectures.holds(where.architecture)};
}

std::vector<const Code*> FaultCatalogue::all(CodeKind kind) const {
  std::vector<const Code*> out;
  for (const auto& [key, rows] : codes_)
    if (key.first == kind)
      for (const auto& row : rows) out.push_back(&row);
  return out;
}

std::size_t FaultCatalogue::size() const {
  std::size_t n = 0;
  for (const auto& [key, rows] : codes_) n += rows.size();
  return n;
}

std::string FaultCatalogue::source_text(std::string_view id) const {
  const auto found = sources_.find(id);
  return found == sources_.end() ? std::string() : found->second;
}

}  // namespace ghm::faults
