#include "adapters/sqlite/records.h"

#include <algorithm>
#include <limits>

#include "domain/store/subjects.h"

namespace ghm::sqlite {
namespace {

std::int64_t sql_limit(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

// The least text that is greater than all that start with `prefix`; empty when there is none.
std::string first_behind(std::string_view prefix) {
  std::string end(prefix.substr(0, prefix.find_last_not_of('\xff') + 1));
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

// Columns of every select here: kind, key, at, body.
Result<std::vector<Record>> all_rows(Query& q) {
  std::vector<Record> found;
  for (;;) {
    const auto row = q.step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({std::string(q.bytes(0)), std::string(q.bytes(1)), from_unix_ms(q.integer(2)), std::string(q.bytes(3))});
  }
}

Result<void> for_subjects(Db& db, std::string_view sql, const Record& r) {
  auto q = db.query(sql);
  if (!q) return q.error();
  for (const auto& subject : store::subjects_of(r))
    if (auto done = q->bind(1, subject).bind(2, r.kind).bind(3, to_unix_ms(r.at)).bind(4, r.key).run(); !done) return done;
  return {};
}

Result<void> add_subjects(Db& db, const Record& r) {
  return for_subjects(db, "insert or ignore into subjects(subject, kind, at, key) values(?1, ?2, ?3, ?4)", r);
}

Result<void> forget_subjects(Db& db, const Record& r) {
  return for_subjects(db, "delete from subjects where subject = ?1 and kind = ?2 and at = ?3 and key = ?4", r);
}

// What the record said before may have been about others, and at another time.
Result<void> index_record(Db& db, const Record& r) {
  if (!store::has_subjects(r.kind)) return {};
  const auto before = get_record(db, r.kind, r.key);
  if (!before) return before.error();
  if (*before && **before == r) return {};
  if (*before)
    if (auto done = forget_subjects(db, **before); !done) return done;
  return add_subjects(db, r);
}

}  // namespace

Result<void> put_records(Db& db, std::span<const Record> records) {
  auto q =
      db.query("insert into records(kind, key, at, body) values(?1, ?2, ?3, ?4) on conflict(kind, key) do update set at = ?3, body = ?4");
  if (!q) return q.error();
  for (const auto& r : records) {
    if (auto done = index_record(db, r); !done) return done;
    if (auto done = q->bind(1, r.kind).bind(2, r.key).bind(3, to_unix_ms(r.at)).bind(4, r.body).run(); !done) return done;
  }
  return {};
}

Result<std::optional<Record>> get_record(Db& db, std::string_view kind, std::string_view key) {
  auto q = db.query("select kind, key, at, body from records where kind = ?1 and key = ?2");
  if (!q) return q.error();
  q->bind(1, kind).bind(2, key);
  auto found = all_rows(*q);
  if (!found) return found.error();
  if (found->empty()) return std::optional<Record>();
  return std::optional<Record>(std::move(found->front()));
}

// Keys compare as bytes, so the keys of a prefix stand together: from max(prefix, after) on until the first text behind them.
Result<std::vector<Record>> scan_records(Db& db, std::string_view kind, std::string_view prefix, std::string_view after,
                                         std::size_t limit) {
  const auto end = first_behind(prefix);  // plain bounds, so that the index ends the scan
  auto q = db.query(end.empty() ? "select kind, key, at, body from records where kind = ?1 and key >= ?2 and (?3 = '' or key > ?3) "
                                  "order by key limit ?4"
                                : "select kind, key, at, body from records where kind = ?1 and key >= ?2 and (?3 = '' or key > ?3) "
                                  "and key < ?5 order by key limit ?4");
  if (!q) return q.error();
  q->bind(1, kind).bind(2, std::max(prefix, after)).bind(3, after).bind(4, sql_limit(limit));
  if (!end.empty()) q->bind(5, std::string_view(end));
  return all_rows(*q);
}

Result<std::vector<Record>> recent_records(Db& db, std::string_view kind, TimeRange range, std::size_t limit) {
  auto q = db.query("select kind, key, at, body from records where kind = ?1 and at >= ?2 and at < ?3 order by at desc, key desc limit ?4");
  if (!q) return q.error();
  q->bind(1, kind).bind(2, to_unix_ms(range.from)).bind(3, to_unix_ms(range.to)).bind(4, sql_limit(limit));
  return all_rows(*q);
}

Result<std::vector<Record>> records_about(Db& db, std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit) {
  // `cross join`: the index first, newest entry first; records are looked up for as many as are wanted.
  auto q = db.query(
      "select r.kind, r.key, r.at, r.body from subjects s cross join records r on r.kind = s.kind and r.key = s.key "
      "where s.subject = ?1 and s.kind = ?2 and s.at >= ?3 and s.at < ?4 order by s.at desc, s.key desc limit ?5");
  if (!q) return q.error();
  q->bind(1, subject).bind(2, kind).bind(3, to_unix_ms(range.from)).bind(4, to_unix_ms(range.to)).bind(5, sql_limit(limit));
  return all_rows(*q);
}

Result<std::size_t> index_all_records(Db& db) {
  constexpr std::size_t kPage = 1000;
  std::size_t indexed = 0;
  for (const auto kind : store::kinds_with_subjects())
    for (std::string after;;) {
      const auto page = scan_records(db, kind, "", after, kPage);
      if (!page) return page.error();
      for (const auto& r : *page)
        if (auto done = add_subjects(db, r); !done) return done.error();
      indexed += page->size();
      if (page->size() < kPage) break;
      after = page->back().key;
    }
  return indexed;
}

Result<bool> erase_record(Db& db, std::string_view kind, std::string_view key) {
  if (store::has_subjects(kind)) {
    const auto record = get_record(db, kind, key);
    if (!record) return record.error();
    if (*record)
      if (auto done = forget_subjects(db, **record); !done) return done.error();
  }
  auto q = db.query("delete from records where kind = ?1 and key = ?2 returning 1");
  if (!q) return q.error();
  return q->bind(1, kind).bind(2, key).step();
}

}  // namespace ghm::sqlite
