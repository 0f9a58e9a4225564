#include "adapters/sqlite/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "domain/store/bytes.h"

namespace ghm::sqlite {
namespace {

using store::ByteReader, store::put_byte, store::put_varint;

Error corrupt(std::uint64_t seq, std::string_view what) {
  return {Errc::corrupt, fmt::format("journal row {}: {}", seq, what)};
}

bool same_row(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

void put_checksum(std::string& out, std::string_view payload) {
  const auto sum = checksum(payload);
  char room[sizeof sum];
  std::memcpy(room, &sum, sizeof sum);
  out.append(room, sizeof sum);
}

bool checks(std::string_view payload, std::string_view stored) {
  std::uint32_t sum = 0;
  std::memcpy(&sum, stored.data(), sizeof sum);
  return sum == checksum(payload);
}

constexpr std::size_t kSumBytes = sizeof(std::uint32_t);

}  // namespace

std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15ull;  // 2^64 / golden ratio: multiplying spreads every bit upwards
  std::uint64_t h = bytes.size() * kMix;
  const auto mix = [&h](std::uint64_t word) {
    h = (h ^ word) * kMix;
    h ^= h >> 32;
  };
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof word <= bytes.size(); at += sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    mix(word);
  }
  word = 0;
  if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, bytes.size() - at);
  mix(word);
  return static_cast<std::uint32_t>(h ^ h >> 32);
}

bool JournalWriter::add(Source& s, const ColumnSet* columns, const store::RowBatch& row) {
  const bool same_columns = s.chain_columns == columns;
  if (same_columns && row.at == s.chain_at && same_row(row.values, s.chain.values())) return false;
  payload_.clear();
  RowRef ref{0, 0, 0, row.at, columns, 0};
  if (row.at <= s.chain_at) {
    store::encode_key_row(row.values, lone_, payload_);
  } else if (same_columns && s.chain_links > 0 && s.chain_links < kMostLinks && hour_of(row.at) == hour_of(s.chain_at)) {
    store::encode_next_row(row.values, s.chain, payload_);
    ref.link = ++s.chain_links;
  } else {
    store::encode_key_row(row.values, s.chain, payload_);
    ref.link = s.chain_links = 1;
  }
  if (ref.link > 0) {
    s.chain_at = row.at;
    s.chain_columns = columns;
  }
  auto& out = open_blob();
  put_varint(out, s.id);
  put_varint(out, columns->id);
  put_varint(out, static_cast<std::uint64_t>(to_unix_ms(row.at)));
  put_byte(out, ref.link);
  put_varint(out, payload_.size());
  put_checksum(out, payload_);
  ref.seq = blobs_.back().seq;
  ref.offset = static_cast<std::uint32_t>(out.size());
  ref.length = static_cast<std::uint32_t>(payload_.size());
  out += payload_;
  rows_.push_back({&s, ref, row.values});
  return true;
}

std::string& JournalWriter::open_blob() {
  if (blobs_.empty() || blobs_.back().bytes.size() >= kJournalRowBytes) blobs_.push_back({next_seq(), {}});
  return blobs_.back().bytes;
}

void JournalWriter::undo() {
  for (const auto& row : rows_) {
    auto& s = *row.source;
    s.chain.reset(s.values);
    s.chain_columns = s.columns;
    s.chain_at = s.at;
    s.chain_links = 0;
  }
}

Result<std::span<const double>> ChainReader::read(const RowRef& ref, std::string_view journal_row) {
  if (ref.offset < kSumBytes || std::uint64_t{ref.offset} + ref.length > journal_row.size()) return corrupt(ref.seq, "shorter than it was");
  const auto payload = journal_row.substr(ref.offset, ref.length);
  if (!checks(payload, journal_row.substr(ref.offset - kSumBytes, kSumBytes))) return corrupt(ref.seq, "its checksum is wrong");
  if (ref.link > 1 && links_ + 1 != ref.link) return std::span<const double>();
  auto& state = ref.link == 0 ? lone_ : chain_;
  if (auto done = store::decode_row(payload, ref.columns->size(), state); !done) return corrupt(ref.seq, done.error().what);
  if (ref.link > 0) links_ = ref.link;
  return state.values();
}

Result<void> list_rows(std::uint64_t seq, std::string_view journal_row, const ColumnSets& sets,
                       const std::function<Result<void>(std::uint32_t, const RowRef&)>& found) {
  ByteReader in(journal_row);
  while (!in.at_end()) {
    const auto source = in.varint(), columns = in.varint(), at = in.varint();
    const auto link = in.byte();
    const auto length = in.varint();
    in.take(kSumBytes);
    const auto offset = journal_row.size() - in.left();
    in.take(length);
    if (!in.ok() || source > 0xffff'ffff || at >= 253'402'300'800'000) return corrupt(seq, "malformed");
    const auto* set = sets.find(static_cast<std::uint32_t>(columns));
    if (set == nullptr) return corrupt(seq, "unknown columns");
    const RowRef ref{
        seq, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(length), from_unix_ms(static_cast<std::int64_t>(at)), set,
        link};
    if (auto done = found(static_cast<std::uint32_t>(source), ref); !done) return done;
  }
  return {};
}

Result<void> read_slice(Db& db, const HeadSlice& slice, const std::function<void(const RowRef&, std::span<const double>)>& row,
                        const std::function<void(const Error&)>& damaged) {
  auto q = db.query("select rows from journal where seq = ?1");
  if (!q) return q.error();
  ChainReader chain;
  std::uint64_t at_seq = 0;
  bool there = false;
  for (const auto& ref : slice.rows) {
    if (ref.seq != at_seq) {
      q->reset();
      const auto step = q->bind(1, static_cast<std::int64_t>(ref.seq)).step();
      if (!step) return step.error();
      there = *step;
      at_seq = ref.seq;
    }
    if (!there) {
      chain.broken();
      continue;
    }
    const auto values = chain.read(ref, q->bytes(0));
    if (!values) {
      chain.broken();
      damaged({values.error().code, fmt::format("{}: {}", db.path().string(), values.error().what)});
      continue;
    }
    if (values->size() == ref.columns->size()) row(ref, *values);
  }
  return {};
}

}  // namespace ghm::sqlite
