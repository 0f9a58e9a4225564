#include "adapters/archive/byte_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/handle.h"

namespace ghm::archive {
namespace {

namespace fs = std::filesystem;
constexpr int kCompressionLevel = 3;
constexpr std::size_t kBlock = 1 << 18;

class FileSink final : public ByteSink {
 public:
  FileSink(fs::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~FileSink() override {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(draft().c_str());
  }
  static std::string draft_of(const fs::path& path) { return path.string() + ".part"; }

  Result<void> write(std::string_view bytes) override {
    waiting_ += bytes;
    return waiting_.size() < kBlock ? Result<void>() : flush();
  }

  Result<void> finish() override {
    if (auto done = flush(); !done) return done;
    if (::fsync(fd_) != 0 || ::rename(draft().c_str(), path_.c_str()) != 0) return failed();
    ::close(std::exchange(fd_, -1));
    const int folder = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return failed();
    const bool synced = ::fsync(folder) == 0;  // the rename is durable only once the folder is
    ::close(folder);
    return synced ? Result<void>() : Result<void>(failed());
  }

 private:
  std::string draft() const { return draft_of(path_); }
  Error failed() const { return {Errc::unavailable, fmt::format("{}: {}", path_.string(), std::strerror(errno))}; }
  Result<void> flush() {
    std::size_t done = 0;
    while (done < waiting_.size()) {
      const auto n = ::write(fd_, waiting_.data() + done, waiting_.size() - done);
      if (n < 0 && errno != EINTR) return failed();
      done += n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    waiting_.clear();
    return {};
  }

  fs::path path_;
  int fd_;
  std::string waiting_;
};

class ZstdSink final : public ByteSink {
 public:
  explicit ZstdSink(std::unique_ptr<ByteSink> below) : below_(std::move(below)), encoder_(ZSTD_createCStream()), out_(kBlock, '\0') {
    ZSTD_CCtx_setParameter(encoder_.get(), ZSTD_c_compressionLevel, kCompressionLevel);
    ZSTD_CCtx_setParameter(encoder_.get(), ZSTD_c_checksumFlag, 1);
  }
  Result<void> write(std::string_view bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size)
      if (auto left = pack(in, ZSTD_e_continue); !left) return left.error();
    return {};
  }
  Result<void> finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    for (;;) {
      auto left = pack(in, ZSTD_e_end);
      if (!left) return left.error();
      if (*left == 0) return below_->finish();
    }
  }

 private:
  Result<std::size_t> pack(ZSTD_inBuffer& in, ZSTD_EndDirective end) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    const auto left = ZSTD_compressStream2(encoder_.get(), &out, &in, end);
    if (ZSTD_isError(left)) return Error{Errc::unavailable, fmt::format("zstd: {}", ZSTD_getErrorName(left))};
    if (auto done = below_->write(std::string_view(out_).substr(0, out.pos)); !done) return done.error();
    return left;
  }

  std::unique_ptr<ByteSink> below_;
  Handle<ZSTD_CStream, ZSTD_freeCStream> encoder_;
  std::string out_;
};

}  // namespace

Result<std::unique_ptr<ByteSink>> ByteSink::create(const fs::path& path) {
  const int fd = ::open(FileSink::draft_of(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Error{Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  std::unique_ptr<ByteSink> sink = std::make_unique<FileSink>(path, fd);
  if (path.extension() == ".zst") sink = std::make_unique<ZstdSink>(std::move(sink));
  return sink;
}

}  // namespace ghm::archive
