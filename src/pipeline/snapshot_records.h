#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/transport/snapshot.h"

/// What agents wrote down at faults, as records of kind "evidence". Keys begin with whom they are about, then the time, so that a board's
/// are found without reading those of others:
///   "b<board>/<ms>-<id>-…"   a board's own: what was known of it at the sign ("sign"), and what was read a moment after ("later")
///   "h<host>/<ms>-<id>-…"    what all boards of the moment share ("context"), and signs of no board
namespace ghm::pipeline {

std::string evidence_prefix(fleet::BoardId board);
std::string evidence_prefix(std::string_view host);
/// `prefix` and the time, so that keys of that time and later come behind it.
std::string evidence_key_from(std::string_view prefix, Timestamp from);

/// `at`: when it really was. `unique`: the same when its round comes again. `board`: the ledger's, or nullptr. A body that is no JSON
/// object is kept as the text that it is ("unreadable"): nobody else has it.
store::Record evidence_record(const transport::Snapshot& said, const std::string& host, const fleet::Board* board, Timestamp at,
                              const std::string& unique);

}  // namespace ghm::pipeline
