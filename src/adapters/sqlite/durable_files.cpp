#include "adapters/sqlite/durable_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/handle.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 1 << 20;

Error failed(const fs::path& path) {
  const int code = errno;
  const char* advice = code == ENOSPC || code == EDQUOT  ? "; free some space, or choose another folder"
                       : code == EACCES || code == EPERM ? "; look at its owner and permissions"
                                                         : "";
  return {code == ENOENT ? Errc::not_found : Errc::unavailable, fmt::format("{}: {}{}", path.string(), std::strerror(code), advice)};
}

class File {
 public:
  File(const fs::path& path, int flags) : file_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool open() const { return file_ >= 0; }
  int get() const { return file_; }

 private:
  int file_;
};

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const char* bytes, std::size_t n) { EVP_DigestUpdate(context_.get(), bytes, n); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_{EVP_MD_CTX_new()};
};

bool write_all(int file, const char* bytes, std::size_t n) {
  while (n > 0) {
    const auto done = ::write(file, bytes, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    n -= static_cast<std::size_t>(done);
  }
  return true;
}

// Reads `from` to its end; `to` < 0 writes nothing.
Result<std::string> pass_through(const fs::path& from, const fs::path& target, int to, const Copied& heard) {
  const File in(from, O_RDONLY);
  if (!in.open()) return failed(from);
  Sha256 sum;
  std::vector<char> block(kBlock);
  for (;;) {
    const auto n = ::read(in.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(from);
    if (n == 0) return sum.hex();
    const auto size = static_cast<std::size_t>(n);
    if (to >= 0 && !write_all(to, block.data(), size)) return failed(target);
    sum.add(block.data(), size);
    if (heard) heard(size);
  }
}

}  // namespace

Result<std::string> sha256_of_file(const fs::path& path, const Copied& read) {
  return pass_through(path, {}, -1, read);
}

Result<std::string> copy_durably(const fs::path& from, const fs::path& to, const Copied& copied) {
  const File out(to, O_WRONLY | O_CREAT | O_TRUNC);
  if (!out.open()) return failed(to);
  auto sum = pass_through(from, to, out.get(), copied);
  if (sum && ::fsync(out.get()) != 0) return failed(to);
  return sum;
}

Result<void> sync_path(const fs::path& path) {
  const File file(path, O_RDONLY);
  if (!file.open() || ::fsync(file.get()) != 0) return failed(path);
  return {};
}

Result<void> rename_over(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed(to);
  return {};
}

}  // namespace ghm::sqlite
