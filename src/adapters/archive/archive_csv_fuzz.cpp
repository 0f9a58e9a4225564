// Any bytes as a table: whatever piece size they come in, the reader says the same, ends, and names each line at most once.
#include <cstdlib>
#include <string>

#include "adapters/archive/rows.h"
#include "adapters/archive/telemetry_reader.h"

namespace {

using namespace ghm;
using archive::CsvReader;

std::string told(std::string_view bytes, std::size_t piece) {
  CsvReader reader(archive::stream_of(bytes, piece));
  std::string out;
  for (std::uint64_t before = 0;;) {
    const auto got = reader.next();
    if (!got) std::abort();  // memory does not fail
    if (*got == CsvReader::Got::end) return out;
    if (reader.line() <= before || reader.place().offset > bytes.size()) std::abort();
    before = reader.line();
    out += std::to_string(before);
    if (*got == CsvReader::Got::malformed) out += reader.trouble();
    else
      for (const auto cell : reader.cells()) out.append("|").append(cell);
    out += '\n';
  }
}

template <class Reader>
void read_all(Reader reader) {
  archive::Refusals refusals;
  if (!reader) return;
  for (;;) {
    auto row = reader->next(refusals);
    if (!row || !*row) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (told(bytes, 1 << 16) != told(bytes, 7)) std::abort();
  std::vector<std::string> warnings;
  read_all(archive::RowReader<fleet::Asset>::open("a", archive::stream_of(bytes), warnings));
  read_all(archive::RowReader<archive::EventRow>::open("e", archive::stream_of(bytes), warnings));
  read_all(archive::RowReader<archive::FailureRow>::open("f", archive::stream_of(bytes), warnings));
  read_all(archive::TelemetryReader::open("t", archive::stream_of(bytes), telemetry::MetricCatalogue::built_in(), warnings));
  return 0;
}
