// Most values of a page do not change between two scrapes, and those that do move by a little in their last digit.
// So a row is (1) which columns changed, as a bitmap or as gaps, whichever is shorter, and (2) per changed column the
// difference of decimal mantissas at the column's scale as a zigzag varint, plus one; 0 escapes to an absolute value
// (another scale, raw 8 bytes, absent). A column that is raw stays raw until the next key row, so that numbers without a
// short decimal form are not searched for one at every row.
#include "domain/store/row_codec.h"

#include <algorithm>
#include <cassert>

#include "domain/store/bytes.h"
#include "domain/store/decimal.h"
#include "domain/telemetry/page.h"

namespace ghm::store {
namespace {

enum Form : std::uint8_t { kKey = 0, kBitmap = 1, kGaps = 2 };
constexpr std::uint8_t kRaw = 0xFE, kAbsent = 0xFF;                // kinds beside the scales 0..kMostScale
constexpr std::size_t kMostValueBytes = 1 + 1 + kMostVarintBytes;  // escape, kind, mantissa

Error corrupt(const char* what) {
  return Error{Errc::corrupt, std::string("row: ") + what};
}

}  // namespace

void RowState::reset(std::span<const double> values) {
  values_.assign(values.begin(), values.end());
  mantissa_.assign(values.size(), 0);
  scale_.assign(values.size(), kRaw);
}

class RowWriter {
 public:
  RowWriter(RowState& state, std::string& out, std::size_t room) : s_(state), out_(out), used_(out.size()) {
    out_.resize(used_ + room);
    p_ = out_.data() + used_;
  }
  ~RowWriter() { out_.resize(static_cast<std::size_t>(p_ - out_.data())); }
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  void byte(std::uint8_t b) { *p_++ = static_cast<char>(b); }
  void varint(std::uint64_t v) { p_ = write_varint(p_, v); }

  // A reader may start here: a column without a value must not lean on what this end still remembers of it.
  void key(std::size_t i, double value) {
    if (telemetry::is_absent(value)) forget(i);
    absolute(i, value);
  }

  void absolute(std::size_t i, double value) {
    s_.values_[i] = value;
    if (telemetry::is_absent(value)) return byte(kAbsent);  // mantissa and scale wait for the value's return
    if (const auto scale = scale_for(i, value)) return decimal(i, value, *scale);
    s_.scale_[i] = kRaw;
    raw(value);
  }

  void next(std::size_t i, double value) {
    const auto scale = s_.scale_[i];
    if (scale <= kMostScale && !telemetry::is_absent(value)) {
      if (const auto mantissa = to_mantissa(value, scale)) {
        varint(zigzag(*mantissa - s_.mantissa_[i]) + 1);
        s_.mantissa_[i] = *mantissa;
        s_.values_[i] = value;
        return;
      }
    }
    byte(0);
    const bool stays_raw = scale == kRaw && !telemetry::is_absent(s_.values_[i]);
    if (!stays_raw || telemetry::is_absent(value)) return absolute(i, value);
    s_.values_[i] = value;
    raw(value);
  }

  void next_row(std::span<const double> values) {
    which_changed(values);
    for (const auto i : s_.changed_) next(i, values[i]);
  }

 private:
  void which_changed(std::span<const double> values) {
    collect_changed(values);
    const std::size_t bitmap_bytes = (values.size() + 7) / 8;
    if (s_.changed_.size() < bitmap_bytes) return gaps();
    byte(kBitmap);
    std::memset(p_, 0, bitmap_bytes);
    for (const auto i : s_.changed_) p_[i / 8] = static_cast<char>(p_[i / 8] | 1 << i % 8);
    p_ += bitmap_bytes;
  }

  void forget(std::size_t i) {
    s_.mantissa_[i] = 0;
    s_.scale_[i] = kRaw;
  }
  std::optional<int> scale_for(std::size_t i, double value) const {
    const auto known = s_.scale_[i];
    if (known <= kMostScale && to_mantissa(value, known)) return known;  // 71.5 after 71.25 keeps two digits
    return find_scale(value);
  }
  void decimal(std::size_t i, double value, int scale) {
    s_.scale_[i] = static_cast<std::uint8_t>(scale);
    s_.mantissa_[i] = *to_mantissa(value, scale);
    byte(s_.scale_[i]);
    varint(zigzag(s_.mantissa_[i]));
  }
  void raw(double value) {
    byte(kRaw);
    std::memcpy(p_, &value, sizeof value);
    p_ += sizeof value;
  }
  void gaps() {
    byte(kGaps);
    varint(s_.changed_.size());
    std::uint32_t next = 0;
    for (const auto i : s_.changed_) {
      varint(i - next);
      next = i + 1;
    }
  }
  // Branch-free: at every column the index is written, and kept when the column differs.
  void collect_changed(std::span<const double> values) {
    s_.changed_.resize(values.size());
    auto* out = s_.changed_.data();
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      *out = i;
      out += !same_bits(values[i], s_.values_[i]);
    }
    s_.changed_.resize(static_cast<std::size_t>(out - s_.changed_.data()));
  }

  RowState& s_;
  std::string& out_;
  std::size_t used_;
  char* p_;
};

void encode_key_row(std::span<const double> values, RowState& state, std::string& out) {
  assert(values.size() <= kMostRowColumns);
  if (state.size() != values.size()) state.reset(values);
  RowWriter w(state, out, 1 + values.size() * kMostValueBytes);
  w.byte(kKey);
  for (std::size_t i = 0; i < values.size(); ++i) w.key(i, values[i]);
}

void encode_next_row(std::span<const double> values, RowState& state, std::string& out) {
  assert(values.size() == state.size());
  RowWriter w(state, out, 1 + kMostVarintBytes + values.size() * (1 + kMostValueBytes));
  w.next_row(values);
}

class RowParser {
 public:
  RowParser(std::string_view bytes, RowState& state) : in_(bytes), s_(state) {}

  Result<void> parse(std::size_t columns) {
    const auto form = in_.byte();
    if (form != kKey && columns != s_.size()) return corrupt("it follows a row with other columns");
    switch (form) {
      case kKey: key(columns); break;
      case kBitmap: bitmap(); break;
      case kGaps: gaps(); break;
      default: return corrupt("unknown form");
    }
    if (form != kKey)
      for (const auto i : s_.changed_) next(i);
    if (!good_ || !in_.ok() || !in_.at_end()) return corrupt("malformed");
    return {};
  }

 private:
  void key(std::size_t columns) {
    if (columns > in_.left()) {  // every value takes a byte at least: no allocation on a claim alone
      good_ = false;
      return;
    }
    s_.values_.resize(columns);
    s_.mantissa_.assign(columns, 0);
    s_.scale_.assign(columns, kRaw);
    for (std::size_t i = 0; i < columns; ++i) absolute(i);
  }
  void bitmap() {
    const auto bits = in_.take((s_.size() + 7) / 8);
    s_.changed_.clear();
    for (std::size_t at = 0; at < bits.size(); ++at)
      for (auto b = static_cast<std::uint8_t>(bits[at]); b != 0; b = static_cast<std::uint8_t>(b & (b - 1)))
        note_changed(at * 8 + static_cast<std::size_t>(std::countr_zero(b)));
  }
  void gaps() {
    const auto count = in_.varint();
    s_.changed_.clear();
    if (count > s_.size()) good_ = false;
    std::uint64_t at = 0;
    for (std::uint64_t n = 0; good_ && in_.ok() && n < count; ++n) {
      const auto gap = in_.varint();
      if (gap >= s_.size()) good_ = false;
      note_changed(at + gap);
      at += gap + 1;
    }
  }
  void note_changed(std::uint64_t i) {
    if (i < s_.size()) s_.changed_.push_back(static_cast<std::uint32_t>(i));
    else good_ = false;
  }
  void next(std::size_t i) {
    const auto token = in_.varint();
    if (token == 0) return absolute(i);
    if (s_.scale_[i] > kMostScale) {
      good_ = false;
      return;
    }
    set(i, static_cast<std::int64_t>(static_cast<std::uint64_t>(s_.mantissa_[i]) + static_cast<std::uint64_t>(unzigzag(token - 1))));
  }
  void absolute(std::size_t i) {
    const auto kind = in_.byte();
    if (kind == kAbsent) {
      s_.values_[i] = telemetry::absent();
    } else if (kind == kRaw) {
      s_.scale_[i] = kRaw;
      s_.values_[i] = in_.raw_double();
    } else if (kind <= kMostScale) {
      s_.scale_[i] = kind;
      set(i, in_.signed_varint());
    } else {
      good_ = false;
    }
  }
  void set(std::size_t i, std::int64_t mantissa) {
    s_.mantissa_[i] = mantissa;
    s_.values_[i] = from_mantissa(mantissa, s_.scale_[i]);
  }

  ByteReader in_;
  RowState& s_;
  bool good_ = true;
};

Result<void> decode_row(std::string_view bytes, std::size_t columns, RowState& state) {
  return RowParser(bytes, state).parse(columns);
}

}  // namespace ghm::store
