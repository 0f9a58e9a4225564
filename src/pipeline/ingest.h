#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/dcgm_exporter/page_reader.h"
#include "adapters/scrape/scraper.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "domain/fleet/ledger.h"
#include "domain/validation/xid_witnesses.h"
#include "pipeline/keeper.h"
#include "pipeline/live_update.h"
#include "pipeline/open_anomalies.h"
#include "pipeline/refusals.h"
#include "pipeline/source_state.h"
#include "pipeline/trust.h"

namespace ghm::pipeline {

struct IngestStats {
  std::uint64_t scrapes_ok = 0, scrapes_failed = 0;
  std::uint64_t accepted = 0, refused = 0;  // values
  std::uint64_t unknown_lines = 0;          // of families that the catalogue does not have
  std::uint64_t rows_not_kept = 0;          // the keeper was stuck and its queue full
  std::uint64_t template_pages = 0, careful_pages = 0;
};

/// From a page to kept rows and a live view: decode, validate, ledger. One owner: the thread that scrapes. In the steady
/// state a page costs a template parse, a compare per value and one copy of its values; everything that depends only on
/// the page's layout (bounds, boards, columns) is worked out once per layout.
class Ingest {
 public:
  struct Settings {
    std::chrono::milliseconds interval{10'000};
    validation::Overrides overrides{};  // a site's own ranges
    std::shared_ptr<Quarantine> quarantine = std::make_shared<Quarantine>();
  };
  /// `keep`: takes rows and records; false when it cannot, and then they are untouched. `show`: likewise the update of tick(), which
  /// else goes with the next one. Both must not block.
  struct Outlets {
    std::function<bool(ToKeep&)> keep;
    std::function<bool(LiveUpdate&)> show;
  };
  Ingest(Settings settings, Outlets outlets, Log log);
  ~Ingest();

  /// The ledger of an earlier run; before the first page.
  void restore(fleet::Ledger::Kept kept);
  /// The newest Xid gauges of an earlier run, so that a restart neither invents a fault nor hides one; the counts of its
  /// quarantine are taken along.
  void restore_trust(const std::vector<store::Latest>& xids);
  /// The events of its last minutes: an Xid that the kernel's line or the gauge told before the restart is not told by the other again.
  void restore_xids(const std::vector<store::Record>& events);
  /// The anomalies that were open: shown at once, and watched on when their boards' pages come.
  void restore_anomalies(std::vector<WasOpen> anomalies) { were_open_ = std::move(anomalies); }
  void on_scrape(const scrape::Scrape& scrape);
  /// Targets that are read no longer: their readers are given back.
  void keep_only(const std::vector<telemetry::Target>& targets);
  /// Once a second: silence, changes, the update of the live view.
  void tick(Timestamp now);
  /// What tick() tells of agents.
  void note_agents(std::vector<views::AgentView> agents) { pending_.agents = std::move(agents); }
  /// After the last page: what is only written now and then is written now.
  void finish(Timestamp now);

  /// What people tell: `change` may ask anything of the ledger, and what it changed is kept like the rest. `kept` (may be
  /// empty) hears when that is durable, or why not. On the thread of the pages.
  void tell(const std::function<void(fleet::Ledger&)>& change, Timestamp now, Told kept);

  const fleet::Ledger& ledger() const { return ledger_; }
  IngestStats stats() const { return stats_; }

  // What happens to a page, piece by piece, for sources that push (remote_ingest.h). On the thread of the pages.
  fleet::Ledger& ledger() { return ledger_; }
  Trust& trust() { return trust_; }
  validation::XidWitnesses& xid_witnesses() { return xid_witnesses_; }
  const std::shared_ptr<dcgm_exporter::LayoutPool>& layouts() const { return pool_; }
  /// Takes the layout and its boards over when they are others than before. `first`: a page of it, for the device's own limits.
  void settle(SourceState& from, const telemetry::PageReading& first, std::vector<fleet::BoardId> boards, Timestamp at);
  void count_refused(const std::string& source, const telemetry::Refusal& refusal);
  void count_accepted(std::uint64_t values, std::uint64_t unknown);
  /// Changes that matter become urgent scores.
  void watch(SourceState& from, const telemetry::PageReading& reading);
  /// The live values of the source's boards.
  void show(SourceState& from, const telemetry::PageReading& reading, Timestamp at);
  /// What runs on boards, as the live view shows it: an entry per entry of `boards`.
  void show_work(const std::vector<fleet::BoardId>& boards, const std::vector<telemetry::Workload>& work);
  /// Something that scores depend on has happened to the board.
  void score_soon(fleet::BoardId board) { urgent_.insert(board); }
  store::RowBatch row(const SourceState& from, const telemetry::PageReading& reading, Timestamp at) const;
  /// The quieter kinds of silence, when whole pages come. Whoever works on the host knows that it is odd.
  void notice_signs(SourceState& from, Timestamp at, ToKeep& out);
  ToKeep ledger_changes(Timestamp now);
  std::vector<store::Record> event_records(const std::vector<fleet::FleetEvent>& events);
  /// False when the keeper is stuck and its queue full: rows are given up, and who waits for them hears so.
  bool emit(ToKeep out);

 private:
  struct Source;
  Source& source(const telemetry::Target& target);
  void on_page(const scrape::Scrape& scrape);
  void no_answer(const scrape::Scrape& scrape, const std::string& error);
  void count(const std::string& address, const Source& from, const telemetry::PageReading& reading, const Trust::Verdict& verdict);
  void reopen_anomalies(SourceState& from);
  void list_anomalies(Timestamp now);
  void note_live(Timestamp now);
  void note_counts();
  void note_anomalies(SourceState& from, const telemetry::PageReading& reading, Timestamp at);

  Settings settings_;
  Outlets outlets_;
  Log log_;
  std::shared_ptr<dcgm_exporter::LayoutPool> pool_;
  std::unordered_map<std::string, std::unique_ptr<Source>> sources_;
  fleet::Ledger ledger_;
  std::shared_ptr<Quarantine> quarantine_;
  Trust trust_;
  validation::XidWitnesses xid_witnesses_;
  std::shared_ptr<anomaly::PeerExchange> peers_ = std::make_shared<anomaly::PeerExchange>();
  RefusalCounts refusals_;
  std::vector<LiveValues> live_;                                      // by BoardId
  LiveUpdate pending_;                                                // what tick() will send
  std::set<fleet::BoardId> urgent_;                                   // told with what is emitted next
  std::map<std::string, std::vector<views::OpenAnomaly>> anomalies_;  // by source
  std::vector<WasOpen> were_open_;                                    // before the start, of boards whose pages have not come yet
  std::vector<store::Record> waiting_records_;
  std::uint64_t event_sequence_ = 0;
  IngestStats stats_;
};

}  // namespace ghm::pipeline
