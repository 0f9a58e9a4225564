#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/archive/telemetry_reader.h"
#include "domain/store/telemetry_store.h"

namespace ghm::pipeline {

/// Gathers a telemetry table's rows (one GPU at one instant) into the rows that a store likes: many boards at one instant, in
/// banks of 64 boards, each bank a source of its own, so that a bank's row is coded against its row before and its hours are
/// sealed with one transaction. It also tells what is a repetition: per board the newest instant is known, and only what lies at
/// or before that is looked up, among the rows waiting here and in the store.
class ArchiveRows {
 public:
  static constexpr std::size_t kBankBoards = 64;  // fewer where a table is so wide that a store's row would not hold them

  /// `source` names the first bank; further ones get "#2", "#3", ... `boards`: by the number that add() is given.
  /// `most_columns`: of the widest table.
  ArchiveRows(std::string source, std::vector<telemetry::BoardId> boards, std::size_t most_columns, const store::TelemetryStore& store);

  /// The columns of the rows that follow; nothing may be waiting.
  void begin(const std::vector<archive::TelemetryColumn>& columns);
  /// Columns that an earlier row of a board may have; asked for when a repetition is looked up.
  void look_for(const std::vector<archive::TelemetryColumn>& columns);
  /// An import that goes on does not remember its boards' instants: up to here everything is looked up.
  void looked_up_until(Timestamp t) { newest_.assign(boards_.size(), t); }

  /// False: this board has a row at this instant already, and this one is not taken. The store's errors.
  Result<bool> add(std::size_t board, Timestamp at, const std::vector<double>& values);
  std::size_t waiting_values() const { return waiting_values_; }
  /// What is waiting, bank by bank in order of arrival.
  std::vector<store::RowBatch> take();

 private:
  using Mask = std::uint64_t;  // which of a bank's boards
  struct Row {
    Timestamp at{};
    Mask boards = 0;
    std::vector<double> values;  // of all the bank's boards
  };
  struct Bank {
    std::string source;
    std::size_t first = 0, size = 0;
    std::vector<Row> rows;
    std::unordered_map<std::int64_t, std::size_t> by_time;
    std::unordered_map<Mask, store::Columns> shapes;
  };
  Bank& bank_of(std::size_t board) { return banks_[board / bank_boards_]; }
  Row& row_at(Bank& bank, Timestamp at);
  Result<bool> is_known(std::size_t board, Timestamp at);
  Result<const std::vector<Timestamp>*> stored_times(std::size_t board, std::int64_t hour);
  const store::Columns& shape(Bank& bank, Mask& boards);
  store::RowBatch finished(Bank& bank, Row row);

  const store::TelemetryStore& store_;
  const std::size_t bank_boards_;
  std::vector<telemetry::BoardId> boards_;
  std::vector<Timestamp> newest_;  // per board
  std::vector<Bank> banks_;
  std::vector<archive::TelemetryColumn> columns_;
  std::vector<std::pair<telemetry::Entity, telemetry::MetricId>> looked_for_;
  std::size_t waiting_values_ = 0;
  std::unordered_map<std::uint64_t, std::vector<Timestamp>> stored_;  // by board and hour
};

}  // namespace ghm::pipeline
