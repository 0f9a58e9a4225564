#pragma once
#include <span>

#include "adapters/sqlite/sqlite_db.h"
#include "domain/store/record_store.h"

/// The records table and its index by subject. Callers bring the connection, and a transaction around put and erase.
namespace ghm::sqlite {

using store::Record;

Result<void> put_records(Db& db, std::span<const Record> records);
Result<std::optional<Record>> get_record(Db& db, std::string_view kind, std::string_view key);
Result<std::vector<Record>> scan_records(Db& db, std::string_view kind, std::string_view prefix, std::string_view after, std::size_t limit);
Result<std::vector<Record>> recent_records(Db& db, std::string_view kind, TimeRange range, std::size_t limit);
Result<std::vector<Record>> records_about(Db& db, std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit);
/// Indexes all records anew, for a folder of a version before the index. How many entries were made. ~12 µs per record.
Result<std::size_t> index_all_records(Db& db);
Result<bool> erase_record(Db& db, std::string_view kind, std::string_view key);

}  // namespace ghm::sqlite
