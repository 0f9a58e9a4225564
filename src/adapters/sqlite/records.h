#pragma once
#include <span>

#include "adapters/sqlite/sqlite_db.h"
#include "domain/store/record_store.h"

/// The records table: one SQL statement per port function. Callers bring the connection, and a transaction around put.
namespace ghm::sqlite {

using store::Record;

Result<void> put_records(Db& db, std::span<const Record> records);
Result<std::optional<Record>> get_record(Db& db, std::string_view kind, std::string_view key);
Result<std::vector<Record>> scan_records(Db& db, std::string_view kind, std::string_view prefix, std::string_view after, std::size_t limit);
Result<std::vector<Record>> recent_records(Db& db, std::string_view kind, TimeRange range, std::size_t limit);
Result<bool> erase_record(Db& db, std::string_view kind, std::string_view key);

}  // namespace ghm::sqlite
