#include "pipeline/partial_rows.h"

#include <functional>
#include <string_view>
#include <unordered_map>

#include "domain/telemetry/page.h"

namespace ghm::pipeline {
namespace {

struct Key {
  std::string_view source;
  Timestamp at;
  const void* columns;
  friend bool operator==(const Key&, const Key&) = default;
};

struct HashKey {
  std::size_t operator()(const Key& k) const noexcept {
    return std::hash<std::string_view>()(k.source) ^ std::hash<const void*>()(k.columns) ^
           static_cast<std::size_t>(to_unix_ms(k.at)) * 0x9E3779B97F4A7C15ull;
  }
};

void fill_holes(std::vector<double>& into, const std::vector<double>& from) {
  for (std::size_t i = 0; i < into.size() && i < from.size(); ++i)
    if (telemetry::is_absent(into[i])) into[i] = from[i];
}

}  // namespace

void join_partial_rows(std::vector<store::RowBatch>& rows) {
  std::unordered_map<Key, std::size_t, HashKey> first;
  first.reserve(rows.size());
  std::vector<bool> twin(rows.size(), false);
  bool any = false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].columns) continue;  // no store takes it: not ours to hide
    const auto [known, fresh] = first.try_emplace({rows[i].source, rows[i].at, rows[i].columns.get()}, i);
    if (fresh) continue;
    fill_holes(rows[known->second].values, rows[i].values);
    any = twin[i] = true;
  }
  if (!any) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (twin[i]) continue;
    if (kept != i) rows[kept] = std::move(rows[i]);
    ++kept;
  }
  rows.resize(kept);
}

}  // namespace ghm::pipeline
