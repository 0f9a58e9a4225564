#include "adapters/sqlite/backup_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "adapters/sqlite/durable_files.h"
#include "core/files.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::size_t kMostManifestBytes = 64 << 20;
constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kDateAndEnd = "-2026-02-09.db";
constexpr std::size_t kSha256Digits = 64;

fs::path manifest_of(const fs::path& folder) {
  return folder / kManifest;
}
fs::path draft_manifest_of(const fs::path& folder) {
  return folder / (std::string(kManifest) + std::string(kDraft));
}

Json file_json(const BackupFile& f) {
  return {{"name", f.name}, {"bytes", f.bytes}, {"sha256", f.sha256}, {"copied", format_rfc3339(f.copied)}, {"source", f.source}};
}

std::string text_of(const Json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& from, const char* key) {
  const auto found = from.find(key);
  return found != from.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool is_sha256(std::string_view text) {
  return text.size() == kSha256Digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Result<BackupFile> file_of(const Json& from, std::string_view where) {
  const Error wrong{Errc::corrupt, fmt::format("{}: an entry under `files` is no file of a backup; take another backup", where)};
  if (!from.is_object()) return wrong;
  BackupFile f{text_of(from, "name"), number_of(from, "bytes"), text_of(from, "sha256"), {}, text_of(from, "source")};
  const auto copied = parse_time(text_of(from, "copied"));
  if (!copied || !is_sha256(f.sha256) || (f.name != kMainFile && !day_of_file(f.name))) return wrong;
  f.copied = *copied;
  return f;
}

}  // namespace

std::optional<std::int64_t> day_of_file(std::string_view name) {
  if (name.size() <= kDateAndEnd.size() || !name.ends_with(".db") || name.find('/') != name.npos) return std::nullopt;
  const auto end = name.substr(name.size() - kDateAndEnd.size());
  const auto date = end.substr(1, end.size() - 4);
  if (end[0] != '-' || !std::ranges::all_of(date, [](char c) { return c == '-' || (c >= '0' && c <= '9'); })) return std::nullopt;
  const auto at = parse_time(std::string(date) + "T00:00:00Z");
  if (!at) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(*at).time_since_epoch().count();
}

const BackupFile* BackupManifest::find(std::string_view name) const {
  const auto found = std::ranges::find(files, name, &BackupFile::name);
  return found == files.end() ? nullptr : &*found;
}

std::string to_json(const BackupManifest& m) {
  Json files = Json::array();
  for (const auto& f : m.files) files.push_back(file_json(f));
  const Json all{{"ghm_backup", kFormat},          {"program", m.program},   {"schema", m.schema},
                 {"made", format_rfc3339(m.made)}, {"data_dir", m.data_dir}, {"files", files}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<BackupManifest> parse_manifest(std::string_view json, std::string_view where) {
  const auto all = Json::parse(json, nullptr, false);
  if (!all.is_object() || !all.contains("ghm_backup"))
    return Error{Errc::corrupt, fmt::format("{}: is no manifest of a backup; take another backup", where)};
  const auto format = number_of(all, "ghm_backup"), schema = number_of(all, "schema");
  if (format > kFormat)
    return Error{Errc::conflict, fmt::format("{}: made by a newer version (format {}); upgrade this program", where, format)};
  const auto made = parse_time(text_of(all, "made"));
  const auto files = all.find("files");
  if (!made || schema == 0 || schema > 1'000'000 || files == all.end() || !files->is_array())
    return Error{Errc::corrupt, fmt::format("{}: lacks what a manifest says; take another backup", where)};
  BackupManifest m{text_of(all, "program"), static_cast<int>(schema), *made, text_of(all, "data_dir"), {}};
  for (const auto& entry : *files) {
    auto f = file_of(entry, where);
    if (!f) return f.error();
    if (m.find(f->name) != nullptr) return Error{Errc::corrupt, fmt::format("{}: names {} twice; take another backup", where, f->name)};
    m.files.push_back(std::move(*f));
  }
  if (m.find(kMainFile) == nullptr) return Error{Errc::corrupt, fmt::format("{}: names no ghm.db; take another backup", where)};
  return m;
}

fs::path BackupFolder::file(std::string_view name) const {
  std::error_code ignored;  // then the finished name, whose absence is told in its turn
  const auto draft = folder / (std::string(name) + std::string(kDraft));
  return pending && fs::exists(draft, ignored) ? draft : folder / name;
}

Result<BackupFolder> read_backup_folder(const fs::path& folder) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return Error{Errc::not_found, fmt::format("{}: no such folder", folder.string())};
  BackupFolder found{folder, std::nullopt, false};
  for (const bool pending : {true, false}) {
    const auto path = pending ? draft_manifest_of(folder) : manifest_of(folder);
    const auto text = read_file(path, kMostManifestBytes);
    if (!text && text.error().code == Errc::not_found) continue;
    if (!text) return text.error();
    auto manifest = parse_manifest(*text, path.string());
    if (!manifest) return manifest.error();
    found.manifest = std::move(*manifest);
    found.pending = pending;
    return found;
  }
  return found;
}

// The manifest's draft is the commit: once it is durable the drafts are the truth, and whoever comes next finishes.
Result<void> publish_backup(const fs::path& folder, const BackupManifest& manifest) {
  if (auto done = sync_path(folder); !done) return done;
  if (auto done = write_file_atomically(draft_manifest_of(folder), to_json(manifest)); !done) return done;
  for (const auto& f : manifest.files) {
    const auto draft = folder / (f.name + std::string(kDraft));
    std::error_code ignored;
    if (!fs::exists(draft, ignored)) continue;
    if (auto done = rename_over(draft, folder / f.name); !done) return done;
  }
  if (auto done = sync_path(folder); !done) return done;
  if (auto done = rename_over(draft_manifest_of(folder), manifest_of(folder)); !done) return done;
  return sync_path(folder);
}

}  // namespace ghm::sqlite
