// What a start reads: names, each source's newest values, and where the unsealed rows lie.
#include <fmt/format.h>

#include "adapters/sqlite/head_image.h"
#include "adapters/sqlite/sqlite_store.h"

namespace ghm::sqlite {
namespace {

// The next row must stand alone: whoever reads it later knows nothing of this process.
void end_chain(Source& s) {
  s.chain.reset(s.values);
  s.chain_columns = s.columns;
  s.chain_at = s.at;
  s.chain_links = 0;
}

}  // namespace

Result<void> SqliteStore::restore() {
  if (auto done = restore_columns(); !done) return done;
  if (auto done = restore_sources(); !done) return done;
  if (auto done = restore_journal(); !done) return done;
  for (const auto& s : head_.sources()) end_chain(*s);
  if (auto done = days_.open(); !done) return done;
  if (auto done = rollups_.open(); !done) return done;
  return restore_unrolled();
}

Result<void> SqliteStore::restore_columns() {
  auto q = main_->query("select id, keys from columns");
  if (!q) return q.error();
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    auto keys = decode_keys(q->bytes(1));
    if (!keys) return Error{keys.error().code, fmt::format("{}: {}", main_->path().string(), keys.error().what)};
    sets_.restore(static_cast<std::uint32_t>(q->integer(0)), std::make_shared<const std::vector<SeriesKey>>(std::move(*keys)));
  }
}

Result<void> SqliteStore::restore_sources() {
  auto q = main_->query("select id, name, latest from sources");
  if (!q) return q.error();
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    auto& source = head_.restore_source(static_cast<std::uint32_t>(q->integer(0)), std::string(q->bytes(1)));
    const auto image = q->bytes(2);
    if (image.empty()) continue;
    // Newest values are a convenience that the next scrape brings back: not worth refusing to start.
    if (auto done = restore_latest(head_, source, sets_, image); !done) log_.error("store.latest_damaged", {{"error", done.error().what}});
  }
}

Result<void> SqliteStore::restore_journal() {
  const auto last = main_->integer("select max(s) from (select max(seq) as s from journal union all select max(seq) from sealed)");
  if (!last) return last.error();
  next_seq_ = static_cast<std::uint64_t>(*last) + 1;
  auto q = main_->query("select seq, rows from journal order by seq");
  if (!q) return q.error();
  std::map<std::uint32_t, ChainReader> chains;
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    if (auto done = restore_rows(static_cast<std::uint64_t>(q->integer(0)), q->bytes(1), chains); !done)
      log_.error("store.row_damaged", {{"error", done.error().what}});
  }
}

Result<void> SqliteStore::restore_rows(std::uint64_t seq, std::string_view journal_row, std::map<std::uint32_t, ChainReader>& chains) {
  auto sealed = main_->query("select seq from sealed where source = ?1 and hour = ?2");
  if (!sealed) return sealed.error();
  return list_rows(seq, journal_row, sets_, [&](std::uint32_t id, const RowRef& ref) -> Result<void> {
    auto* source = head_.find(id);
    if (source == nullptr) return Error{Errc::corrupt, fmt::format("journal row {}: unknown source {}", seq, id)};
    auto& chain = chains[id];
    const auto values = chain.read(ref, journal_row);
    if (!values) {
      chain.broken();
      log_.error("store.row_damaged", {{"error", values.error().what}});
      return {};
    }
    sealed->reset();
    const auto row = sealed->bind(1, id).bind(2, hour_of(ref.at)).step();
    if (!row) return row.error();
    if (*row && static_cast<std::uint64_t>(sealed->integer(0)) >= seq) return {};
    if (values->size() == ref.columns->size()) head_.publish(std::vector<NewRow>{{source, ref, *values}});
    return {};
  });
}

}  // namespace ghm::sqlite
