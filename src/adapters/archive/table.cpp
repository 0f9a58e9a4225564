#include "adapters/archive/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/archive/text_cell.h"

namespace ghm::archive {

std::string kept_out(std::string_view file, std::string_view column, std::string_view why) {
  return fmt::format("{}: column '{}' is kept out: {}", file, column, why);
}

Result<std::vector<int>> find_columns(std::string_view file, std::span<const std::string> header, std::span<const WantedColumn> wanted,
                                      std::vector<std::string>& warnings,
                                      const std::function<void(std::size_t, const std::string&)>& other) {
  std::vector<int> places(wanted.size(), -1);
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto it = std::ranges::find(wanted, std::string_view(header[i]), &WantedColumn::name);
    if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
        header.begin() + static_cast<std::ptrdiff_t>(i))
      warnings.push_back(kept_out(file, header[i], "its name stands twice"));
    else if (it == wanted.end()) other(i, header[i]);
    else places[static_cast<std::size_t>(it - wanted.begin())] = static_cast<int>(i);
  }
  for (std::size_t w = 0; w < wanted.size(); ++w)
    if (wanted[w].required && places[w] < 0)
      return Error{Errc::invalid_input, fmt::format("{}: column '{}' is missing from the header", file, wanted[w].name)};
  return places;
}

Result<Table> Table::open(std::string file, std::unique_ptr<ByteStream> in) {
  Table table(std::move(file), CsvReader(std::move(in)));
  const auto got = table.reader_.next();
  if (!got) return got.error();
  if (*got == CsvReader::Got::end) return Error{Errc::invalid_input, fmt::format("{}: is empty, expected a header row", table.file_)};
  if (*got == CsvReader::Got::malformed)
    return Error{Errc::invalid_input, fmt::format("{}:1: {}, expected a header row", table.file_, table.reader_.trouble())};
  for (const auto cell : table.reader_.cells()) table.header_.emplace_back(plain_text(cell));
  return table;
}

Result<bool> Table::next(Refusals& refusals) {
  for (;;) {
    const auto got = reader_.next();
    if (!got) return got.error();
    if (*got == CsvReader::Got::end) return false;
    const auto cells = reader_.cells().size();
    if (*got == CsvReader::Got::malformed) refusals.add("unparsable", file_, line(), reader_.trouble());
    else if (cells == header_.size()) return true;
    else refusals.add("unparsable", file_, line(), fmt::format("{} cells, expected {}", cells, header_.size()));
  }
}

}  // namespace ghm::archive
