#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "domain/transport/segment.h"
#include "domain/transport/spool_folder.h"

namespace ghm::transport {

/// Reads the records of one file of the spool in order and passes over what is damaged. Total: any bytes give records that were
/// written, or nothing.
class SegmentReader {
 public:
  SegmentReader(const SpoolFolder& folder, std::string name);

  /// The next whole record. nullopt: none, or none yet, when the file is appended to. Records are appended whole, so what is left
  /// over is damage.
  std::optional<SpoolRecord> next();

  const std::string& name() const { return name_; }
  /// Places where bytes had to be passed over, and how many bytes in all.
  std::uint64_t damages() const { return damages_; }
  std::uint64_t damaged_bytes() const { return damaged_bytes_; }

 private:
  bool have(std::size_t n);
  void skip(std::size_t n);
  void lose_byte();
  void note_damage(std::size_t bytes);
  void pass_over_rest();

  const SpoolFolder& folder_;
  std::string name_;
  std::uint64_t at_ = 0;   // in the file: of what is next
  std::string buffer_;     // of the file from at_ - taken_ on
  std::size_t taken_ = 0;  // of the buffer
  std::uint64_t damages_ = 0, damaged_bytes_ = 0;
  bool in_damage_ = false;
};

}  // namespace ghm::transport
