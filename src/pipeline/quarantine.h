#pragma once
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "domain/fleet/ledger.h"
#include "domain/store/record_store.h"
#include "domain/telemetry/page.h"
#include "domain/views/quarantine_view.h"

namespace ghm::pipeline {

struct QuarantineSettings {
  std::size_t max_rows = 100'000;  // kept values; the newest stay
  std::chrono::hours max_age{7 * 24};
};

/// A value that a mended rule may believe: refused for its size, its rate or its time, not for being no number at all.
bool is_replayable(telemetry::Reason reason);

/// What was refused. Values that a mended rule may believe are kept one by one, within a ring; all others (a sentinel
/// that is stuck says the same every ten seconds) are counted by kind: the first text, how often, first and last time.
///
/// On disk: record kind "quarantine". A page's kept values are one record `b/<slot>`; slots are used again, so that a ring
/// needs no deletes and a refused page costs one small write. The counts of a source are one record `t/<source>`, written
/// when a new kind appears, and otherwise within seconds, at most 64 kB a second for the fleet. After a kill -9 kept values
/// are all there, and counts of repeats may lack their last seconds.
///
/// Any thread; the mutex is held for a page's refusals or one request.
class Quarantine {
 public:
  explicit Quarantine(QuarantineSettings settings = {});

  /// What an earlier run kept. Records that cannot be read are passed over and counted in the answer: refused values are
  /// not worth refusing to start. unavailable: the store cannot be read.
  Result<std::size_t> restore(const store::RecordStore& records, Timestamp now);

  /// Whose page it is. Views live for the call.
  struct From {
    const std::string& source;
    Timestamp at{};
    const telemetry::PageLayout& layout;
    std::span<const fleet::BoardId> boards;  // one per GPU of the layout
    fleet::BoardId host{};
  };
  /// Would the page's own text of one of these values be shown? Quoting it costs a careful read of the page.
  bool wants_text(const From& from, std::span<const telemetry::Refusal> refused) const;
  /// Takes them in; appends the records that must be durable with the page.
  void take(const From& from, std::span<const telemetry::Refusal> refused, std::vector<store::Record>& keep);
  /// Counts that changed; once a second. `all`: without a bound, at the end.
  void flush(Timestamp now, std::vector<store::Record>& keep, bool all = false);

  views::QuarantinePage list(const views::QuarantineQuery& query) const;
  /// Counts by source, metric and reason, of everything that is remembered.
  void for_each_count(const std::function<void(const std::string& source, telemetry::MetricId, telemetry::Reason, std::uint64_t)>& f) const;

  struct Kept {
    std::uint64_t id = 0;
    Timestamp at{};  // of the reading
    std::string source, gpu;
    fleet::BoardId board{};
    telemetry::Entity entity;
    telemetry::MetricId metric{};
    telemetry::Reason reason{};
    std::string text;
    double number = 0;  // canonical unit
  };
  /// The kept values that are meant, oldest first.
  std::vector<Kept> select(const views::QuarantineQuery& query) const;
  /// They are believed now, and durable elsewhere: forgotten here. `put` hands on the records that say so on disk; when it
  /// cannot, nothing has changed and the answer is false. It must not block.
  bool remove(std::span<const std::uint64_t> ids, const std::function<bool(std::vector<store::Record>)>& put);

 private:
  using Kind = std::tuple<fleet::BoardId, std::string, telemetry::Entity, telemetry::MetricId, telemetry::Reason>;
  struct Tally {
    std::uint64_t id = 0, count = 0;
    std::string text;
    Timestamp first{}, last{};
  };
  struct Source {
    std::map<Kind, Tally> tallies;
    bool dirty = false;
  };
  struct Batch {
    std::uint32_t slot = 0;
    Timestamp taken{};
    std::vector<Kept> rows;
  };

  Kind kind_of(const From& from, const telemetry::Refusal& r) const;
  bool count(Source& source, Kind kind, const telemetry::Refusal& r, Timestamp at);
  void keep_batch(Batch batch, std::vector<store::Record>& keep);
  void drop_beyond(Timestamp now);
  std::uint32_t take_slot();
  bool restore_batch(const store::Record& record);
  bool restore_tallies(const store::Record& record);
  static store::Record to_record(const Batch& batch);
  static store::Record to_record(const std::string& name, const Source& source, Timestamp at);

  const QuarantineSettings settings_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Batch> batches_;
  std::size_t rows_ = 0, kinds_ = 0;
  std::map<std::string, Source> sources_;
  std::vector<std::uint32_t> free_slots_;
  std::uint32_t slots_ = 0;
  std::uint64_t next_id_ = 1;
  std::string flushed_;  // the source whose counts were written last: the next ones are next
};

}  // namespace ghm::pipeline
