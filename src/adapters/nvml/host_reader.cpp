#include "adapters/nvml/host_reader.h"

#include <algorithm>
#include <array>

namespace ghm::nvml {
namespace {

constexpr unsigned kMostGpus = 64;
constexpr int kHost = -1;

HostReport trouble(abi::Code code, std::string what) {
  HostReport report;
  report.status = code;
  report.trouble = std::move(what);
  return report;
}

bool has(const std::vector<std::string>& list, const std::string& uuid) {
  return !uuid.empty() && std::ranges::find(list, uuid) != list.end();
}

}  // namespace

HostReport HostReader::open() {
  if (!loaded_) {
    auto library = Library::load(path_);
    if (!library) return trouble(abi::kLibraryNotFound, library.error().what);
    library_ = *library;
    loaded_ = true;
  }
  if (!initialised_) {
    progress_.begin(Call::init, kHost);
    if (const auto code = library_.init(); code != abi::kSuccess) return trouble(code, "nvmlInit_v2: " + code_name(code));
    initialised_ = true;
    std::array<char, 96> text{};
    const auto length = static_cast<unsigned>(text.size() - 1);
    progress_.begin(Call::driver_version, kHost);
    if (library_.driver_version && library_.driver_version(text.data(), length) == abi::kSuccess) driver_ = text.data();
    if (library_.library_version && library_.library_version(text.data(), length) == abi::kSuccess) version_ = text.data();
  }
  HostReport report;
  report.driver = driver_, report.library = version_;
  progress_.begin(Call::device_count, kHost);
  if (const auto code = library_.device_count(&report.gpus); code != abi::kSuccess)
    return trouble(code, "nvmlDeviceGetCount_v2: " + code_name(code));
  report.gpus = std::min(report.gpus, kMostGpus);
  return report;
}

std::vector<HostReader::Slot> HostReader::find_boards(unsigned count) {
  std::vector<Slot> slots;
  for (unsigned i = 0; i < count; ++i) {
    Slot slot;
    slot.index = i;
    progress_.begin(Call::device_by_index, static_cast<int>(i));
    slot.status = library_.device_by_index(i, &slot.device);
    std::array<char, 96> text{};
    if (slot.status == abi::kSuccess && library_.uuid) {
      progress_.begin(Call::uuid, static_cast<int>(i));
      const auto code = library_.uuid(slot.device, text.data(), static_cast<unsigned>(text.size() - 1));
      if (code == abi::kSuccess) slot.uuid = text.data();
      if (code == abi::kGpuIsLost) slot.status = code;
    }
    slots.push_back(std::move(slot));
  }
  return slots;
}

BoardMemory& HostReader::memory_of(const std::string& uuid) {
  for (auto& m : memories_)
    if (m.uuid == uuid) return m;
  memories_.emplace_back().uuid = uuid;
  return memories_.back();
}

// A board that left and comes back may have another driver's view on it, or be repaired.
void HostReader::forget_absent(const std::vector<Slot>& slots) {
  std::erase_if(memories_,
                [&](const BoardMemory& m) { return std::ranges::none_of(slots, [&](const Slot& s) { return s.uuid == m.uuid; }); });
}

BoardReport HostReader::read_board(const Slot& slot, const Ask& ask) {
  BoardReport report;
  report.index = slot.index, report.uuid = slot.uuid, report.status = slot.status;
  if (slot.status != abi::kSuccess) return report;
  if (has(ask.skip, slot.uuid)) {
    report.status = kSkipped;
    return report;
  }
  return BoardReader(library_, progress_, memory_of(slot.uuid), slot.device, slot.index).read(ask.all);
}

bool HostReader::read(const Ask& ask, const Send& send) {
  auto host = open();
  const bool fine = host.status == abi::kSuccess;
  const auto count = host.gpus;
  send({ask.round, std::move(host)});
  if (fine) {
    auto slots = find_boards(count);
    std::ranges::stable_partition(slots, [&](const Slot& s) { return !has(ask.last, s.uuid); });
    for (const auto& slot : slots) send({ask.round, read_board(slot, ask)});
    forget_absent(slots);
  }
  send({ask.round, RoundEnd{}});
  return fine;
}

}  // namespace ghm::nvml
