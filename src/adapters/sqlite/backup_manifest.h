#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

/// What a backup folder holds, said by itself: manifest.json beside the files, which have the names of the data folder.
namespace ghm::sqlite {

inline constexpr std::string_view kMainFile = "ghm.db";

/// The UTC day (since 1970) in a day file's name, "raw-2026-02-09.db" or any other "<word>-YYYY-MM-DD.db"; nullopt for other
/// names. Total; a name with a slash is never a day file.
std::optional<std::int64_t> day_of_file(std::string_view name);

struct BackupFile {
  std::string name;  // kMainFile or a day file's
  std::uint64_t bytes = 0;
  std::string sha256;  // of the copy, hexadecimal
  Timestamp copied{};
  std::string source;  // how the original looked when it was copied; an original that still looks so has not changed
  friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

struct BackupManifest {
  std::string program;  // the version that made it
  int schema = 0;       // of ghm.db
  Timestamp made{};
  std::string data_dir;  // absolute: whose backup it is
  std::vector<BackupFile> files;

  const BackupFile* find(std::string_view name) const;
  friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

std::string to_json(const BackupManifest& manifest);
/// Total. corrupt: no manifest, or names that no backup has. conflict: of a newer format. `where` names it in errors.
Result<BackupManifest> parse_manifest(std::string_view json, std::string_view where);

/// A backup folder as it stands. A run that was cut off after its manifest was durable counts as done: what it had not
/// renamed yet lies under the file's name with kDraft behind it.
struct BackupFolder {
  std::filesystem::path folder;
  std::optional<BackupManifest> manifest;  // none: no backup was ever finished here
  bool pending = false;                    // the manifest is the draft of a run that was cut off

  /// Where the copy lies.
  std::filesystem::path file(std::string_view name) const;
};
inline constexpr std::string_view kDraft = ".new";

/// not_found: no such folder. Reads only.
Result<BackupFolder> read_backup_folder(const std::filesystem::path& folder);

/// Makes `manifest` and all files that lie as drafts the folder's state: all or nothing, durable on return.
Result<void> publish_backup(const std::filesystem::path& folder, const BackupManifest& manifest);

}  // namespace ghm::sqlite
