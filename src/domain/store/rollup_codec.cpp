// A block: version, start, width; the shapes; a directory of names and payload lengths; the payloads.
// Three things make it small. Series of one board have their readings at the same instants, so which slots are filled, and
// by how many readings, stands once per block and is referred to (a shape). Numbers of one bucket lie near each other, so
// all but one are kept as distances: max, last and first from min, the sum from count * min. A counter that climbs needs
// fewer: min is first, max is last, the increase their difference. What is no exact decimal is kept as it is.
#include "domain/store/rollup_codec.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "domain/store/column_codec.h"
#include "domain/store/decimal.h"
#include "domain/store/int_codec.h"

namespace ghm::store {
namespace {

using windows::ExactSum, windows::Int128, windows::Rollup;

constexpr unsigned kVersion = 1;
constexpr std::int64_t kMostTime = 253'402'300'800'000;        // the year 10000, in ms
constexpr std::int64_t kMostWidth = 1000ll * 3600 * 24 * 366;  // a year, in ms
constexpr std::int64_t kMostMantissa = 9'007'199'254'740'992;  // 2^53, what encode_ints takes
constexpr std::int64_t kMostCount = 1ll << 40;

// The kind of a series, and in the same byte whether it counts.
enum Kind : std::uint8_t { kFlat = 0, kGauge = 1, kClimbing = 2, kFalling = 3, kRaw = 4 };
constexpr unsigned kKindBits = 0x07, kCounter = 0x08;

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string("rollups: ") + what};
}

bool counts(const RollupSeries& s) {
  return windows::counting_of(s.name.metric) != windows::Counting::none;
}

// ---- numbers as whole multiples of one power of ten

using Ints = std::vector<std::int64_t>;

/// The numbers of a series at one scale, each list one per rollup.
struct Decimals {
  int scale = 0;
  Ints min, max, last, first, sum_rest, increase;  // sum_rest: sum - count * min
};

Int128 power(int scale) {
  return static_cast<std::int64_t>(kPowersOfTen[scale]);
}

bool raise_scale(double v, int& scale) {
  if (to_mantissa(v, scale)) return true;
  const auto larger = find_scale(v, scale + 1);
  if (larger) scale = *larger;
  return larger.has_value();
}

bool raise_scale(const ExactSum& sum, int& scale) {
  if (!sum.binary().empty()) return false;
  while (sum.units() % power(ExactSum::kUnitScale - scale) != 0) ++scale;
  return true;
}

std::optional<int> common_scale(const std::vector<Rollup>& rollups) {
  int scale = 0;
  for (const auto& r : rollups)
    for (const auto v : {r.min, r.max, r.last, r.first})
      if (!raise_scale(v, scale)) return std::nullopt;
  for (const auto& r : rollups)
    if (!raise_scale(r.sum, scale) || !raise_scale(r.increase, scale)) return std::nullopt;
  return scale;
}

bool put_if_fits(Int128 v, Ints& out) {
  if (v > kMostMantissa || v < -kMostMantissa) return false;
  out.push_back(static_cast<std::int64_t>(v));
  return true;
}

bool put_decimals(const Rollup& r, Decimals& d) {
  const auto min = to_mantissa(r.min, d.scale), max = to_mantissa(r.max, d.scale), last = to_mantissa(r.last, d.scale),
             first = to_mantissa(r.first, d.scale);
  if (!min || !max || !last || !first) return false;
  d.min.push_back(*min);
  d.max.push_back(*max);
  d.last.push_back(*last);
  d.first.push_back(*first);
  const auto unit = power(ExactSum::kUnitScale - d.scale);
  return put_if_fits(r.sum.units() / unit - Int128{*min} * static_cast<std::int64_t>(r.count), d.sum_rest) &&
         put_if_fits(r.increase.units() / unit, d.increase);
}

std::optional<Decimals> to_decimals(const std::vector<Rollup>& rollups) {
  const auto scale = common_scale(rollups);
  if (!scale) return std::nullopt;
  Decimals d;
  d.scale = *scale;
  for (const auto& r : rollups)
    if (!put_decimals(r, d)) return std::nullopt;
  return d;
}

bool all_zero(const Ints& list) {
  return std::ranges::all_of(list, [](auto v) { return v == 0; });
}

bool climbs(const Decimals& d) {
  for (std::size_t i = 0; i < d.min.size(); ++i)
    if (d.first[i] != d.min[i] || d.last[i] != d.max[i] || d.increase[i] != d.last[i] - d.first[i]) return false;
  return true;
}

Kind kind_of(const Decimals& d, bool counter) {
  const bool flat = d.min == d.max && d.min == d.last && all_zero(d.sum_rest) && all_zero(d.increase);
  if (flat && (counter ? d.first == d.min : all_zero(d.first))) return kFlat;
  if (!counter) return all_zero(d.first) && all_zero(d.increase) ? kGauge : kRaw;
  return climbs(d) ? kClimbing : kFalling;
}

Ints minus(const Ints& a, const Ints& b) {
  Ints out(a.size());
  std::ranges::transform(a, b, out.begin(), std::minus<>());
  return out;
}

// ---- writing

void put_list(std::string_view bytes, std::string& out) {
  put_varint(out, bytes.size());
  out += bytes;
}

void put_ints(const Ints& list, std::string& out) {
  std::string bytes;
  encode_ints(list, bytes);
  put_list(bytes, out);
}

template <class Field>
void put_column(const std::vector<Rollup>& rollups, Field field, std::string& out) {
  std::vector<double> values;
  for (const auto& r : rollups) values.push_back(r.*field);
  std::string bytes;
  encode_column(values, bytes);
  put_list(bytes, out);
}

// Of the wide binary number the words between its sign and its last zeros.
void put_binary(std::span<const std::uint64_t> words, std::string& out) {
  if (words.empty()) return put_byte(out, 0);
  const bool negative = words.back() >> 63 != 0;
  const std::uint64_t filler = negative ? ~std::uint64_t{0} : 0;
  std::size_t from = 0, to = words.size();
  while (from + 1 < to && words[from] == 0) ++from;
  while (to > from && words[to - 1] == filler) --to;
  put_byte(out, negative ? 2 : 1);
  put_varint(out, from);
  put_varint(out, to - from);
  for (auto i = from; i < to; ++i) put_double(out, std::bit_cast<double>(words[i]));
}

void put_sum(const ExactSum& sum, std::string& out) {
  put_signed(out, static_cast<std::int64_t>(sum.units() >> 64));
  put_varint(out, static_cast<std::uint64_t>(sum.units()));
  put_binary(sum.binary(), out);
}

void put_raw(const std::vector<Rollup>& rollups, std::string& out) {
  for (const auto field : {&Rollup::min, &Rollup::max, &Rollup::last, &Rollup::first}) put_column(rollups, field, out);
  for (const auto& r : rollups) {
    put_sum(r.sum, out);
    put_sum(r.increase, out);
  }
}

void put_decimals(const Decimals& d, Kind kind, std::string& out) {
  put_byte(out, static_cast<unsigned>(d.scale));
  if (kind == kFlat) return encode_ints(d.min, out);
  put_ints(d.min, out);
  put_ints(minus(d.max, d.min), out);
  if (kind != kClimbing) put_ints(minus(d.last, d.min), out);
  if (kind == kFalling) {
    put_ints(minus(d.first, d.min), out);
    put_ints(d.increase, out);
  }
  encode_ints(d.sum_rest, out);
}

void put_series(const RollupSeries& s, std::size_t shape, std::string& out) {
  const auto decimals = to_decimals(s.rollups);
  const auto kind = decimals ? kind_of(*decimals, counts(s)) : kRaw;
  put_byte(out, kind | (counts(s) ? kCounter : 0));
  put_varint(out, shape);
  if (kind == kRaw) put_raw(s.rollups, out);
  else put_decimals(*decimals, kind, out);
}

std::string shape_of(const RollupSeries& s, const RollupBlock& block) {
  Ints slots, readings;
  for (const auto& r : s.rollups) {
    slots.push_back((r.from - block.start) / block.width);
    readings.push_back(static_cast<std::int64_t>(r.count));
    assert(slots.back() >= 0 && slots.back() < static_cast<std::int64_t>(kMostSlots) && r.count > 0);
  }
  std::string out;
  put_varint(out, slots.size());
  put_ints(slots, out);
  encode_ints(readings, out);
  return out;
}

// Names ascend: mostly the entity is that of the name before, and the metric a little larger.
void put_name(const ColumnName& name, const ColumnName& before, std::string& out) {
  const bool same_entity = name.entity == before.entity;
  const auto metric = static_cast<std::uint64_t>(name.metric) - (same_entity ? static_cast<std::uint64_t>(before.metric) : 0);
  put_varint(out, metric << 1 | (same_entity ? 0 : 1));
  if (same_entity) return;
  put_byte(out, static_cast<unsigned>(name.entity.kind));
  put_varint(out, name.entity.number);
}

// ---- reading

std::optional<ColumnName> take_name(ByteReader& in, const ColumnName& before) {
  const auto word = in.varint();
  ColumnName name = before;
  auto metric = word >> 1;
  if ((word & 1) == 0) {
    metric += static_cast<std::uint64_t>(before.metric);
  } else {
    const auto kind = in.byte();
    const auto number = in.varint();
    if (kind > static_cast<unsigned>(telemetry::Entity::Kind::node) || number > 0xffff) return std::nullopt;
    name.entity = {static_cast<telemetry::Entity::Kind>(kind), static_cast<std::uint16_t>(number)};
  }
  if (!in.ok() || metric > 0xffff) return std::nullopt;
  name.metric = static_cast<telemetry::MetricId>(metric);
  return name;
}

Result<Ints> take_ints(ByteReader& in, std::size_t n) {
  Ints out;
  const auto bytes = in.take(in.varint());
  if (!in.ok()) return corrupt("malformed list");
  if (auto done = decode_ints(bytes, n, out); !done) return done.error();
  return out;
}

bool fits(std::int64_t v) {
  return v >= -kMostMantissa && v <= kMostMantissa;
}

/// The lists of one payload, turned into rollups, whose slots and counts are there already.
class SeriesReader {
 public:
  SeriesReader(ByteReader in, bool counter, std::vector<Rollup>& out) : in_(in), counter_(counter), out_(out) {}

  Result<void> read(unsigned kind) {
    if (kind == kRaw) return read_raw();
    scale_ = in_.byte();
    const bool fitting = kind == kFlat || (counter_ ? kind == kClimbing || kind == kFalling : kind == kGauge);
    if (!fitting || scale_ > kMostScale) return corrupt("unknown kind");
    if (kind == kFlat) return read_flat();
    return read_decimals(static_cast<Kind>(kind));
  }

 private:
  Result<void> read_flat() {
    Ints min;
    if (auto done = decode_ints(in_.rest(), out_.size(), min); !done) return done;
    for (std::size_t i = 0; i < out_.size(); ++i)
      if (!set(out_[i], {min[i], 0, 0, 0, 0, 0})) return corrupt("a number too large");
    return {};
  }

  Result<void> read_decimals(Kind kind) {
    const auto n = out_.size();
    const auto list = [&](bool there) { return there ? take_ints(in_, n) : Result<Ints>(Ints()); };
    const auto min = list(true), range = list(true), last = list(kind != kClimbing), first = list(kind == kFalling),
               increase = list(kind == kFalling);
    for (const auto* l : {&min, &range, &last, &first, &increase})
      if (!*l) return l->error();
    Ints rest;
    if (auto done = decode_ints(in_.rest(), n, rest); !done) return done;
    for (std::size_t i = 0; i < n; ++i) {
      const auto climb = (*range)[i];
      const auto lists = kind == kFalling    ? Numbers{(*min)[i], climb, (*last)[i], (*first)[i], (*increase)[i], rest[i]}
                         : kind == kClimbing ? Numbers{(*min)[i], climb, climb, 0, climb, rest[i]}
                                             : Numbers{(*min)[i], climb, (*last)[i], 0, 0, rest[i]};
      if (!set(out_[i], lists)) return corrupt("a number too large");
    }
    return {};
  }

  struct Numbers {
    std::int64_t min, range, last, first, increase, rest;  // range, last, first: above min
  };
  bool set(Rollup& r, const Numbers& n) {
    for (const auto v : {n.min, n.range, n.last, n.first, n.increase, n.rest})
      if (!fits(v)) return false;
    for (const auto v : {n.range, n.last, n.first})
      if (!fits(n.min + v)) return false;
    const auto unit = power(ExactSum::kUnitScale - scale_);
    r.min = from_mantissa(n.min, scale_);
    r.max = n.range == 0 ? r.min : from_mantissa(n.min + n.range, scale_);
    r.last = from_mantissa(n.min + n.last, scale_);
    r.first = counter_ ? from_mantissa(n.min + n.first, scale_) : 0;
    r.sum = ExactSum::of_parts((Int128{n.min} * static_cast<std::int64_t>(r.count) + n.rest) * unit, {});
    r.increase = ExactSum::of_parts(n.increase * unit, {});
    return true;
  }

  Result<void> read_raw() {
    for (const auto field : {&Rollup::min, &Rollup::max, &Rollup::last, &Rollup::first})
      if (auto done = read_column(field); !done) return done;
    for (auto& r : out_) {
      r.sum = take_sum();
      r.increase = take_sum();
    }
    if (!good_ || !in_.ok() || !in_.at_end()) return corrupt("malformed sums");
    return {};
  }

  Result<void> read_column(double Rollup::*field) {
    std::vector<double> values;
    Ints scratch;
    const auto bytes = in_.take(in_.varint());
    if (!in_.ok()) return corrupt("malformed column");
    if (auto done = decode_column(bytes, out_.size(), values, scratch); !done) return done;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) return corrupt("a value that is no number");
      out_[i].*field = values[i];
    }
    return {};
  }

  ExactSum take_sum() {
    constexpr std::int64_t kMostHigh = std::int64_t{1} << 61;  // what 2^43 terms can reach, and room to reckon with it
    const auto high = in_.signed_varint();
    const auto low = in_.varint();
    if (high >= kMostHigh || high < -kMostHigh) good_ = false;
    return ExactSum::of_parts(static_cast<Int128>(static_cast<unsigned __int128>(static_cast<std::uint64_t>(high)) << 64 | low),
                              take_binary());
  }

  std::vector<std::uint64_t> take_binary() {
    const auto sign = in_.byte();
    if (sign == 0) return {};
    const auto from = in_.varint(), n = in_.varint();
    if (sign > 2 || from > ExactSum::kBinaryWords || n > ExactSum::kBinaryWords - from) {
      good_ = false;
      return {};
    }
    const std::uint64_t filler = sign == 2 ? ~std::uint64_t{0} : 0;
    std::vector<std::uint64_t> words(ExactSum::kBinaryWords, filler);
    std::fill_n(words.begin(), from, 0);
    for (std::uint64_t i = 0; i < n; ++i) words[from + i] = std::bit_cast<std::uint64_t>(in_.raw_double());
    return words;
  }

  ByteReader in_;
  bool counter_;
  std::vector<Rollup>& out_;
  int scale_ = 0;
  bool good_ = true;
};

}  // namespace

std::string encode_rollups(const RollupBlock& block) {
  std::map<std::string, std::size_t> shape_numbers;
  std::string shapes, directory, payloads;
  std::size_t series = 0;
  ColumnName before;
  for (const auto& s : block.series) {
    if (s.rollups.empty()) continue;
    const auto [shape, fresh] = shape_numbers.try_emplace(shape_of(s, block), shape_numbers.size());
    if (fresh) put_list(shape->first, shapes);
    const auto start = payloads.size();
    put_series(s, shape->second, payloads);
    put_name(s.name, before, directory);
    put_varint(directory, payloads.size() - start);
    before = s.name;
    ++series;
  }
  std::string out;
  put_byte(out, kVersion);
  put_varint(out, static_cast<std::uint64_t>(to_unix_ms(block.start)));
  put_varint(out, static_cast<std::uint64_t>(block.width.count()));
  put_varint(out, shape_numbers.size());
  out += shapes;
  put_varint(out, series);
  return out + directory + payloads;
}

Result<RollupReader> RollupReader::open(std::string_view bytes) {
  ByteReader in(bytes);
  RollupReader reader;
  if (in.byte() != kVersion) return corrupt("unknown version");
  const auto start = in.varint(), width = in.varint();
  if (!in.ok() || start >= kMostTime || width == 0 || width > kMostWidth) return corrupt("malformed head");
  reader.start_ = from_unix_ms(static_cast<std::int64_t>(start));
  reader.width_ = std::chrono::milliseconds(width);
  if (auto done = reader.read_shapes(in); !done) return done.error();
  if (auto done = reader.read_directory(in); !done) return done.error();
  return reader;
}

Result<void> RollupReader::read_shapes(ByteReader& in) {
  const auto n = in.varint();
  if (!in.ok() || n > in.left()) return corrupt("malformed shapes");
  for (std::uint64_t i = 0; i < n; ++i) shapes_.push_back(in.take(in.varint()));
  if (!in.ok()) return corrupt("malformed shapes");
  return {};
}

Result<void> RollupReader::read_directory(ByteReader& in) {
  const auto n = in.varint();
  if (!in.ok() || n > in.left() || n > kMostChunkColumns) return corrupt("malformed directory");
  entries_.resize(n);
  std::vector<std::uint64_t> lengths(n);
  ColumnName before;
  for (std::size_t i = 0; i < n; ++i) {
    const auto name = take_name(in, before);
    if (!name || (i > 0 && *name <= before)) return corrupt("malformed directory");
    entries_[i].name = before = *name;
    lengths[i] = in.varint();
  }
  for (std::size_t i = 0; i < n; ++i) entries_[i].payload = in.take(lengths[i]);
  if (!in.ok() || !in.at_end()) return corrupt("malformed payloads");
  return {};
}

std::optional<std::size_t> RollupReader::find(const ColumnName& name) const {
  const auto it = std::ranges::lower_bound(entries_, name, {}, &Entry::name);
  if (it == entries_.end() || it->name != name) return std::nullopt;
  return static_cast<std::size_t>(it - entries_.begin());
}

Result<void> RollupReader::read_shape(std::uint64_t shape, std::vector<Rollup>& out) {
  if (shape >= shapes_.size()) return corrupt("unknown shape");
  if (shape_ != shape) {
    shape_.reset();
    ByteReader in(shapes_[shape]);
    const auto n = in.varint();
    if (!in.ok() || n == 0 || n > kMostSlots) return corrupt("malformed shape");
    auto slots = take_ints(in, n);
    if (!slots) return slots.error();
    slots_ = std::move(*slots);
    if (auto done = decode_ints(in.rest(), n, counts_); !done) return done;
    for (std::size_t i = 0; i < n; ++i)
      if (slots_[i] < (i == 0 ? 0 : slots_[i - 1] + 1) || slots_[i] >= static_cast<std::int64_t>(kMostSlots) || counts_[i] <= 0 ||
          counts_[i] > kMostCount)
        return corrupt("malformed shape");
    shape_ = shape;
  }
  out.resize(slots_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].from = start_ + slots_[i] * width_;
    out[i].count = static_cast<std::uint64_t>(counts_[i]);
  }
  return {};
}

Result<void> RollupReader::read(std::size_t i, std::vector<Rollup>& out) {
  ByteReader in(entries_[i].payload);
  const unsigned head = in.byte();
  if ((head & ~(kKindBits | kCounter)) != 0) return corrupt("unknown kind");
  const auto shape = in.varint();
  if (!in.ok()) return corrupt("malformed series");
  if (auto done = read_shape(shape, out); !done) return done;
  return SeriesReader(in, (head & kCounter) != 0, out).read(head & kKindBits);
}

Result<RollupBlock> decode_rollups(std::string_view bytes) {
  auto reader = RollupReader::open(bytes);
  if (!reader) return reader.error();
  RollupBlock block{reader->start(), reader->width(), {}};
  for (std::size_t i = 0; i < reader->series(); ++i) {
    RollupSeries s{reader->name(i), {}};
    if (auto done = reader->read(i, s.rollups); !done) return done.error();
    block.series.push_back(std::move(s));
  }
  return block;
}

}  // namespace ghm::store
