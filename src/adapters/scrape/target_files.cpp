#include "adapters/scrape/target_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <filesystem>
#include <unordered_set>

#include "adapters/scrape/address.h"
#include "core/files.h"

namespace ghm::scrape {
namespace {

namespace fs = std::filesystem;
using telemetry::Target;

constexpr std::size_t kLargestFile = 64u << 20;

bool is_glob(const std::string& pattern) {
  return fs::path(pattern).filename().string().find_first_of("*?[") != std::string::npos;
}

// A plain path is one file whether it exists or not; a glob is what it finds now.
std::vector<std::string> matching(const std::string& pattern) {
  if (!is_glob(pattern)) return {pattern};
  const fs::path path(pattern);
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> found;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored))
    if (::fnmatch(path.filename().c_str(), entry->path().filename().c_str(), FNM_PERIOD) == 0)
      found.push_back((path.parent_path() / entry->path().filename()).string());
  return found;
}

Result<std::vector<Target>> read(const std::string& path, const TargetGroup& group) {
  const auto text = read_file(path, kLargestFile);
  if (!text) return text.error();
  return parse_targets(*text, path, group);
}

}  // namespace

TargetFiles::News TargetFiles::look(const TargetGroup& group) {
  News news;
  const auto now = matching(pattern_);
  news.changed = std::erase_if(files_, [&](const auto& file) { return std::ranges::find(now, file.first) == now.end(); }) > 0;
  for (const auto& path : now) {
    const auto stamp = stamp_of(path);
    const auto [file, fresh] = files_.try_emplace(path);
    if (!fresh && file->second.stamp == stamp) continue;
    file->second.stamp = stamp;
    auto targets = read(path, group);
    news.changed |= targets.has_value();
    if (targets) file->second.targets = std::move(*targets);
    else news.errors.push_back(targets.error());
  }
  return news;
}

void TargetFiles::append_to(std::vector<Target>& all) const {
  for (const auto& [path, file] : files_) all.insert(all.end(), file.targets.begin(), file.targets.end());
}

Result<std::vector<Target>> static_targets(const TargetGroup& group) {
  std::vector<Target> all;
  for (const auto& text : group.targets) {
    auto address = normalize_address(text);
    if (!address) return address.error();
    all.push_back({std::move(*address), group.labels, group.access});
  }
  return all;
}

std::vector<Target> without_repeats(std::vector<Target> all) {
  std::unordered_set<std::string> seen;
  std::erase_if(all, [&](const Target& t) { return !seen.insert(t.address).second; });
  return all;
}

Result<std::vector<Target>> read_targets(const std::vector<TargetGroup>& groups) {
  std::vector<Target> all;
  for (const auto& group : groups) {
    auto fixed = static_targets(group);
    if (!fixed) return fixed.error();
    all.insert(all.end(), fixed->begin(), fixed->end());
    for (const auto& pattern : group.file_sd) {
      TargetFiles files(pattern);
      if (const auto news = files.look(group); !news.errors.empty()) return news.errors.front();
      files.append_to(all);
    }
  }
  return without_repeats(std::move(all));
}

}  // namespace ghm::scrape
