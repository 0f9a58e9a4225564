#pragma once
#include <optional>

#include "core/result.h"
#include "domain/fleet/case_book.h"
#include "domain/store/record_store.h"

/// Repair cases as records. Kind "case", key: its number; what it was opened with and its steps are the truth, the rest stands beside
/// them for whoever looks at records without this program. Kind "case_watch", key "looked": when cases were last looked at.
namespace ghm::services {

struct KeptCase {
  fleet::RepairCase it;
  std::optional<fleet::CaseBook::Gap> gap;  // it cannot be watched, since then
};

store::Record to_record(const fleet::RepairCase& c, const fleet::CaseBook::Gap* gap);
/// corrupt, also where the steps lead to no case.
Result<KeptCase> parse_case(const store::Record& record);

store::Record looked_record(Timestamp looked);
/// nullopt: it cannot be read.
std::optional<Timestamp> parse_looked(const store::Record& record);

std::string case_key(std::uint64_t id);

}  // namespace ghm::services
