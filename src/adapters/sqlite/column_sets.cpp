#include "adapters/sqlite/column_sets.h"

#include <algorithm>

#include "domain/store/bytes.h"
#include "domain/store/row_codec.h"

namespace ghm::sqlite {
namespace {

using store::ByteReader, store::put_byte, store::put_signed, store::put_varint;
using telemetry::Entity;

std::size_t hash_of(const std::vector<SeriesKey>& keys) {
  std::size_t h = keys.size();
  for (const auto& k : keys) h = (h ^ std::hash<SeriesKey>()(k)) * 0x100000001b3ull;
  return h;
}

std::vector<BoardId> boards_of(const std::vector<SeriesKey>& keys) {
  std::vector<BoardId> boards;
  for (const auto& k : keys)
    if (boards.empty() || boards.back() != k.board) boards.push_back(k.board);
  std::ranges::sort(boards);
  boards.erase(std::unique(boards.begin(), boards.end()), boards.end());  // clang 14 cannot read std::ranges::unique
  return boards;
}

std::vector<std::pair<telemetry::MetricId, std::uint32_t>> gpu_metrics_of(const std::vector<SeriesKey>& keys) {
  std::vector<std::pair<telemetry::MetricId, std::uint32_t>> found;
  for (std::uint32_t i = 0; i < keys.size(); ++i)
    if (keys[i].entity == Entity{}) found.emplace_back(keys[i].metric, i);
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::string encode_keys(std::span<const SeriesKey> keys) {
  std::string out;
  put_varint(out, keys.size());
  SeriesKey before;
  for (const auto& k : keys) {
    put_signed(out, static_cast<std::int64_t>(k.board) - static_cast<std::int64_t>(before.board));
    put_byte(out, static_cast<unsigned>(k.entity.kind));
    put_varint(out, k.entity.number);
    put_signed(out, static_cast<std::int64_t>(k.metric) - static_cast<std::int64_t>(before.metric));
    before = k;
  }
  return out;
}

Result<std::vector<SeriesKey>> decode_keys(std::string_view bytes) {
  ByteReader in(bytes);
  const auto count = in.varint();
  if (!in.ok() || count > store::kMostRowColumns) return Error{Errc::corrupt, "columns: malformed count"};
  std::vector<SeriesKey> keys;
  std::uint64_t board = 0, metric = 0;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    board += static_cast<std::uint64_t>(in.signed_varint());
    const auto kind = in.byte();
    const auto number = in.varint();
    metric += static_cast<std::uint64_t>(in.signed_varint());
    if (board > 0xffff'ffff || kind > static_cast<unsigned>(Entity::Kind::node) || number > 0xffff || metric > 0xffff)
      return Error{Errc::corrupt, "columns: malformed key"};
    keys.push_back({static_cast<BoardId>(board),
                    {static_cast<Entity::Kind>(kind), static_cast<std::uint16_t>(number)},
                    static_cast<telemetry::MetricId>(metric)});
  }
  if (!in.ok() || !in.at_end()) return Error{Errc::corrupt, "columns: malformed"};
  return keys;
}

const ColumnSet* ColumnSets::find(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second.get();
}

const ColumnSet* ColumnSets::intern(const store::Columns& keys) {
  const auto [from, to] = by_hash_.equal_range(hash_of(*keys));
  for (auto it = from; it != to; ++it)
    if (*it->second->keys == *keys) return it->second;
  const auto* made = add(next_id_, keys);
  unsaved_.push_back(made);
  return made;
}

void ColumnSets::restore(std::uint32_t id, const store::Columns& keys) {
  add(id, keys);
}

const ColumnSet* ColumnSets::add(std::uint32_t id, const store::Columns& keys) {
  auto set = std::make_unique<ColumnSet>(ColumnSet{id, keys, boards_of(*keys), gpu_metrics_of(*keys)});
  const auto* made = set.get();
  by_hash_.emplace(hash_of(*keys), made);
  by_id_[id] = std::move(set);
  next_id_ = std::max(next_id_, id + 1);
  return made;
}

}  // namespace ghm::sqlite
