// What a start reads: names, each source's newest values as they were last written down, where the unsealed rows lie, and
// of those that came since, their values. A full head of 10,000 boards is 0.4 billion readings: to decode them all would take
// many times as long as to list their rows.
#include <fmt/format.h>

#include <algorithm>

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
  UnknownRows unknown;
  if (auto done = restore_places(unknown); !done) return done;
  return restore_values(unknown);
}

Result<std::map<std::pair<std::uint32_t, std::int64_t>, std::uint64_t>> SqliteStore::sealed_marks() {
  auto q = main_->query("select source, hour, seq from sealed");
  if (!q) return q.error();
  std::map<std::pair<std::uint32_t, std::int64_t>, std::uint64_t> marks;
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return marks;
    marks[{static_cast<std::uint32_t>(q->integer(0)), q->integer(1)}] = static_cast<std::uint64_t>(q->integer(2));
  }
}

// Where each unsealed row lies. Of most rows nothing else is needed: the source's newest values, as they were written down,
// know them. What they do not know is listed in `unknown`, with the start of the chain that it hangs on.
Result<void> SqliteStore::restore_places(UnknownRows& unknown) {
  const auto marks = sealed_marks();
  if (!marks) return marks.error();
  const auto place = [&](std::uint32_t id, const RowRef& ref) -> Result<void> {
    auto* source = head_.find(id);
    if (source == nullptr) return Error{Errc::corrupt, fmt::format("journal row {}: unknown source {}", ref.seq, id)};
    if (const auto mark = marks->find({id, hour_of(ref.at)}); mark != marks->end() && mark->second >= ref.seq) return {};
    head_.restore_row(*source, ref);
    auto& rows = unknown[source];
    const bool known = ref.seq <= source->seq;
    if (known && ref.link == 1) rows.clear();
    if (!known || ref.link > 0) rows.push_back(ref);
    return {};
  };
  auto q = main_->query("select seq, rows from journal order by seq");
  if (!q) return q.error();
  for (;;) {
    const auto row = q->step();
    if (!row) return row.error();
    if (!*row) return {};
    if (auto done = list_rows(static_cast<std::uint64_t>(q->integer(0)), q->bytes(1), sets_, place); !done)
      log_.error("store.row_damaged", {{"error", done.error().what}});
  }
}

// The values of rows that are newer than what was written down, in order of arrival.
Result<void> SqliteStore::restore_values(const UnknownRows& unknown) {
  struct Row {
    Source* source;
    RowRef ref;
    std::uint64_t known;  // the newest row that was written down
  };
  std::vector<Row> rows;
  for (const auto& [source, refs] : unknown)
    for (const auto& ref : refs) rows.push_back({source, ref, source->seq});
  if (rows.empty()) return {};
  std::ranges::sort(rows, {}, [](const Row& r) { return std::pair(r.ref.seq, r.ref.offset); });
  std::unordered_map<Source*, ChainReader> chains;
  auto q = main_->query("select seq, rows from journal where seq >= ?1 order by seq");
  if (!q) return q.error();
  q->bind(1, static_cast<std::int64_t>(rows.front().ref.seq));
  for (auto next = rows.begin(); next != rows.end();) {
    const auto there = q->step();
    if (!there) return there.error();
    if (!*there) return {};
    const auto seq = static_cast<std::uint64_t>(q->integer(0));
    for (; next != rows.end() && next->ref.seq == seq; ++next) {
      auto& chain = chains[next->source];
      const auto values = chain.read(next->ref, q->bytes(1));
      if (!values) {
        chain.broken();
        log_.error("store.row_damaged", {{"error", values.error().what}});
      } else if (next->ref.seq > next->known && values->size() == next->ref.columns->size()) {
        head_.restore_values({next->source, next->ref, *values});
      }
    }
  }
  return {};
}

// Called now and then by maintain(): each source in its turn, all of them within kSaveLatestWithin. It bounds what a restart
// has to decode.
Result<void> SqliteStore::save_latest(Timestamp now) {
  constexpr std::chrono::seconds kSaveLatestWithin = 5min, kSaveSomeEvery = 10s;
  if (now < next_save_) return {};
  next_save_ = now + kSaveSomeEvery;
  const auto& sources = head_.sources();
  const auto some = sources.size() * kSaveSomeEvery / kSaveLatestWithin + 1;
  std::lock_guard lock(writing_);
  auto transaction = Transaction::begin(*main_);
  if (!transaction) return transaction.error();
  auto q = main_->query("update sources set latest = ?2 where id = ?1");
  if (!q) return q.error();
  std::vector<Source*> saved;
  for (std::size_t n = 0; n < std::min(some, sources.size()); ++n) {
    auto& s = *sources[next_source_++ % sources.size()];
    if (s.columns == nullptr || s.seq == s.saved_seq) continue;
    if (auto done = q->bind(1, s.id).bind_bytes(2, encode_latest(s)).run(); !done) return done;
    saved.push_back(&s);
  }
  if (saved.empty()) return {};
  if (auto done = transaction->commit(); !done) return done;
  for (auto* s : saved) s->saved_seq = s->seq;
  return {};
}

}  // namespace ghm::sqlite
