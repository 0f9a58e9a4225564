#include "services/sums_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ghm::services {
namespace {

constexpr std::size_t kDaysBytes = sizeof(health::DaysOfTime);

}  // namespace

Result<std::unique_ptr<SumsFile>> SumsFile::open(const std::filesystem::path& folder) {
  std::string name = (folder / "scoring-sums-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0)
    return Error{Errc::unavailable, fmt::format("{}: cannot make a file for scoring's sums: {}", folder.string(), std::strerror(errno))};
  ::unlink(name.c_str());  // nobody finds it, and it goes with the process
  return std::unique_ptr<SumsFile>(new SumsFile(descriptor));
}

Result<std::unique_ptr<SumsFile>> SumsFile::in_memory() {
  const int descriptor = ::memfd_create("scoring-sums", MFD_CLOEXEC);
  if (descriptor < 0)
    return Error{Errc::unavailable, fmt::format("cannot make a file in memory for scoring's sums: {}", std::strerror(errno))};
  return std::unique_ptr<SumsFile>(new SumsFile(descriptor));
}

SumsFile::~SumsFile() {
  ::close(descriptor_);
}

SumsFile::Place SumsFile::place(fleet::BoardId board) {
  return {*this, numbers_.try_emplace(board, numbers_.size()).first->second};
}

bool SumsFile::read(void* to, std::size_t bytes, std::size_t at) const {
  return ::pread(descriptor_, to, bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes);
}

bool SumsFile::write(const void* from, std::size_t bytes, std::size_t at) const {
  return ::pwrite(descriptor_, from, bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes);
}

health::DaysOfTime SumsFile::Place::read(std::size_t time_of_day) {
  health::DaysOfTime days{};
  intact_ &= file_->read(&days, sizeof days, number_ * SumsFile::kBytesPerBoard + time_of_day * kDaysBytes);
  return days;
}

void SumsFile::Place::write(std::size_t time_of_day, const health::DaysOfTime& days) {
  intact_ &= file_->write(&days, sizeof days, number_ * SumsFile::kBytesPerBoard + time_of_day * kDaysBytes);
}

std::unique_ptr<health::Recent> SumsFile::Place::read_recent() {
  auto recent = std::make_unique_for_overwrite<health::Recent>();
  intact_ &= file_->read(recent.get(), sizeof *recent, number_ * SumsFile::kBytesPerBoard + kDaysBytes * health::kQuartersOfDay);
  return intact_ ? std::move(recent) : nullptr;
}

template <class Part>
void SumsFile::Place::write_part(const health::Recent& recent, const Part& part) {
  const auto offset = reinterpret_cast<const char*>(&part) - reinterpret_cast<const char*>(&recent);
  const auto recent_at = number_ * SumsFile::kBytesPerBoard + kDaysBytes * health::kQuartersOfDay;
  intact_ &= file_->write(&part, sizeof part, recent_at + static_cast<std::size_t>(offset));
}

void SumsFile::Place::write_newest(const health::Recent& recent) {
  const auto newest = static_cast<std::size_t>(health::number_of(recent.carry.t));
  write_part(recent, recent.carry);
  write_part(recent, recent.quarters[newest % recent.quarters.size()]);
  write_part(recent, recent.minutes[newest % recent.minutes.size()]);
  write_part(recent, recent.hours[newest % recent.hours.size()]);
}

void SumsFile::Place::write_recent(const health::Recent& recent) {
  intact_ &= file_->write(&recent, sizeof recent, number_ * SumsFile::kBytesPerBoard + kDaysBytes * health::kQuartersOfDay);
}

}  // namespace ghm::services
