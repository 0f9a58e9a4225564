#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/archive/byte_stream.h"
#include "core/result.h"

namespace ghm::archive {

/// The longest record, with all the lines that its quoted cells hold.
inline constexpr std::size_t kMostRecordBytes = 1 << 20;

/// RFC 4180 from a stream of any length: quoted cells with commas, doubled quotes and line ends in them, LF or CRLF, a byte order
/// mark, a last line without its end. Empty lines are no records. Memory: 5 MiB, whatever the stream holds.
/// A malformed record (a quote that is not closed within 1 MiB, text behind a closing quote, a line over 1 MiB) costs its first
/// line: reading goes on behind it.
class CsvReader {
 public:
  explicit CsvReader(std::unique_ptr<ByteStream> in);

  enum class Got { row, malformed, end };
  /// The stream's own errors.
  Result<Got> next();
  /// Of the row; valid until the next call.
  std::span<const std::string_view> cells() const { return cells_; }
  std::string_view trouble() const { return trouble_; }  // of what is malformed, as "a quote is not closed"
  std::uint64_t line() const { return line_; }           // where the record starts, from 1

  /// Where a later reader of the same bytes goes on, by skip().
  struct Place {
    std::uint64_t offset = 0;  // in unpacked bytes: behind the record
    std::uint64_t line = 1;    // the line that starts there
  };
  Place place() const { return {dropped_ + begin_, next_line_}; }
  /// Forward only. False where the stream is shorter.
  Result<bool> skip(Place to);
  std::uint64_t bytes_of_file() const { return in_->bytes_of_file(); }

 private:
  std::string_view text() const { return {buffer_.data() + begin_, end_ - begin_}; }
  Result<void> fill();
  void take(std::size_t bytes, std::size_t lines);
  Got take_plain(std::string_view line, std::size_t bytes);
  Got take_quoted();
  Got refuse_line(std::string_view why);
  Result<Got> refuse_long_line();

  std::unique_ptr<ByteStream> in_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t dropped_ = 0;  // bytes of the stream before the buffer
  bool ended_ = false, started_ = false;
  std::vector<std::string_view> cells_;
  std::string unquoted_;  // what cells with doubled quotes say
  std::string_view trouble_;
  std::uint64_t line_ = 1, next_line_ = 1;
};

}  // namespace ghm::archive
