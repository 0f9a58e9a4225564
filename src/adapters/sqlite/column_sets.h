#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "domain/store/telemetry_store.h"

namespace ghm::sqlite {

using store::SeriesKey;
using telemetry::BoardId;

/// The columns of rows, interned: rows on disk name them by number. Immutable, alive as long as the store is open.
struct ColumnSet {
  std::uint32_t id = 0;
  store::Columns keys;
  std::vector<BoardId> boards;                                             // whose they are, ascending
  std::vector<std::pair<telemetry::MetricId, std::uint32_t>> gpu_metrics;  // GPU-entity columns, ascending by metric

  std::size_t size() const { return keys->size(); }
};

/// Bytes of a list of keys: about 3 per key.
std::string encode_keys(std::span<const SeriesKey> keys);
Result<std::vector<SeriesKey>> decode_keys(std::string_view bytes);

/// All column sets that rows refer to. The writer's alone, but for the sets themselves.
class ColumnSets {
 public:
  /// nullptr when unknown.
  const ColumnSet* find(std::uint32_t id) const;
  /// The set of equal keys, made when there is none. O(columns); callers remember the answer per pointer.
  const ColumnSet* intern(const store::Columns& keys);
  /// A set read from disk.
  void restore(std::uint32_t id, const store::Columns& keys);

  /// Sets that intern() made and the disk does not have yet.
  const std::vector<const ColumnSet*>& unsaved() const { return unsaved_; }
  void saved() { unsaved_.clear(); }

 private:
  const ColumnSet* add(std::uint32_t id, const store::Columns& keys);

  std::unordered_map<std::uint32_t, std::unique_ptr<ColumnSet>> by_id_;
  std::unordered_multimap<std::size_t, const ColumnSet*> by_hash_;
  std::vector<const ColumnSet*> unsaved_;
  std::uint32_t next_id_ = 1;
};

}  // namespace ghm::sqlite
