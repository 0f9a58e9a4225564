#include "pipeline/archive_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>

#include "domain/store/row_codec.h"
#include "domain/telemetry/page.h"

namespace ghm::pipeline {
namespace {

using store::SeriesKey;

// Boards come and go, so a bank has some sets of boards that report together; when there are more, rows are padded with absence.
constexpr std::size_t kMostShapes = 64;
constexpr std::size_t kMostRememberedHours = 100'000;
constexpr std::int64_t kHourMs = 3'600'000;

std::uint64_t all_of(std::size_t boards) {
  return boards == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << boards) - 1;
}

}  // namespace

ArchiveRows::ArchiveRows(std::string source, std::vector<telemetry::BoardId> boards, std::size_t most_columns,
                         const store::TelemetryStore& store)
    : store_(store),
      bank_boards_(std::clamp<std::size_t>(store::kMostRowColumns / std::max<std::size_t>(most_columns, 1), 1, kBankBoards)),
      boards_(std::move(boards)),
      newest_(boards_.size(), Timestamp::min()) {
  for (std::size_t first = 0; first < boards_.size(); first += bank_boards_) {
    auto& bank = banks_.emplace_back();
    bank.source = banks_.size() == 1 ? source : fmt::format("{}#{}", source, banks_.size());
    bank.first = first;
    bank.size = std::min(bank_boards_, boards_.size() - first);
  }
}

void ArchiveRows::begin(const std::vector<archive::TelemetryColumn>& columns) {
  assert(waiting_values_ == 0);
  const auto same = [](const archive::TelemetryColumn& a, const archive::TelemetryColumn& b) {
    return a.entity == b.entity && a.metric == b.metric;
  };
  if (!std::ranges::equal(columns, columns_, same))
    for (auto& bank : banks_) bank.shapes.clear();
  columns_ = columns;
}

void ArchiveRows::look_for(const std::vector<archive::TelemetryColumn>& columns) {
  for (const auto& c : columns) looked_for_.emplace_back(c.entity, c.metric);
  std::ranges::sort(looked_for_);
  looked_for_.erase(std::unique(looked_for_.begin(), looked_for_.end()), looked_for_.end());
}

Result<bool> ArchiveRows::add(std::size_t board, Timestamp at, const std::vector<double>& values) {
  if (at <= newest_[board]) {
    const auto known = is_known(board, at);
    if (!known) return known.error();
    if (*known) return false;
  }
  newest_[board] = std::max(newest_[board], at);
  auto& bank = bank_of(board);
  auto& row = row_at(bank, at);
  const auto slot = board - bank.first;
  row.boards |= Mask{1} << slot;
  std::ranges::copy(values, row.values.begin() + static_cast<std::ptrdiff_t>(slot * columns_.size()));
  return true;
}

ArchiveRows::Row& ArchiveRows::row_at(Bank& bank, Timestamp at) {
  if (!bank.rows.empty() && bank.rows.back().at == at) return bank.rows.back();
  const auto [it, fresh] = bank.by_time.try_emplace(to_unix_ms(at), bank.rows.size());
  if (!fresh) return bank.rows[it->second];
  const auto size = bank.size * columns_.size();
  waiting_values_ += size;
  return bank.rows.emplace_back(Row{at, 0, std::vector<double>(size, telemetry::absent())});
}

Result<bool> ArchiveRows::is_known(std::size_t board, Timestamp at) {
  const auto& bank = bank_of(board);
  if (const auto it = bank.by_time.find(to_unix_ms(at)); it != bank.by_time.end())
    if (bank.rows[it->second].boards >> (board - bank.first) & 1) return true;
  const auto times = stored_times(board, to_unix_ms(at) / kHourMs);
  if (!times) return times.error();
  return std::ranges::binary_search(**times, at);
}

Result<const std::vector<Timestamp>*> ArchiveRows::stored_times(std::size_t board, std::int64_t hour) {
  const auto key = static_cast<std::uint64_t>(board) << 32 | static_cast<std::uint64_t>(hour);
  if (const auto it = stored_.find(key); it != stored_.end()) return &it->second;
  if (stored_.size() >= kMostRememberedHours) stored_.clear();
  std::vector<SeriesKey> series;
  for (const auto& [entity, metric] : looked_for_) series.push_back({boards_[board], entity, metric});
  const auto points = store_.read_many(series, {from_unix_ms(hour * kHourMs), from_unix_ms((hour + 1) * kHourMs)});
  if (!points) return points.error();
  std::vector<Timestamp> times;
  for (const auto& one : *points)
    for (const auto& p : one) times.push_back(p.at);
  std::ranges::sort(times);
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return &(stored_[key] = std::move(times));
}

// `boards` becomes all of the bank where the exact set has no shape.
const store::Columns& ArchiveRows::shape(Bank& bank, Mask& boards) {
  if (bank.shapes.size() >= kMostShapes && !bank.shapes.contains(boards)) boards = all_of(bank.size);
  auto& columns = bank.shapes[boards];
  if (columns) return columns;
  auto keys = std::make_shared<std::vector<SeriesKey>>();
  for (std::size_t slot = 0; slot < bank.size; ++slot)
    if (boards >> slot & 1)
      for (const auto& c : columns_) keys->push_back({boards_[bank.first + slot], c.entity, c.metric});
  return columns = std::move(keys);
}

store::RowBatch ArchiveRows::finished(Bank& bank, Row row) {
  const auto& columns = shape(bank, row.boards);
  store::RowBatch out{bank.source, columns, row.at, std::move(row.values)};
  if (columns->size() == out.values.size()) return out;
  const auto width = static_cast<std::ptrdiff_t>(columns_.size());
  auto to = out.values.begin();
  for (std::size_t slot = 0; slot < bank.size; ++slot) {
    if ((row.boards >> slot & 1) == 0) continue;
    const auto from = out.values.begin() + static_cast<std::ptrdiff_t>(slot) * width;
    to = std::copy(from, from + width, to);
  }
  out.values.resize(columns->size());
  return out;
}

std::vector<store::RowBatch> ArchiveRows::take() {
  std::vector<store::RowBatch> out;
  for (auto& bank : banks_) {
    for (auto& row : bank.rows) out.push_back(finished(bank, std::move(row)));
    bank.rows.clear();
    bank.by_time.clear();
  }
  waiting_values_ = 0;
  stored_.clear();  // what is taken will stand in the store
  return out;
}

}  // namespace ghm::pipeline
