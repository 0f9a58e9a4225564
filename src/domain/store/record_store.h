#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace ghm::store {

/// A record of the house's slow facts: boards, hosts, events, scores, keys. `body` is one JSON document.
struct Record {
  std::string kind;  // "board", "host", "event", "score", "key"
  std::string key;   // unique within its kind; "score": "<board>/<time>"
  Timestamp at{};    // when it became true
  std::string body;
  friend bool operator==(const Record&, const Record&) = default;
};

/// Thread-safe. Kinds are few (< 50), records many.
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  /// All or none, durable on return; a record with the same kind and key is replaced.
  virtual Result<void> put(std::span<const Record> records) = 0;
  virtual Result<std::optional<Record>> get(std::string_view kind, std::string_view key) const = 0;
  /// Records of a kind whose key starts with `prefix`, in key order, after `after` (exclusive), at most `limit`.
  virtual Result<std::vector<Record>> scan(std::string_view kind, std::string_view prefix, std::string_view after,
                                           std::size_t limit) const = 0;
  /// Records of a kind with from <= at < to, newest first, at most `limit`.
  virtual Result<std::vector<Record>> recent(std::string_view kind, TimeRange range, std::size_t limit) const = 0;
  /// Of recent()'s those that are about `subject` (subjects.h), as their newest version says. This definition reads all of the kind; a
  /// store for more than tests has an index of rows (subject, kind, at, key): an event is about a board and a host, an incident about
  /// up to a thousand, so neither a column nor an index over an expression will do; the key, not a row's number, because copies
  /// renumber rows; and beside the records, in their transaction, so that a kill leaves both or none.
  virtual Result<std::vector<Record>> about(std::string_view kind, std::string_view subject, TimeRange range, std::size_t limit) const;
  /// True when it was there.
  virtual Result<bool> erase(std::string_view kind, std::string_view key) = 0;
};

}  // namespace ghm::store
