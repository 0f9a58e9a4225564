#pragma once
#include "adapters/sqlite/sqlite_db.h"
#include "core/log.h"

namespace ghm::sqlite {

/// The version of ghm.db that this program writes (PRAGMA user_version).
int schema_version();

/// Opens `path` for writing, durable at every commit, and brings it to schema_version(). An older file is copied beside
/// itself first (ghm.db.v1). A newer one is refused (conflict): an older program would not understand what it holds.
Result<std::unique_ptr<Db>> open_main(const std::filesystem::path& path, const Log& log);

}  // namespace ghm::sqlite
