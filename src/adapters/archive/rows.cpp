#include "adapters/archive/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adapters/archive/text_cell.h"
#include "core/decimal.h"

namespace ghm::archive {
namespace {

using fleet::Asset;

constexpr std::string_view kEventKinds[] = {"xid",           "sxid",       "gpu_missing", "gpu_returned", "gpu_reset", "host_reboot",
                                            "driver_change", "job_failed", "maintenance", "drain",        "undrain",   "note"};
constexpr std::string_view kFailureTypes[] = {"memory", "thermal", "power", "nvlink", "pcie", "compute", "firmware", "driver", "unknown"};
constexpr std::string_view kSeverities[] = {"warning", "error", "critical"};
constexpr std::string_view kResolutions[] = {"none", "reset", "reboot", "reseat", "replaced", "decommissioned"};
constexpr std::string_view kAttribute = "attr_";
constexpr Timestamp kYear10000 = Timestamp(std::chrono::milliseconds(253'402'300'800'000));

template <std::size_t n>
bool is_one_of(std::string_view word, const std::string_view (&words)[n]) {
  return std::ranges::find(words, word) != std::end(words);
}

/// One row's cells by the place of their column; remembers the first complaint.
class Cells {
 public:
  Cells(const Table& table, const std::vector<int>& places) : table_(table), places_(places) {}

  std::string_view raw(std::size_t n) const {
    return places_[n] < 0 ? std::string_view() : table_.cell(static_cast<std::size_t>(places_[n]));
  }
  std::string text(std::size_t n) const { return std::string(plain_text(raw(n))); }
  std::string needed(std::size_t n, const char* name) {
    auto found = text(n);
    if (found.empty()) complain("unparsable", fmt::format("{} is empty", name));
    return found;
  }
  std::optional<Timestamp> time(std::size_t n, const char* name) {
    if (raw(n).empty()) return std::nullopt;
    const auto t = read_time(raw(n));
    if (!t) complain("bad_time", fmt::format("{} '{}'", name, raw(n).substr(0, 60)));
    return t;
  }
  Timestamp needed_time(std::size_t n, const char* name) {
    const auto t = time(n, name);
    if (!t) complain("bad_time", fmt::format("{} is empty", name));
    return t.value_or(Timestamp{});
  }
  std::optional<double> number(std::size_t n, const char* name) {
    if (raw(n).empty()) return std::nullopt;
    const auto v = parse_float(raw(n));
    if (!v || !(*v - *v == 0)) complain("unparsable", fmt::format("{} '{}' is no number", name, raw(n).substr(0, 60)));
    return v;
  }
  void complain(const char* reason, std::string why) {
    if (reason_ == nullptr) why_ = std::move(why), reason_ = reason;
  }
  bool told(Refusals& refusals) const {
    if (reason_ != nullptr) refusals.add(reason_, table_.file(), table_.line(), why_);
    return reason_ != nullptr;
  }

 private:
  const Table& table_;
  const std::vector<int>& places_;
  const char* reason_ = nullptr;
  std::string why_;
};

// ---- what each table holds. The order of columns here is the order of `read` and of what is written.

constexpr WantedColumn kAssetColumns[] = {
    {"gpu_uuid", true},         {"model", true},        {"host", true},        {"serial", false},         {"rack", false},
    {"datacenter", false},      {"region", false},      {"slot", false},       {"pci_bus_id", false},     {"batch", false},
    {"manufactured_at", false}, {"deployed_at", false}, {"retired_at", false}, {"warranty_until", false}, {"purchase_price_usd", false}};
constexpr WantedColumn kEventColumns[] = {{"time", true},  {"kind", true},  {"gpu_uuid", false},
                                          {"host", false}, {"code", false}, {"detail", false}};
constexpr WantedColumn kFailureColumns[] = {{"detected_at", true}, {"gpu_uuid", true},     {"failure_type", true}, {"serial", false},
                                            {"severity", false},   {"resolved_at", false}, {"resolution", false}};

std::span<const WantedColumn> columns_of(const Asset*) {
  return kAssetColumns;
}
std::span<const WantedColumn> columns_of(const EventRow*) {
  return kEventColumns;
}
std::span<const WantedColumn> columns_of(const FailureRow*) {
  return kFailureColumns;
}

void read(Cells& in, Asset& a) {
  a.uuid = in.needed(0, "gpu_uuid");
  a.model = in.text(1);
  a.host = in.text(2);
  a.serial = in.text(3);
  a.place = {in.text(6), in.text(5), in.text(4)};
  a.slot = in.text(7);
  a.pci_bus_id = in.text(8);
  a.batch = in.text(9);
  a.manufactured_at = in.time(10, "manufactured_at");
  a.deployed_at = in.time(11, "deployed_at");
  a.retired_at = in.time(12, "retired_at");
  a.warranty_until = in.time(13, "warranty_until");
  a.purchase_price_usd = in.number(14, "purchase_price_usd");
  if (a.deployed_at && a.retired_at && *a.retired_at < *a.deployed_at) in.complain("bad_time", "retired_at lies before deployed_at");
}

void read(Cells& in, EventRow& e) {
  e.at = in.needed_time(0, "time");
  e.kind = in.needed(1, "kind");
  e.gpu_uuid = in.text(2);
  e.host = in.text(3);
  e.code = in.text(4);
  e.detail = in.text(5);
  if (!is_event_kind(e.kind)) in.complain("unparsable", fmt::format("kind '{}' is none of the format's", e.kind.substr(0, 60)));
}

void read(Cells& in, FailureRow& f) {
  f.detected_at = in.needed_time(0, "detected_at");
  f.gpu_uuid = in.needed(1, "gpu_uuid");
  f.failure_type = in.needed(2, "failure_type");
  f.serial = in.text(3);
  f.severity = in.text(4);
  f.resolved_at = in.time(5, "resolved_at");
  f.resolution = in.text(6);
  if (!is_failure_type(f.failure_type))
    in.complain("unparsable", fmt::format("failure_type '{}' is none of the format's", f.failure_type.substr(0, 60)));
  if (!f.severity.empty() && !is_one_of(f.severity, kSeverities))
    in.complain("unparsable", fmt::format("severity '{}' is none of the format's", f.severity.substr(0, 60)));
  if (!f.resolution.empty() && !is_one_of(f.resolution, kResolutions))
    in.complain("unparsable", fmt::format("resolution '{}' is none of the format's", f.resolution.substr(0, 60)));
}

void read_attributes(const Table& table, const std::vector<std::pair<std::string, std::size_t>>& columns, Asset& a) {
  for (const auto& [name, column] : columns)
    if (const auto value = plain_text(table.cell(column)); !value.empty()) a.attributes.emplace(name, value);
}
template <class Row>
void read_attributes(const Table&, const std::vector<std::pair<std::string, std::size_t>>&, Row&) {}

// ---- writing

std::string header_of(std::span<const WantedColumn> columns) {
  std::string out;
  for (const auto& c : columns) out.append(out.empty() ? "" : ",").append(c.name);
  return out;
}

/// Cells of one row, with commas between.
class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) {}
  RowWriter& text(std::string_view t) {
    comma();
    put_text(out_, t);
    return *this;
  }
  RowWriter& time(const std::optional<Timestamp>& t) {
    comma();
    if (t) out_ += format_rfc3339(*t);
    return *this;
  }
  RowWriter& number(const std::optional<double>& v) {
    comma();
    if (v) fmt::format_to(std::back_inserter(out_), "{}", *v);
    return *this;
  }
  void end() { out_ += '\n'; }

 private:
  void comma() {
    if (!std::exchange(first_, false)) out_ += ',';
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace

bool is_event_kind(std::string_view word) {
  return is_one_of(word, kEventKinds);
}
bool is_failure_type(std::string_view word) {
  return is_one_of(word, kFailureTypes);
}

std::optional<Timestamp> read_time(std::string_view cell) {
  const auto t = parse_time(cell);
  if (!t || *t < Timestamp{} || *t >= kYear10000) return std::nullopt;
  return *t;
}

template <class Row>
Result<RowReader<Row>> RowReader<Row>::open(std::string file, std::unique_ptr<ByteStream> in, std::vector<std::string>& warnings) {
  auto table = Table::open(std::move(file), std::move(in));
  if (!table) return table.error();
  RowReader reader(std::move(*table));
  const auto other = [&](std::size_t column, const std::string& name) {
    constexpr bool has_attributes = std::is_same_v<Row, Asset>;
    if (has_attributes && name.starts_with(kAttribute) && name.size() > kAttribute.size())
      reader.attributes_.emplace_back(name.substr(kAttribute.size()), column);
    else warnings.push_back(kept_out(reader.file(), name, "the format does not know it"));
  };
  auto places = find_columns(reader.file(), reader.table_.header(), columns_of(static_cast<const Row*>(nullptr)), warnings, other);
  if (!places) return places.error();
  reader.places_ = std::move(*places);
  return reader;
}

template <class Row>
Result<std::optional<Row>> RowReader<Row>::next(Refusals& refusals) {
  for (;;) {
    const auto more = table_.next(refusals);
    if (!more) return more.error();
    if (!*more) return std::optional<Row>();
    Row row;
    Cells cells(table_, places_);
    read(cells, row);
    if (cells.told(refusals)) continue;
    read_attributes(table_, attributes_, row);
    return std::optional<Row>(std::move(row));
  }
}

template class RowReader<fleet::Asset>;
template class RowReader<EventRow>;
template class RowReader<FailureRow>;

std::string asset_header(const std::vector<std::string>& attributes) {
  auto out = header_of(kAssetColumns);
  for (const auto& name : attributes) {
    out += ',';
    put_text(out, std::string(kAttribute) + name);
  }
  return out + '\n';
}

void put_asset(std::string& out, const Asset& a, const std::vector<std::string>& attributes) {
  RowWriter row(out);
  row.text(a.uuid).text(a.model).text(a.host).text(a.serial).text(a.place.rack).text(a.place.datacenter).text(a.place.region);
  row.text(a.slot).text(a.pci_bus_id).text(a.batch).time(a.manufactured_at).time(a.deployed_at).time(a.retired_at);
  row.time(a.warranty_until).number(a.purchase_price_usd);
  for (const auto& name : attributes) {
    const auto it = a.attributes.find(name);
    row.text(it == a.attributes.end() ? std::string_view() : std::string_view(it->second));
  }
  row.end();
}

std::string event_header() {
  return header_of(kEventColumns) + '\n';
}

void put_event(std::string& out, const EventRow& e) {
  RowWriter(out).time(e.at).text(e.kind).text(e.gpu_uuid).text(e.host).text(e.code).text(e.detail).end();
}

std::string failure_header() {
  return header_of(kFailureColumns) + '\n';
}

void put_failure(std::string& out, const FailureRow& f) {
  RowWriter row(out);
  row.time(f.detected_at).text(f.gpu_uuid).text(f.failure_type).text(f.serial).text(f.severity).time(f.resolved_at).text(f.resolution);
  row.end();
}

}  // namespace ghm::archive
