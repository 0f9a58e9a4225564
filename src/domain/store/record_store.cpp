#include "domain/store/record_store.h"

#include <algorithm>
#include <limits>

#include "domain/store/subjects.h"

namespace ghm::store {

Result<std::vector<Record>> RecordStore::about(std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit) const {
  auto all = recent(kind, range, std::numeric_limits<std::size_t>::max());
  if (!all) return all;
  std::erase_if(*all, [&](const Record& r) { return !std::ranges::binary_search(subjects_of(r), subject); });
  if (all->size() > limit) all->resize(limit);
  return all;
}

}  // namespace ghm::store
