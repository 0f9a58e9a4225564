#include "adapters/archive/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/files.h"

namespace ghm::archive {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostManifestBytes = 1 << 20;
constexpr std::size_t kWholeUpTo = 16 << 20, kEndBytes = 64 << 10;

Error missing(const fs::path& path, std::string_view what) {
  return {Errc::not_found, fmt::format("{}: {}: is this the folder of a fleet archive?", path.string(), what)};
}

TableFile table_file(const fs::path& path, std::string name) {
  std::error_code failed;
  const auto bytes = fs::file_size(path, failed);
  return {std::move(name), path, failed ? 0 : bytes};
}

Error twice(const std::string& a, const std::string& b) {
  return {Errc::invalid_input, fmt::format("{} and {} are both there: keep one of them", a, b)};
}

Result<std::optional<TableFile>> find_table(const fs::path& folder, const std::string& name) {
  const auto plain = folder / name, packed = folder / (name + ".zst");
  const bool has_plain = fs::exists(plain), has_packed = fs::exists(packed);
  if (has_plain && has_packed) return twice(plain.string(), packed.string());
  if (has_plain) return std::optional(table_file(plain, name));
  if (has_packed) return std::optional(table_file(packed, name + ".zst"));
  return std::optional<TableFile>();
}

bool is_table(const fs::path& path) {
  const auto name = path.filename().string();
  return !name.starts_with('.') && (name.ends_with(".csv") || name.ends_with(".csv.zst"));
}

std::string stem_of(const TableFile& t) {
  return t.name.ends_with(".zst") ? t.name.substr(0, t.name.size() - 4) : t.name;
}

Result<std::vector<TableFile>> list_telemetry(const fs::path& folder) {
  std::vector<TableFile> found;
  std::error_code failed;
  if (!fs::exists(folder)) return found;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    if (is_table(it->path())) found.push_back(table_file(it->path(), "telemetry/" + it->path().filename().string()));
  if (failed) return Error{Errc::unavailable, fmt::format("{}: {}", folder.string(), failed.message())};
  std::ranges::sort(found, {}, &TableFile::name);
  for (std::size_t i = 1; i < found.size(); ++i)
    if (stem_of(found[i]) == stem_of(found[i - 1])) return twice(found[i - 1].path.string(), found[i].path.string());
  return found;
}

/// FNV-1a: tells archives apart, guards against nothing.
class Identity {
 public:
  void add(std::string_view bytes) {
    for (const unsigned char c : bytes) hash_ = (hash_ ^ c) * 0x100000001b3ull;
    hash_ = (hash_ ^ bytes.size()) * 0x100000001b3ull;
  }
  void add_table(const TableFile& t) {
    add(t.name);
    add(std::to_string(t.bytes));
    std::ifstream in(t.path, std::ios::binary);
    if (t.bytes <= kWholeUpTo) return add_bytes(in, 0, t.bytes);
    add_bytes(in, 0, kEndBytes);
    add_bytes(in, t.bytes - kEndBytes, kEndBytes);
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void add_bytes(std::ifstream& in, std::uint64_t from, std::uint64_t count) {
    std::string bytes(count, '\0');
    in.seekg(static_cast<std::streamoff>(from));
    in.read(bytes.data(), static_cast<std::streamsize>(count));
    add(std::string_view(bytes).substr(0, static_cast<std::size_t>(in.gcount())));
  }
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

}  // namespace

std::uint64_t Folder::telemetry_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& t : telemetry) sum += t.bytes;
  return sum;
}

Result<Folder> Folder::open(const fs::path& path) try {
  if (!fs::is_directory(path)) return missing(path, "no such folder");
  const auto manifest_path = path / "manifest.json";
  if (!fs::exists(manifest_path)) return missing(path, "manifest.json is missing");
  const auto json = read_file(manifest_path, kMostManifestBytes);
  if (!json) return json.error();
  auto manifest = parse_manifest(*json, manifest_path.string());
  if (!manifest) return manifest.error();
  Folder f;
  f.path = path;
  f.manifest = std::move(*manifest);
  f.name = f.manifest.name.empty() ? fs::weakly_canonical(path).filename().string() : f.manifest.name;
  auto assets = find_table(path, "assets.csv"), events = find_table(path, "events.csv"), failures = find_table(path, "failures.csv");
  for (const auto* table : {&assets, &events, &failures})
    if (!*table) return table->error();
  if (!*assets) return missing(path, "assets.csv is missing");
  f.assets = std::move(**assets);
  f.events = std::move(*events);
  f.failures = std::move(*failures);
  auto telemetry = list_telemetry(path / "telemetry");
  if (!telemetry) return telemetry.error();
  f.telemetry = std::move(*telemetry);
  Identity identity;
  identity.add(*json);
  identity.add_table(f.assets);
  for (const auto* table : {&f.events, &f.failures})
    if (*table) identity.add_table(**table);
  for (const auto& table : f.telemetry) identity.add_table(table);
  f.identity = identity.text();
  return f;
} catch (const fs::filesystem_error& e) {
  return Error{Errc::unavailable, fmt::format("{}: {}", path.string(), e.code().message())};
}

}  // namespace ghm::archive
