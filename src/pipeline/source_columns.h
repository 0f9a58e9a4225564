#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/store/telemetry_store.h"
#include "domain/telemetry/page.h"

namespace ghm::pipeline {

inline constexpr std::int32_t kNoColumn = -1;

/// What follows from one source's layout and the boards behind it: which page columns are stored under which key, which
/// feed the live view, which of them a score depends on. Built once per layout.
struct SourceColumns {
  store::Columns stored;            // keys, in the order of `from`
  std::vector<std::uint32_t> from;  // page column of each stored one
  bool all_stored = false;          // from is 0, 1, 2, …: the page's values are the row
  struct Live {
    fleet::BoardId board{};
    std::array<std::int32_t, 5> column{};  // page columns of LiveValues in its order, or kNoColumn
    std::int32_t energy = kNoColumn;       // the energy counter's: it moves whenever a board is powered
  };
  std::vector<Live> live;  // one per GPU of the page
  struct Watched {
    fleet::BoardId board{};
    std::uint32_t column = 0;
    telemetry::MetricId metric{};
    double last = telemetry::absent();  // of the page before
  };
  std::vector<Watched> watched;
  std::vector<telemetry::Refusal> refused;  // columns that cannot be stored: nobody's, or a key that is there already
};

/// `boards`: one per GPU of the layout, none for a GPU nobody can name; `host`: owner of node, switch and CPU columns.
SourceColumns make_columns(const telemetry::PageLayout& layout, const std::vector<fleet::BoardId>& boards, fleet::BoardId host);

}  // namespace ghm::pipeline
