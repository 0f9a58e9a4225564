#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "core/result.h"
#include "domain/fleet/ledger.h"
#include "domain/health/running_sums.h"

namespace ghm::services {

/// Where the running sums of boards lie between rounds: a place of some 0.5 MB per board in a nameless file of the data folder. It
/// is scratch space, not the truth: it goes with the process, and sums are made anew from the store. One thread.
class SumsFile {
 public:
  static constexpr std::size_t kBytesPerBoard = sizeof(health::DaysOfTime) * health::kQuartersOfDay + sizeof(health::Recent);

  /// unavailable: no such folder, no space.
  static Result<std::unique_ptr<SumsFile>> open(const std::filesystem::path& folder);
  /// One without a folder, for a board or a few. unavailable: no memory.
  static Result<std::unique_ptr<SumsFile>> in_memory();
  ~SumsFile();
  SumsFile(const SumsFile&) = delete;
  SumsFile& operator=(const SumsFile&) = delete;

  /// One board's place; nothing lies there until something is written.
  class Place final : public health::DayBook {
   public:
    Place(SumsFile& file, std::size_t number) : file_(&file), number_(number) {}
    health::DaysOfTime read(std::size_t time_of_day) override;
    void write(std::size_t time_of_day, const health::DaysOfTime& days) override;
    /// nullptr when it cannot be read.
    std::unique_ptr<health::Recent> read_recent();
    void write_recent(const health::Recent& recent);
    /// Of one that lies here already and went on by one quarter: what that changed.
    void write_newest(const health::Recent& recent);
    /// False once anything could not be read or written: what lies here cannot be relied on.
    bool intact() const { return intact_; }

   private:
    template <class Part>
    void write_part(const health::Recent& recent, const Part& part);

    SumsFile* file_;
    std::size_t number_;
    bool intact_ = true;
  };
  Place place(fleet::BoardId board);

 private:
  explicit SumsFile(int descriptor) : descriptor_(descriptor) {}
  bool read(void* to, std::size_t bytes, std::size_t at) const;
  bool write(const void* from, std::size_t bytes, std::size_t at) const;

  int descriptor_;
  std::map<fleet::BoardId, std::size_t> numbers_;
};

}  // namespace ghm::services
