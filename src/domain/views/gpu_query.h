#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/views/json_views.h"

/// Which boards a list shows, in which order, and where the next page begins.
namespace ghm::views {

/// A board's place in a sorted list. Boards without the value stand last in both directions; BoardId makes the order total.
struct SortKey {
  bool missing = false;
  std::string_view text;
  double number = 0;
  std::uint32_t id = 0;
};

/// The order that GpuQuery::sort names.
class SortOrder {
 public:
  /// invalid_input for a field that lists cannot be sorted by.
  static Result<SortOrder> parse(std::string_view sort);
  SortKey key(const BoardView& board) const;
  bool before(const SortKey& a, const SortKey& b) const;

 private:
  std::string field_;
  bool descending_ = false;
};

/// Boards that pass the filters, as indices, in layout order. O(boards).
std::vector<std::size_t> matching(const FleetSnapshot& fleet, const GpuQuery& query);

/// An opaque text that holds a key and the sort it belongs to, so that pages stay disjoint while the fleet changes.
std::string write_cursor(std::string_view sort, const SortKey& key);
struct Cursor {
  bool missing = false;
  std::string text;
  double number = 0;
  std::uint32_t id = 0;
  SortKey key() const { return {missing, text, number, id}; }  // a view of this cursor
};
/// invalid_input: not one of ours, or of another sort.
Result<Cursor> read_cursor(std::string_view cursor, std::string_view sort);

}  // namespace ghm::views
