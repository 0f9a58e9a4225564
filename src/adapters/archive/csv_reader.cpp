// Before each record the buffer holds the longest possible one, or all there is: so a record is looked at in one piece, and
// nearly every one is a line without a quote, cut at its commas where it lies.
#include "adapters/archive/csv_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ghm::archive {
namespace {

constexpr std::size_t kBufferBytes = 4 * kMostRecordBytes;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvReader::CsvReader(std::unique_ptr<ByteStream> in) : in_(std::move(in)), buffer_(kBufferBytes, '\0') {
  unquoted_.reserve(kMostRecordBytes);  // cells point into it: it must not move
}

Result<void> CsvReader::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  dropped_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  while (!ended_ && end_ < buffer_.size()) {
    auto n = in_->read(std::span(buffer_).subspan(end_));
    if (!n) return n.error();
    ended_ = *n == 0;
    end_ += *n;
  }
  return {};
}

Result<bool> CsvReader::skip(Place to) {
  assert(to.offset >= dropped_ + begin_);
  while (dropped_ + end_ < to.offset && !ended_) {
    begin_ = end_;
    if (auto done = fill(); !done) return done.error();
  }
  if (dropped_ + end_ < to.offset) return false;
  begin_ = static_cast<std::size_t>(to.offset - dropped_);
  next_line_ = to.line;
  started_ |= to.offset > 0;
  return true;
}

void CsvReader::take(std::size_t bytes, std::size_t lines) {
  begin_ += bytes;
  next_line_ += lines;
}

Result<CsvReader::Got> CsvReader::next() {
  for (;;) {
    // One byte more than a record: its line end.
    if (end_ - begin_ <= kMostRecordBytes + 1 && !ended_)
      if (auto done = fill(); !done) return done.error();
    if (!std::exchange(started_, true) && text().starts_with(kByteOrderMark)) begin_ += kByteOrderMark.size();
    line_ = next_line_;
    if (begin_ == end_) return Got::end;
    const auto found = text().substr(0, kMostRecordBytes + 1).find('\n');
    const bool last = found == std::string_view::npos;
    if (last && (!ended_ || end_ - begin_ > kMostRecordBytes)) return refuse_long_line();
    const auto bytes = last ? end_ - begin_ : found + 1;
    auto line = text().substr(0, last ? bytes : found);
    if (line.find('"') != std::string_view::npos) return take_quoted();
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) return take_plain(line, bytes);
    take(bytes, 1);
  }
}

CsvReader::Got CsvReader::take_plain(std::string_view line, std::size_t bytes) {
  cells_.clear();
  const char* from = line.data();
  const char* const end = from + line.size();
  for (const char* p = from; p != end; ++p)
    if (*p == ',') {
      cells_.emplace_back(from, static_cast<std::size_t>(p - from));
      from = p + 1;
    }
  cells_.emplace_back(from, static_cast<std::size_t>(end - from));
  take(bytes, 1);
  return Got::row;
}

CsvReader::Got CsvReader::take_quoted() {
  cells_.clear();
  unquoted_.clear();
  const auto all = text().substr(0, kMostRecordBytes);
  std::size_t at = 0, lines = 0;
  for (;;) {
    if (at < all.size() && all[at] == '"') {
      const auto start = unquoted_.size();
      for (++at;; ++at) {
        if (at >= all.size()) return refuse_line("a quote is not closed");
        if (all[at] == '"' && (at + 1 >= all.size() || all[at + 1] != '"')) break;
        if (all[at] == '"') ++at;
        lines += all[at] == '\n';
        unquoted_ += all[at];
      }
      ++at;
      cells_.emplace_back(unquoted_.data() + start, unquoted_.size() - start);
    } else {
      const auto stop = std::min(all.find_first_of(",\n", at), all.size());
      auto cell = all.substr(at, stop - at);
      at = stop;
      if ((at == all.size() || all[at] == '\n') && cell.ends_with('\r')) cell.remove_suffix(1);
      cells_.push_back(cell);
    }
    if (all.substr(at).starts_with("\r\n")) ++at;
    if (at == all.size() && all.size() < end_ - begin_ && text()[at] != '\n') return refuse_line("the record is longer than 1 MiB");
    if (at == all.size() || all[at] == '\n') break;
    if (all[at] != ',') return refuse_line("there is text behind a closing quote");
    ++at;
  }
  take(std::min(at + 1, end_ - begin_), lines + 1);
  return Got::row;
}

CsvReader::Got CsvReader::refuse_line(std::string_view why) {
  trouble_ = why;
  const auto found = text().find('\n');
  take(found == std::string_view::npos ? end_ - begin_ : found + 1, 1);
  return Got::malformed;
}

Result<CsvReader::Got> CsvReader::refuse_long_line() {
  trouble_ = "the line is longer than 1 MiB";
  for (;;) {
    const auto found = text().find('\n');
    if (found != std::string_view::npos || ended_) return refuse_line(trouble_);
    begin_ = end_;
    if (auto done = fill(); !done) return done.error();
  }
}

}  // namespace ghm::archive
