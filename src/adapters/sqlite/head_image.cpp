#include "adapters/sqlite/head_image.h"

#include "domain/store/bytes.h"

namespace ghm::sqlite {
namespace {

using store::ByteReader, store::put_double, store::put_signed, store::put_varint;

Error corrupt(const Source& s, std::string_view what) {
  return {Errc::corrupt, "newest values of source '" + s.name + "': " + std::string(what)};
}

void put_row(const Source& s, std::string& out) {
  store::RowState state;
  std::string row;
  store::encode_key_row(s.values, state, row);
  put_varint(out, s.columns->id);
  put_signed(out, to_unix_ms(s.at));
  put_varint(out, s.seq);
  put_varint(out, row.size());
  out += row;
}

Result<void> restore_row(Head& head, Source& s, const ColumnSets& sets, ByteReader& in) {
  const auto* columns = sets.find(static_cast<std::uint32_t>(in.varint()));
  const auto at = in.signed_varint();
  const auto seq = in.varint();
  const auto row = in.take(in.varint());
  if (!in.ok() || columns == nullptr) return corrupt(s, "malformed");
  store::RowState state;
  if (auto done = store::decode_row(row, columns->size(), state); !done) return corrupt(s, done.error().what);
  head.restore_latest(s, columns, {state.values().begin(), state.values().end()}, from_unix_ms(at), seq);
  return {};
}

}  // namespace

std::string encode_latest(const Source& s) {
  std::string out;
  put_row(s, out);
  std::vector<SeriesKey> keys;
  for (const auto& [key, seen] : s.left_behind) keys.push_back(key);
  const auto names = encode_keys(keys);
  put_varint(out, names.size());
  out += names;
  for (const auto& key : keys) {
    const auto& seen = s.left_behind.at(key);
    put_signed(out, to_unix_ms(seen.point.at));
    put_varint(out, seen.seq);
    put_double(out, seen.point.value);
  }
  return out;
}

Result<void> restore_latest(Head& head, Source& s, const ColumnSets& sets, std::string_view image) {
  ByteReader in(image);
  if (auto done = restore_row(head, s, sets, in); !done) return done;
  const auto keys = decode_keys(in.take(in.varint()));
  if (!keys) return corrupt(s, keys.error().what);
  for (const auto& key : *keys) {
    const auto at = from_unix_ms(in.signed_varint());
    const auto seq = in.varint();
    const auto value = in.raw_double();
    if (!in.ok()) return corrupt(s, "malformed");
    head.restore_left_behind(s, key, {{at, value}, seq});
  }
  return {};
}

}  // namespace ghm::sqlite
