#include "adapters/scrape/watched_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/files.h"

namespace ghm::scrape {
namespace {

constexpr std::size_t kLongestSecret = 64u << 10;

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_ino, static_cast<std::uint64_t>(s.st_size), s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec, true};
}

Result<std::string_view> SecretFiles::text(const std::string& path) {
  const auto stamp = stamp_of(path);
  if (const auto known = secrets_.find(path); known != secrets_.end() && known->second.stamp == stamp && stamp.exists)
    return std::string_view(known->second.text);
  auto text = read_file(path, kLongestSecret);
  if (!text) return text.error();
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  const auto printable = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
  if (text->empty() || !std::ranges::all_of(*text, printable))
    return Error{Errc::invalid_input, fmt::format("{}: expected one line with the secret", path)};
  return std::string_view((secrets_[path] = {stamp, std::move(*text)}).text);
}

}  // namespace ghm::scrape
