#pragma once
#include <string>
#include <string_view>

#include "adapters/sqlite/column_sets.h"
#include "adapters/sqlite/head.h"

/// A source's newest values as bytes: what `latest` answers after a restart when the rows themselves are sealed.
namespace ghm::sqlite {

/// ~4 bytes per value. `source` has a newest row.
std::string encode_latest(const Source& source);

/// Hands the image back to the head. corrupt when malformed or of unknown columns.
Result<void> restore_latest(Head& head, Source& source, const ColumnSets& sets, std::string_view image);

}  // namespace ghm::sqlite
