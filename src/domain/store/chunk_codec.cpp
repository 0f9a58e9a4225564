// A chunk: version, rows, columns; the times (first, then steps); a directory of names and payload lengths; the payloads.
// The directory costs about four bytes per column and lets a reader take one column without touching the others.
#include "domain/store/chunk_codec.h"

#include <algorithm>
#include <cassert>

#include "domain/store/column_codec.h"
#include "domain/store/int_codec.h"
#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

constexpr unsigned kVersion = 1;
constexpr std::int64_t kMostTime = 253'402'300'800'000;  // the year 10000, in ms

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string("chunk: ") + what};
}

void put_times(const std::vector<Timestamp>& times, std::string& out) {
  put_signed(out, to_unix_ms(times.front()));
  std::vector<std::int64_t> steps;
  for (std::size_t i = 1; i < times.size(); ++i) steps.push_back((times[i] - times[i - 1]).count());
  std::string bytes;
  encode_ints(steps, bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_name(const ColumnName& name, std::string& out) {
  put_byte(out, static_cast<unsigned>(name.entity.kind));
  put_varint(out, name.entity.number);
  put_varint(out, static_cast<std::uint16_t>(name.metric));
}

bool has_value(const ChunkColumn& column) {
  return !std::ranges::all_of(column.values, telemetry::is_absent);
}

std::optional<ColumnName> read_name(ByteReader& in) {
  const auto kind = in.byte();
  const auto number = in.varint(), metric = in.varint();
  if (!in.ok() || kind > static_cast<unsigned>(telemetry::Entity::Kind::node) || number > 0xffff || metric > 0xffff) return std::nullopt;
  return ColumnName{{static_cast<telemetry::Entity::Kind>(kind), static_cast<std::uint16_t>(number)},
                    static_cast<telemetry::MetricId>(metric)};
}

}  // namespace

std::string encode_chunk(const Chunk& chunk) {
  assert(chunk.times.size() <= kMostChunkRows && chunk.columns.size() <= kMostChunkColumns);
  std::string directory, payloads;
  std::size_t columns = 0;
  for (const auto& column : chunk.columns) {
    assert(column.values.size() == chunk.times.size());
    if (!has_value(column)) continue;
    const auto start = payloads.size();
    encode_column(column.values, payloads);
    put_name(column.name, directory);
    put_varint(directory, payloads.size() - start);
    ++columns;
  }
  std::string out;
  put_byte(out, kVersion);
  put_varint(out, chunk.times.size());
  put_varint(out, columns);
  if (!chunk.times.empty()) put_times(chunk.times, out);
  return out + directory + payloads;
}

Result<ChunkReader> ChunkReader::open(std::string_view bytes) {
  ByteReader in(bytes);
  ChunkReader reader;
  if (in.byte() != kVersion) return corrupt("unknown version");
  const auto rows = in.varint(), columns = in.varint();
  if (!in.ok() || rows > kMostChunkRows || columns > kMostChunkColumns) return corrupt("malformed head");
  reader.times_.resize(rows);
  reader.columns_.resize(columns);
  if (auto done = reader.read_times(in); !done) return done.error();
  if (auto done = reader.read_directory(in); !done) return done.error();
  return reader;
}

Result<void> ChunkReader::read_times(ByteReader& in) {
  if (times_.empty()) return {};
  auto at = in.signed_varint();
  const auto bytes = in.take(in.varint());
  if (!in.ok() || at < 0 || at >= kMostTime) return corrupt("malformed times");
  if (auto done = decode_ints(bytes, times_.size() - 1, scratch_); !done) return done;
  times_[0] = from_unix_ms(at);
  for (std::size_t i = 1; i < times_.size(); ++i) {
    const auto step = scratch_[i - 1];
    if (step <= 0 || step >= kMostTime - at) return corrupt("times do not ascend");
    at += step;
    times_[i] = from_unix_ms(at);
  }
  return {};
}

Result<void> ChunkReader::read_directory(ByteReader& in) {
  std::vector<std::uint64_t> lengths;
  for (auto& column : columns_) {
    const auto name = read_name(in);
    if (!name || (&column != &columns_[0] && *name <= (&column - 1)->name)) return corrupt("malformed directory");
    column.name = *name;
    lengths.push_back(in.varint());
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].payload = in.take(lengths[i]);
  if (!in.ok() || !in.at_end()) return corrupt("malformed payloads");
  return {};
}

std::optional<std::size_t> ChunkReader::find(const ColumnName& name) const {
  const auto it = std::ranges::lower_bound(columns_, name, {}, &Entry::name);
  if (it == columns_.end() || it->name != name) return std::nullopt;
  return static_cast<std::size_t>(it - columns_.begin());
}

Result<void> ChunkReader::read(std::size_t column, std::vector<double>& out) {
  return decode_column(columns_[column].payload, times_.size(), out, scratch_);
}

Result<Chunk> decode_chunk(std::string_view bytes) {
  auto reader = ChunkReader::open(bytes);
  if (!reader) return reader.error();
  Chunk chunk{{reader->times().begin(), reader->times().end()}, {}};
  for (std::size_t i = 0; i < reader->columns(); ++i) {
    ChunkColumn column{reader->name(i), {}};
    if (auto done = reader->read(i, column.values); !done) return done.error();
    chunk.columns.push_back(std::move(column));
  }
  return chunk;
}

}  // namespace ghm::store
