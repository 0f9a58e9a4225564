#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/validation/believe.h"
#include "domain/validation/edges.h"
#include "domain/validation/source_of_truth.h"
#include "pipeline/quarantine.h"

namespace ghm::pipeline {

/// What to believe of a page: ranges, rates, whose word counts, and which changes are news. Holds what each source and
/// each board was like before. One owner (the ingest thread); pages and single series of remote_write go the same way.
class Trust {
 public:
  struct Source;  // what is remembered of one source; stays where it is until forget()

  Trust(std::shared_ptr<Quarantine> quarantine, validation::Overrides overrides, std::chrono::milliseconds interval);
  ~Trust();

  Source& source(const std::string& name);
  void forget(const std::string& name);
  /// The Xid gauge as an earlier run saw it last.
  void restore_xid(fleet::BoardId board, double code);

  /// The source's columns or the boards behind them are others now. `first`: a page of this layout, for the device's own limits.
  void new_layout(Source& source, const telemetry::PageReading& first, const std::vector<fleet::BoardId>& boards, fleet::BoardId host);

  struct Page {
    Timestamp at{};
    std::string_view text;                              // of the page, to quote from
    const std::vector<telemetry::Refusal>& of_columns;  // refused on every page of this layout: nobody's, or there already
    const fleet::Ledger& ledger;                        // for names in sentences
  };
  struct Verdict {
    std::vector<fleet::FleetEvent> events;
    std::vector<store::Record> records;                 // to be kept with the page
    const std::vector<telemetry::Refusal>& duplicates;  // columns that another source is believed for
  };
  /// Sets what is not believed to absent and adds its refusal; columns that another source speaks for become absent too.
  Verdict judge(Source& source, telemetry::PageReading& reading, const Page& page);
  /// The same for a part of a page: what it lacks says nothing. Rates are not judged, for they need whole pages, and news is
  /// asked for by watch_parts(). `late`: of the past, about which no other source can be asked. Refusals are all in `part`, and not
  /// kept yet: keep_refused().
  Verdict judge_part(Source& source, telemetry::PageReading& part, const Page& page, bool late);
  /// What is news when the newest parts are taken together.
  void watch_parts(Source& source, const telemetry::PageReading& whole, const Page& page, Verdict& out) { watch(source, whole, page, out); }
  /// Into quarantine; `at`: when they came. They are of the source's layout.
  void keep_refused(Source& source, const std::vector<telemetry::Refusal>& refused, Timestamp at, std::vector<store::Record>& keep);
  /// Does another source speak for the board at this place of the source's page, as of its last page?
  static bool is_contested(const Source& source, std::size_t place);

  /// Sources that say what a believed one says already: shown beside the ledger's own conflicts.
  std::vector<fleet::Conflict> conflicts(const fleet::Ledger& ledger) const;

  /// Records of counts that changed; once a second. `all`: at the end.
  std::vector<store::Record> flush(Timestamp now, bool all = false);

 private:
  struct XidColumns;
  struct HealthColumn;
  void tell_findings(const validation::RateFindings& found, const Source& source, const Page& page, Verdict& out) const;
  void settle_duplicates(Source& source, telemetry::PageReading& reading, const Page& page, Verdict& out);
  void mask(Source& source, const telemetry::PageReading& reading);
  void watch(Source& source, const telemetry::PageReading& reading, const Page& page, Verdict& out);
  std::shared_ptr<const validation::ColumnRules> shared(const telemetry::SeriesTable* table, validation::ColumnRules fresh);
  fleet::FleetEvent event(const char* kind, fleet::BoardId board, const Page& page, std::string detail) const;

  std::shared_ptr<Quarantine> quarantine_;
  validation::Overrides overrides_;
  std::chrono::milliseconds interval_;
  std::unordered_map<std::string, std::unique_ptr<Source>> sources_;
  std::vector<Source*> by_number_{nullptr};
  validation::SourceOfTruth truth_;
  std::unordered_map<const telemetry::SeriesTable*, std::vector<std::weak_ptr<const validation::ColumnRules>>> rules_;
  std::uint64_t layouts_ = 0;  // new ones so far
  std::map<fleet::BoardId, validation::XidEdges> xids_;
  std::map<std::pair<fleet::BoardId, int>, validation::WorseEdge> health_;
};

}  // namespace ghm::pipeline
