#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/archive/table.h"
#include "core/time.h"
#include "domain/fleet/asset.h"

/// The small tables of an archive: assets.csv, events.csv, failures.csv, read row by row and written.
namespace ghm::archive {

struct EventRow {
  Timestamp at{};
  std::string kind, gpu_uuid, host, code, detail;
  friend bool operator==(const EventRow&, const EventRow&) = default;
};

struct FailureRow {
  Timestamp detected_at{};
  std::string gpu_uuid, failure_type, serial, severity;
  std::optional<Timestamp> resolved_at;
  std::string resolution;
  friend bool operator==(const FailureRow&, const FailureRow&) = default;
};

bool is_event_kind(std::string_view word);
bool is_failure_type(std::string_view word);

/// RFC 3339 or Unix seconds from 1970 to 9999, as stores keep them.
std::optional<Timestamp> read_time(std::string_view cell);

/// The rows of one small table. `Row` is fleet::Asset, EventRow or FailureRow.
template <class Row>
class RowReader {
 public:
  /// `in` is the table's bytes. invalid_input where a required column is missing.
  static Result<RowReader> open(std::string file, std::unique_ptr<ByteStream> in, std::vector<std::string>& warnings);
  /// The next good row, or none at the end; others are counted.
  Result<std::optional<Row>> next(Refusals& refusals);
  const std::string& file() const { return table_.file(); }
  std::uint64_t line() const { return table_.line(); }

 private:
  explicit RowReader(Table table) : table_(std::move(table)) {}

  Table table_;
  std::vector<int> places_;
  std::vector<std::pair<std::string, std::size_t>> attributes_;  // assets.csv: NAME of attr_NAME, and its column
};
extern template class RowReader<fleet::Asset>;
extern template class RowReader<EventRow>;
extern template class RowReader<FailureRow>;

/// Header lines and rows, with their line ends. `attributes`: the names that some asset has, in the order of their columns.
std::string asset_header(const std::vector<std::string>& attributes);
void put_asset(std::string& out, const fleet::Asset& asset, const std::vector<std::string>& attributes);
std::string event_header();
void put_event(std::string& out, const EventRow& row);
std::string failure_header();
void put_failure(std::string& out, const FailureRow& row);

}  // namespace ghm::archive
