#include "adapters/archive/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/handle.h"

namespace ghm::archive {
namespace {

// What `zstd --long` writes without further word; a decoder that takes more lets a 20-byte file claim gigabytes.
constexpr int kLargestWindowLog = 27;

class File {
 public:
  static Result<File> open(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return Error{errno == ENOENT ? Errc::not_found : Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))};
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return File(fd, path.string());
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<std::size_t> read(std::span<char> room) {
    for (;;) {
      const auto n = ::read(fd_, room.data(), room.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Error{Errc::unavailable, fmt::format("{}: {}", name_, std::strerror(errno))};
      taken_ += static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
  }
  const std::string& name() const { return name_; }
  std::uint64_t taken() const { return taken_; }

 private:
  File(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  int fd_;
  std::string name_;
  std::uint64_t taken_ = 0;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(File file) : file_(std::move(file)) {}
  Result<std::size_t> read(std::span<char> room) override { return file_.read(room); }
  std::uint64_t bytes_of_file() const override { return file_.taken(); }

 private:
  File file_;
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(File file) : file_(std::move(file)), decoder_(ZSTD_createDStream()), input_(ZSTD_DStreamInSize(), '\0') {
    ZSTD_DCtx_setParameter(decoder_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  Result<std::size_t> read(std::span<char> room) override {
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    while (out.pos == 0) {
      if (waiting_.pos == waiting_.size) {
        auto more = file_.read(input_);
        if (!more) return more.error();
        if (*more == 0 && within_frame_) return corrupt("it ends in the middle: copy it again");
        if (*more == 0) return std::size_t{0};
        waiting_ = {input_.data(), *more, 0};
      }
      const auto left = ZSTD_decompressStream(decoder_.get(), &out, &waiting_);
      if (ZSTD_isError(left)) return corrupt(ZSTD_getErrorName(left));
      within_frame_ = left != 0;  // a further frame may follow
    }
    return out.pos;
  }
  std::uint64_t bytes_of_file() const override { return file_.taken(); }

 private:
  Error corrupt(std::string_view why) const {
    return {Errc::corrupt, fmt::format("{}: cannot be unpacked as zstd: {}", file_.name(), why)};
  }

  File file_;
  Handle<ZSTD_DStream, ZSTD_freeDStream> decoder_;
  std::string input_;
  ZSTD_inBuffer waiting_{nullptr, 0, 0};
  bool within_frame_ = false;
};

class TextStream final : public ByteStream {
 public:
  TextStream(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
  Result<std::size_t> read(std::span<char> room) override {
    const auto n = std::min({room.size(), piece_, text_.size() - at_});
    std::memcpy(room.data(), text_.data() + at_, n);
    at_ += n;
    return n;
  }
  std::uint64_t bytes_of_file() const override { return at_; }

 private:
  std::string_view text_;
  std::size_t piece_, at_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> ByteStream::open(const std::filesystem::path& path) {
  auto file = File::open(path);
  if (!file) return file.error();
  if (path.extension() == ".zst") return std::unique_ptr<ByteStream>(std::make_unique<ZstdStream>(std::move(*file)));
  return std::unique_ptr<ByteStream>(std::make_unique<PlainStream>(std::move(*file)));
}

std::unique_ptr<ByteStream> stream_of(std::string_view text, std::size_t piece) {
  return std::make_unique<TextStream>(text, piece);
}

}  // namespace ghm::archive
