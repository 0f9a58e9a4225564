#include "adapters/dcgm_exporter/page_template.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <unordered_map>

#include "adapters/dcgm_exporter/careful_reader.h"
#include "core/decimal.h"

namespace ghm::dcgm_exporter {
namespace {

using Value = PageShape::Value;

bool same_bytes(const char* a, const char* b, std::size_t n) {
  return std::memcmp(a, b, n) == 0;
}

bool ends_value(char c) {
  return c == '\n' || is_blank(c);
}

// The value at `p`; returns where it ends, or nullptr when it is no number.
const char* read_number(const char* p, const char* end, double& out) {
  const char* plain = read_plain_decimal(p, end, out);
  if (plain && (plain == end || ends_value(*plain))) return plain;
  const char* const stop = std::find_if(p, end, ends_value);
  const auto number = parse_float({p, static_cast<std::size_t>(stop - p)});
  if (!number) return nullptr;
  out = *number;
  return stop;
}

const char* end_of_line(const char* p, const char* end) {
  const auto* newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
  return newline ? newline : end;
}

bool has_refused_number(const telemetry::PageReading& reading) {
  return std::ranges::any_of(reading.refused, [](const telemetry::Refusal& r) {
    return r.reason == telemetry::Reason::unknown_identity || r.reason == telemetry::Reason::duplicate || parse_rest(r.value).number;
  });
}

}  // namespace

/// Cuts a page that the careful reader knows into literals, label strings and values.
class PageTemplate::Builder {
 public:
  Builder(std::string_view page, const CarefulReader& reader, const std::vector<PageTemplate>& known, std::size_t columns)
      : page_(page), reader_(reader), cut_(page.data()), filled_(columns, false) {
    for (const auto& t : known)
      for (const auto& label : t.labels_) shared_.emplace(*label, label);
    shape_.conversions = reader.conversions();
    shape_.columns = columns;
    label_number("");
  }

  bool build() {
    const bool fits = for_each_line(page_, [&](std::string_view line) { return line.front() == '#' || add(line); });
    shape_.text.append(cut_, page_.data() + page_.size());
    return fits;
  }

  PageShape shape_;
  std::vector<LabelText> labels_;

 private:
  bool add(std::string_view line) {
    const auto parts = split_line(line);
    const auto& row = reader_.row_of(line, parts);
    const char* const value = parts.rest.data();
    switch (row.kind) {
      case RowKind::unknown_family:
        ++shape_.unknown_lines;
        if (parts.rest.empty()) break;  // its name may go on in the next page: the end of the line has to be verified
        return add_op(parts, value, Value::skip, row, end_of_line(value, page_.data() + page_.size()));
      case RowKind::reading:
        if (parse_rest(parts.rest).number) return add_reading(parts, row);
        break;
      default: break;
    }
    return add_op(parts, line.data() + line.size(), Value::none, row, line.data() + line.size());
  }

  bool add_reading(const LineParts& parts, const CarefulReader::Row& row) {
    const char* const value = parts.rest.data();
    auto filled = filled_[static_cast<std::size_t>(row.column)];
    shape_.repeated_lines += filled;
    const auto what = filled ? Value::repeat : Value::take;
    filled = true;
    return add_op(parts, value, what, row, value + parts.rest.size());
  }

  // The host's string runs from the line's '{' to `label_end`; before it the fleet's text, behind it a value up to `next`.
  bool add_op(const LineParts& parts, const char* label_end, Value what, const CarefulReader::Row& row, const char* next) {
    const auto brace = parts.prefix.find('{');
    const char* const label = brace == parts.prefix.npos ? label_end : parts.prefix.data() + brace;
    const auto number = label_number({label, static_cast<std::size_t>(label_end - label)});
    if (number > PageShape::kMostLabels) return false;
    shape_.text.append(cut_, label);
    shape_.ops.push_back({static_cast<std::uint32_t>(label - cut_), static_cast<std::uint16_t>(number), what, row.conversion, row.column});
    cut_ = next;
    return true;
  }

  std::size_t label_number(std::string_view text) {
    const auto [it, fresh] = numbers_.try_emplace(std::string(text), labels_.size());
    if (!fresh) return it->second;
    const auto known = shared_.find(text);
    labels_.push_back(known != shared_.end() ? known->second : std::make_shared<const std::string>(text));
    return it->second;
  }

  std::string_view page_;
  const CarefulReader& reader_;
  const char* cut_;
  std::vector<bool> filled_;
  std::unordered_map<std::string_view, LabelText> shared_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

std::optional<PageTemplate> PageTemplate::make(std::string_view page, const telemetry::PageReading& reading, const CarefulReader& reader,
                                               const std::vector<PageTemplate>& known, LayoutPool& pool) {
  if (!reading.stamps.empty() || reading.refused.size() >= kMostRefusals || has_refused_number(reading)) return std::nullopt;
  Builder builder(page, reader, known, reading.values.size());
  if (!builder.build()) return std::nullopt;
  PageTemplate out;
  out.shape_ = pool.shape(std::move(builder.shape_));
  out.layout_ = reading.layout;
  out.labels_ = std::move(builder.labels_);
  for (const auto& label : out.labels_) out.views_.push_back({label->data(), label->size()});
  out.refused_ = reading.refused;
  return out;
}

bool PageTemplate::read(std::string_view page, telemetry::PageReading& out) const {
  const char* p = page.data();
  const char* const end = p + page.size();
  const char* text = shape_->text.data();
  out.values.assign(shape_->columns, telemetry::absent());
  double number = 0;
  for (const auto& op : shape_->ops) {
    const auto& label = views_[op.label];
    if (static_cast<std::size_t>(end - p) < op.literal + label.size) return false;
    if (!same_bytes(p, text, op.literal) || !same_bytes(p + op.literal, label.data, label.size)) return false;
    p += op.literal + label.size;
    text += op.literal;
    if (op.value == Value::none) continue;
    if (op.value == Value::skip) {
      p = end_of_line(p, end);
      continue;
    }
    p = read_number(p, end, number);
    if (!p) return false;
    if (op.conversion != 0) number = shape_->conversions[op.conversion](number);
    double& slot = out.values[static_cast<std::size_t>(op.column)];
    if (op.value == Value::take) slot = number;
    else if (!same_value(slot, number)) return false;
  }
  const auto tail = static_cast<std::size_t>(shape_->text.data() + shape_->text.size() - text);
  if (static_cast<std::size_t>(end - p) != tail || !same_bytes(p, text, tail)) return false;
  out.layout = layout_;
  out.refused = refused_;
  out.stamps.clear();
  out.unknown_lines = shape_->unknown_lines;
  out.repeated_lines = shape_->repeated_lines;
  return true;
}

}  // namespace ghm::dcgm_exporter
