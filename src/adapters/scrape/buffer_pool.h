#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace ghm::scrape {

/// Memory for one answer. It grows, is never cleared, and is used again for the next answer.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : bytes_(std::move(other.bytes_)), capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  std::size_t capacity() const { return capacity_; }

  /// At least `capacity` bytes afterwards, the first `keep` of them as before. Doubles, so that growing costs O(1) per byte.
  void grow(std::size_t capacity, std::size_t keep) {
    if (capacity <= capacity_) return;
    capacity = std::max(capacity, 2 * capacity_);
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (keep > 0) std::memcpy(bytes.get(), bytes_.get(), keep);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

/// Answers overlap little when targets have phases, so a few buffers serve thousands of targets.
class BufferPool {
 public:
  Buffer take() {
    if (free_.empty()) return {};
    Buffer b = std::move(free_.back());
    free_.pop_back();
    kept_ -= b.capacity();
    return b;
  }

  /// Kept for the next taker unless it is unusually large or enough are kept already.
  void give(Buffer b) {
    if (b.capacity() == 0 || b.capacity() > kLargestKept || kept_ + b.capacity() > kMostKept) return;
    kept_ += b.capacity();
    free_.push_back(std::move(b));
  }

 private:
  static constexpr std::size_t kLargestKept = 8u << 20, kMostKept = 32u << 20;  // bytes
  std::vector<Buffer> free_;
  std::size_t kept_ = 0;
};

}  // namespace ghm::scrape
