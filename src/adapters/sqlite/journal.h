#pragma once
#include <functional>
#include <string>

#include "adapters/sqlite/head.h"
#include "adapters/sqlite/sqlite_db.h"

/// Rows in the journal: one SQLite row holds some rows of many sources, each as a small head, a checksum and its payload.
namespace ghm::sqlite {

/// Rows of one journal row stay together up to this many bytes: a reader of one source fetches little of others.
inline constexpr std::size_t kJournalRowBytes = 16 << 10;
/// A chain of differences is at most this long: what a damaged row can cost.
inline constexpr std::uint8_t kMostLinks = 30;

/// 32 bits over any bytes; ~0.2 ns per byte. Finds torn and rotten bytes, not an adversary.
std::uint32_t checksum(std::string_view bytes);

/// Encodes rows of a batch into journal rows. What it tells the sources (their chains) holds only if the transaction does:
/// after a failure undo() starts new chains.
class JournalWriter {
 public:
  explicit JournalWriter(std::uint64_t first_seq) : seq_(first_seq) {}

  /// False when the row repeats the source's newest row exactly, and is not written again.
  bool add(Source& source, const ColumnSet* columns, const store::RowBatch& row);

  struct Blob {
    std::uint64_t seq;
    std::string bytes;
  };
  const std::vector<Blob>& blobs() const { return blobs_; }
  std::span<const NewRow> rows() const { return rows_; }
  std::uint64_t next_seq() const { return seq_ + blobs_.size(); }
  void undo();

 private:
  std::string& open_blob();

  std::uint64_t seq_;
  std::vector<Blob> blobs_;
  std::vector<NewRow> rows_;
  std::string payload_;
  store::RowState lone_;  // late rows stand outside of the chain
};

/// Follows chains of rows back into values; one per source, rows in order of arrival.
class ChainReader {
 public:
  /// The values of the row, until the next call; empty when the row's chain has lost its start, which is then sealed.
  Result<std::span<const double>> read(const RowRef& ref, std::string_view journal_row);
  /// A row of the source could not be had.
  void broken() { links_ = 0; }
  store::RowState take_chain() { return std::move(chain_); }

 private:
  store::RowState chain_, lone_;
  std::uint8_t links_ = 0;
};

/// Calls `found(source id, ref)` for every row of a journal row. corrupt when it is malformed or names unknown columns.
Result<void> list_rows(std::uint64_t seq, std::string_view journal_row, const ColumnSets& sets,
                       const std::function<Result<void>(std::uint32_t, const RowRef&)>& found);

/// Reads the rows of a slice, in order of arrival. Journal rows that are gone were sealed meanwhile, and are left out: a
/// reader looks into the day's file afterwards. A rotten row is told to `damaged` and costs its chain, no more.
Result<void> read_slice(Db& db, const HeadSlice& slice, const std::function<void(const RowRef&, std::span<const double>)>& row,
                        const std::function<void(const Error&)>& damaged);

}  // namespace ghm::sqlite
