#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/archive/manifest.h"

namespace ghm::archive {

/// One table of an archive: its name as people know it ("telemetry/a.csv.zst") and where it lies.
struct TableFile {
  std::string name;
  std::filesystem::path path;
  std::uint64_t bytes = 0;
};

/// A fleet archive in a folder: manifest.json, and which tables there are.
struct Folder {
  std::filesystem::path path;
  Manifest manifest;
  std::string name;      // the manifest's, else the folder's
  std::string identity;  // 16 hex digits of what it holds: the same content has the same, wherever it lies
  TableFile assets;
  std::optional<TableFile> events, failures;
  std::vector<TableFile> telemetry;  // in name order

  std::uint64_t telemetry_bytes() const;

  /// not_found: no folder, no manifest.json, no assets.csv. invalid_input: a bad manifest, or a table that lies there twice
  /// (plain and packed). Reads all of the small tables and both ends of each telemetry file, for the identity.
  static Result<Folder> open(const std::filesystem::path& path);
};

}  // namespace ghm::archive
