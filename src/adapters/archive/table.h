#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/archive/csv_reader.h"
#include "adapters/archive/refusals.h"

namespace ghm::archive {

struct WantedColumn {
  std::string_view name;
  bool required = false;
};

/// The place of each wanted column in a header, -1 where it is not there. invalid_input, with file and column, where a required
/// one is missing. A column that is not wanted goes to `other` (its place and name); the second of one name is told in `warnings`.
Result<std::vector<int>> find_columns(std::string_view file, std::span<const std::string> header, std::span<const WantedColumn> wanted,
                                      std::vector<std::string>& warnings,
                                      const std::function<void(std::size_t, const std::string&)>& other);

/// One sentence for `warnings`.
std::string kept_out(std::string_view file, std::string_view column, std::string_view why);

/// A table's rows, each with as many cells as the header; what is malformed is counted and passed over.
class Table {
 public:
  /// Reads the header. invalid_input: an empty file, or a header that is malformed.
  static Result<Table> open(std::string file, std::unique_ptr<ByteStream> in);

  const std::string& file() const { return file_; }
  const std::vector<std::string>& header() const { return header_; }
  /// False at the end.
  Result<bool> next(Refusals& refusals);
  std::string_view cell(std::size_t column) const { return reader_.cells()[column]; }
  std::uint64_t line() const { return reader_.line(); }
  /// See CsvReader::skip; behind the header, so `to` may be the place of any row.
  Result<bool> skip(CsvReader::Place to) { return reader_.skip(to); }
  CsvReader::Place place() const { return reader_.place(); }
  std::uint64_t bytes_of_file() const { return reader_.bytes_of_file(); }

 private:
  Table(std::string file, CsvReader reader) : file_(std::move(file)), reader_(std::move(reader)) {}

  std::string file_;
  CsvReader reader_;
  std::vector<std::string> header_;
};

}  // namespace ghm::archive
