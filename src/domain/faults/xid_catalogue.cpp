#include "domain/faults/xid_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/embedded.h"
#include "domain/telemetry/catalogue_row.h"

namespace ghm::faults {
namespace {

using telemetry::CatalogueRow;

template <class E>
struct Word {
  std::string_view text;
  E value;
};
constexpr Word<Origin> kOrigins[] = {
    {"hardware", Origin::hardware}, {"driver", Origin::driver}, {"application", Origin::application}, {"ambiguous", Origin::ambiguous}};
constexpr Word<Severity> kSeverities[] = {
    {"info", Severity::info}, {"warning", Severity::warning}, {"error", Severity::error}, {"critical", Severity::critical}};

template <class E, std::size_t N>
E word(CatalogueRow& row, const char* column, const Word<E> (&words)[N], const char* expected) {
  const auto found = std::ranges::find(words, row.text(column), &Word<E>::text);
  if (found != std::end(words)) return found->value;
  row.complain(column, expected);
  return words[0].value;
}

Xid parse_xid(CatalogueRow& row) {
  Xid x;
  const auto code = row.number("xid");
  if (!code || *code < 0 || *code > 100'000 || *code != std::floor(*code)) row.complain("xid", "expected a whole number");
  else x.code = static_cast<int>(*code);
  x.name = row.text("name");
  x.component = row.text("class");
  x.origin = word(row, "likely_origin", kOrigins, "expected hardware, driver, application or ambiguous");
  x.severity = word(row, "severity", kSeverities, "expected info, warning, error or critical");
  x.first_action = row.text("first_action");
  return x;
}

}  // namespace

Result<XidCatalogue> XidCatalogue::parse(std::string_view csv, std::string_view file) {
  auto table = CsvTable::parse(csv, file);
  if (!table) return table.error();
  for (const auto* column : {"xid", "name", "class", "likely_origin", "severity", "first_action"})
    if (!table->column(column)) return Error{Errc::invalid_input, fmt::format("{}:1: column '{}' is missing", file, column)};
  XidCatalogue out;
  for (std::size_t r = 0; r < table->size(); ++r) {
    CatalogueRow row(*table, r, std::string(file));
    auto xid = parse_xid(row);
    if (!row.error() && out.xids_.contains(xid.code)) row.complain("xid", "stands twice");
    if (row.error()) return *row.error();
    out.xids_.emplace(xid.code, std::move(xid));
  }
  return out;
}

const XidCatalogue& XidCatalogue::built_in() {
  static const XidCatalogue catalogue = [] {
    auto parsed = parse(embedded::file("data/faults/xids.csv"), "data/faults/xids.csv");
    if (!parsed) {
      fmt::print(stderr, "{}\n", parsed.error().what);
      std::abort();  // the binary was built with a broken catalogue
    }
    return std::move(*parsed);
  }();
  return catalogue;
}

const Xid* XidCatalogue::find(int code) const {
  const auto found = xids_.find(code);
  return found == xids_.end() ? nullptr : &found->second;
}

}  // namespace ghm::faults
