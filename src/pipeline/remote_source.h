#pragma once
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/dcgm_exporter/series_book.h"
#include "pipeline/ingest.h"
#include "pipeline/remote_labels.h"

namespace ghm::pipeline {

/// How often a source is scraped, learnt from the times of its samples: the median of the last steps, at least 5 s, for so
/// long a sender gathers (queue_config.batch_send_deadline). Until it is known a generous guess stands, so that nobody is
/// called silent too early.
class Pace {
 public:
  explicit Pace(std::chrono::milliseconds guess) : interval_(std::max(guess, std::chrono::milliseconds(1min))) {}
  void note(Timestamp at);
  std::chrono::milliseconds interval() const { return interval_; }
  /// A few scrapes are through: what has not come by now is not there.
  bool is_known() const { return count_ >= kEnough; }

 private:
  static constexpr std::size_t kSteps = 5, kEnough = 3;
  std::array<std::chrono::milliseconds, kSteps> steps_{};
  std::size_t count_ = 0;
  Timestamp last_ = Timestamp::min();
  std::chrono::milliseconds interval_;
};

/// One scraped target, as it arrives by remote_write: in parts, since a sender spreads a page's series over requests. So
/// what one request lacks says nothing. Its series gather in a book; readings of one instant are a page with holes. The
/// columns are all series of the book, so that sets of columns do not multiply. The ingest thread's alone.
class RemoteSource {
 public:
  RemoteSource(std::string name, std::string address, std::chrono::milliseconds interval, bool simulated, Ingest& ingest, Timestamp now);

  const std::string& name() const { return name_; }
  Timestamp heard() const { return heard_; }
  /// The exporter's host name, when all its series so far agree on one; set by the first that has any.
  std::string host;

  /// Room for one more series?
  bool has_room() const;
  /// A series of a known metric; its samples come later, in note().
  void hear(std::uint64_t key, const remote_write::Series& series, Timestamp now);
  /// HELP texts have changed what the units are.
  void units_changed() { unsettled_ = true; }
  /// After the last hear() of a request.
  void settle(const dcgm_exporter::HelpUnits& help, Timestamp now);

  /// Readings of one instant: row of the book and converted value.
  using Instants = std::map<Timestamp, std::vector<std::pair<std::uint32_t, double>>>;
  /// Sorts a series' samples; those that nobody can read or that come too early or late are refused. `oldest`: of the times
  /// that are taken.
  void note(std::uint64_t key, const remote_write::Series& series, Timestamp oldest, Timestamp now, Instants& out);
  std::size_t columns() const { return latest_.values.size(); }
  /// Believes them, tells the ledger, the live view and the store.
  void take(const Instants& instants, Timestamp now, ToKeep& out);

 private:
  using Row = dcgm_exporter::SeriesBook::Row;
  std::uint32_t row_of(std::uint64_t key, const remote_write::Series& series, Timestamp now);
  void note(std::uint32_t number, const remote_write::Sample& sample, Timestamp oldest, Timestamp now, Instants& out);
  void note_end(Row& row, Timestamp at, Timestamp now);
  void refuse(const Row& row, const remote_write::Sample& sample, telemetry::Reason reason);
  void refuse(const telemetry::PageReading& reading, std::size_t column, Timestamp at);
  void look_who(const Instants& instants, Timestamp now);
  std::vector<Timestamp> newest_by_gpu(const Instants& instants) const;
  std::vector<fleet::BoardId> boards_so_far() const;
  fleet::BoardId known(const telemetry::GpuIdentity& gpu) const;
  void see(std::size_t gpu, fleet::BoardId& board, Timestamp at);
  void settle_columns(std::vector<fleet::BoardId> boards, const Instants& instants, Timestamp now);
  bool is_late(Timestamp at, Timestamp now) const;
  void take(Timestamp at, const std::vector<std::pair<std::uint32_t, double>>& values, Timestamp now, ToKeep& out);
  telemetry::PageReading reading_of(Timestamp at, const std::vector<std::pair<std::uint32_t, double>>& values);
  bool count(const telemetry::PageReading& reading, Timestamp at);
  telemetry::PageReading news_of(const telemetry::PageReading& reading, Timestamp at);
  void tell_news(ToKeep& out);
  void show(Timestamp now);

  std::string name_;
  Ingest& ingest_;
  bool always_simulated_;
  telemetry::Target target_;
  bool simulated_ = false;
  Pace pace_;
  dcgm_exporter::SeriesBook book_;
  bool unsettled_ = false;
  Timestamp settle_again_ = Timestamp::max();  // rows have ended: they are to be forgotten then
  Timestamp heard_{};
  SourceState state_;
  telemetry::PageReading latest_;            // the newest value of every column
  std::vector<Timestamp> latest_at_;         // and its time
  std::vector<bool> ended_;                  // and whether its series has ended: then it is not shown
  std::vector<std::uint32_t> ending_;        // columns that ended in this request
  std::vector<telemetry::Refusal> refused_;  // of this request
  bool has_news_ = false;
};

}  // namespace ghm::pipeline
