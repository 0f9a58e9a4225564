#include "adapters/nvml/board_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "adapters/nvml/nvml_library.h"

namespace ghm::nvml {
namespace {

using transport::AgentEvent;
using transport::GpuName;
using Events = std::vector<AgentEvent>;

GpuName name_of(const telemetry::GpuIdentity& id) {
  return {id.uuid, id.serial, id.pci_bus_id};
}

AgentEvent event(const char* kind, GpuName gpu, std::string text, Timestamp now) {
  AgentEvent e;
  e.at = now;
  e.kind = kind;
  e.gpu = std::move(gpu);
  e.text = std::move(text);
  e.fields["witness"] = "nvml";
  return e;
}

// Serials are empty, "0" or "N/A" on consumer boards: that is no serial.
bool is_serial(const std::string& text) {
  return text.find_first_not_of('0') != std::string::npos && text != "N/A";
}

bool was_read(const BoardReport& report) {
  return !report.uuid.empty() && (report.status == abi::kSuccess || report.status == abi::kResetRequired);
}

}  // namespace

GpuName BoardBook::name_at(unsigned index) const {
  for (const auto& [uuid, board] : boards_)
    if (board.state != State::gone && board.identity.index == static_cast<int>(index)) return name_of(board.identity);
  return {};
}

GpuName BoardBook::find_device(std::string_view id) const {
  constexpr std::string_view kByMinor = "gpu-";
  const bool by_minor = id.starts_with(kByMinor);
  if (by_minor) id.remove_prefix(kByMinor.size());
  int number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool is_number = error == std::errc() && end == id.data() + id.size() && number >= 0;
  if (is_number && !by_minor) return name_at(static_cast<unsigned>(number));
  for (const auto& [uuid, board] : boards_) {
    const bool its = is_number ? board.minor == number : std::ranges::find(board.mig_uuids, id) != board.mig_uuids.end();
    if (its && board.state != State::gone) return name_of(board.identity);
  }
  return {};
}

// A lost board may not even say its name: then it is the one that stood at that index.
std::string BoardBook::uuid_of(const BoardReport& report) const {
  return report.uuid.empty() ? name_at(report.index).uuid : report.uuid;
}

void BoardBook::judge_host(const HostReport& host, Timestamp now, Events& out) {
  const bool was_fine = host_status_ == abi::kSuccess, is_fine = host.status == abi::kSuccess;
  if (is_fine && !was_fine && had_round_) out.push_back(event("nvml_back", {}, "NVML answers again", now));
  if (!is_fine && had_round_ && host.status != host_status_) {
    auto e = event("nvml_unavailable", {}, host.trouble, now);
    e.code = host.status;
    out.push_back(std::move(e));
  }
  host_status_ = host.status;
  if (!is_fine) return;
  if (!driver_.empty() && host.driver != driver_)
    out.push_back(event("driver_changed", {}, fmt::format("the driver was {} and is {}", driver_, host.driver), now));
  driver_ = host.driver;
}

void BoardBook::set_state(Board& board, State state, abi::Code code, Timestamp now, Events& out) {
  const auto before = std::exchange(board.state, state);
  if (before == state) return;
  const auto say = [&](const char* kind, const char* text) { out.push_back(event(kind, name_of(board.identity), text, now)); };
  switch (state) {
    case State::fine: return say("gpu_back", before == State::gone ? "NVML counts the GPU again" : "the GPU answers NVML again");
    case State::lost: return say("gpu_lost", "NVML says GPU_IS_LOST");
    case State::reset_required: return say("gpu_reset_required", "NVML says RESET_REQUIRED");
    case State::failing: return say("gpu_error", ("NVML cannot open the GPU: " + code_name(code)).c_str());
    case State::gone: return say("gpu_gone", "NVML no longer counts the GPU");
  }
}

void BoardBook::note_nameless(const BoardReport& report, Timestamp now, Events& out) {
  if (report.status == abi::kSuccess || !told_nameless_.emplace(report.index, report.status).second) return;
  auto e = event(report.status == abi::kGpuIsLost ? "gpu_lost" : "gpu_error", {},
                 fmt::format("NVML says {} of a GPU that it has not named since the agent started", code_name(report.status)), now);
  e.fields["index"] = std::to_string(report.index);
  out.push_back(std::move(e));
}

void BoardBook::learn(const BoardReport& report, const HostReport& host, Timestamp now, Events& out) {
  const auto uuid = uuid_of(report);
  if (uuid.empty()) return note_nameless(report, now, out);
  const bool is_new = !boards_.contains(uuid);
  auto& board = boards_[uuid];
  auto& id = board.identity;
  id.uuid = uuid;
  id.index = static_cast<int>(report.index);
  if (!report.pci_bus_id.empty()) id.pci_bus_id = report.pci_bus_id;
  if (is_serial(report.serial)) id.serial = report.serial;
  if (!report.model.empty()) id.model = report.model;
  if (!report.vbios.empty()) id.vbios_version = report.vbios;
  id.driver_version = host.driver;
  if (report.minor >= 0) board.minor = report.minor;
  if (report.status == abi::kSuccess) board.mig_uuids = report.mig_uuids;
  if (is_new && had_round_) out.push_back(event("gpu_new", name_of(id), "a GPU that NVML did not count before", now));
  switch (report.status) {
    case kSkipped: return;
    case abi::kGpuIsLost: return set_state(board, State::lost, report.status, now, out);
    case abi::kResetRequired: return set_state(board, State::reset_required, report.status, now, out);
    case abi::kSuccess: return set_state(board, State::fine, report.status, now, out);
    default: return set_state(board, State::failing, report.status, now, out);
  }
}

void BoardBook::judge_absent(const std::set<std::string>& seen, Timestamp now, Events& out) {
  for (auto& [uuid, board] : boards_)
    if (!seen.contains(uuid)) set_state(board, State::gone, abi::kSuccess, now, out);
}

void BoardBook::judge_serials(Timestamp now, Events& out) {
  std::map<std::string, std::vector<const Board*>> by_serial;
  for (const auto& [uuid, board] : boards_)
    if (board.state != State::gone && !board.identity.serial.empty()) by_serial[board.identity.serial].push_back(&board);
  for (const auto& [serial, all] : by_serial) {
    if (all.size() < 2 || !told_serials_.insert(serial).second) continue;
    std::string uuids;
    for (const auto* board : all) uuids += (uuids.empty() ? "" : ", ") + board->identity.uuid;
    auto e = event("duplicate_serial", {}, fmt::format("{} GPUs say that their serial number is {}: {}", all.size(), serial, uuids), now);
    e.text.resize(std::min(e.text.size(), transport::kLongestEventText));
    e.fields["serial"] = serial;
    out.push_back(std::move(e));
  }
}

void BoardBook::judge_boards(const ReadRound& round, Timestamp now, Events& out) {
  std::set<std::string> seen;
  for (const auto& report : round.boards)
    if (auto uuid = uuid_of(report); !uuid.empty()) seen.insert(std::move(uuid));
  // First who left: then an index that moved on names nobody twice.
  if (round.complete && round.boards.size() == round.host.gpus) judge_absent(seen, now, out);
  for (const auto& report : round.boards) learn(report, round.host, now, out);
  judge_serials(now, out);
}

bool BoardBook::Columns::fits(const std::vector<Value>& values) const {
  return std::ranges::equal(values, order, [](const Value& v, const auto& known) { return known.first == ColumnKey{v.entity, v.metric}; });
}

// As most rounds are: the same GPUs say the same.
bool BoardBook::is_laid_out(const ReadRound& round) const {
  if (!layout_) return false;
  auto gpu = layout_->gpus.begin();
  for (const auto& report : round.boards) {
    if (!was_read(report)) continue;
    const auto columns = columns_.find(report.uuid);
    if (columns == columns_.end() || !columns->second.fits(report.values)) return false;
    if (gpu == layout_->gpus.end() || *gpu++ != boards_.at(report.uuid).identity) return false;
  }
  return gpu == layout_->gpus.end();
}

void BoardBook::lay_out(const ReadRound& round) {
  std::vector<telemetry::GpuIdentity> gpus;
  std::map<std::string, std::int16_t> position;
  for (const auto& report : round.boards) {
    if (!was_read(report) || position.contains(report.uuid)) continue;
    position[report.uuid] = static_cast<std::int16_t>(gpus.size());
    gpus.push_back(boards_.at(report.uuid).identity);
  }
  const bool same_gpus = layout_ && layout_->gpus == gpus;
  if (!same_gpus) columns_.clear();
  bool more = false;
  for (const auto& report : round.boards) {
    if (!was_read(report)) continue;
    auto& columns = columns_[report.uuid].places;
    for (const auto& v : report.values) more |= columns.try_emplace({v.entity, v.metric}, 0).second;
  }
  if (!same_gpus || more) make_layout(std::move(gpus), position);
  for (const auto& report : round.boards) {
    if (!was_read(report)) continue;
    auto& columns = columns_.at(report.uuid);
    columns.order.clear();
    for (const auto& v : report.values) columns.order.emplace_back(ColumnKey{v.entity, v.metric}, columns.places.at({v.entity, v.metric}));
  }
}

void BoardBook::make_layout(std::vector<telemetry::GpuIdentity> gpus, const std::map<std::string, std::int16_t>& position) {
  auto table = std::make_shared<telemetry::SeriesTable>();
  for (auto& [uuid, columns] : columns_)
    for (auto& [key, column] : columns.places) {
      column = table->series.size();
      table->series.push_back({position.at(uuid), key.entity, key.metric, false});
    }
  const auto count = gpus.size();
  layout_ = std::make_shared<telemetry::PageLayout>(
      telemetry::PageLayout{std::move(table), std::move(gpus), std::vector<telemetry::Workload>(count)});
}

telemetry::PageReading BoardBook::readings(const ReadRound& round) {
  if (!is_laid_out(round)) lay_out(round);
  telemetry::PageReading page;
  page.layout = layout_;
  page.values.assign(layout_->table->series.size(), telemetry::absent());
  for (const auto& report : round.boards) {
    if (!was_read(report)) continue;
    const auto& columns = columns_.at(report.uuid);
    const bool in_order = columns.fits(report.values);
    for (std::size_t i = 0; i < report.values.size(); ++i) {
      const auto& v = report.values[i];
      page.values[in_order ? columns.order[i].second : columns.places.at({v.entity, v.metric})] = v.value;
    }
  }
  return page;
}

transport::SourceRound BoardBook::take(const ReadRound& round, Timestamp now) {
  transport::SourceRound out;
  if (!round.has_host) return out;
  judge_host(round.host, now, out.events);
  if (round.complete) processes_.clear();
  if (round.host.status != abi::kSuccess) {
    out.trouble = round.host.trouble;
    return out;
  }
  judge_boards(round, now, out.events);
  had_round_ = had_round_ || round.complete;
  for (const auto& [uuid, board] : boards_)
    if (board.state != State::gone) out.gpus.push_back(board.identity);
  for (const auto& report : round.boards)
    for (const auto& p : round.complete ? report.processes : std::vector<GpuProcess>())
      processes_.push_back({name_of(boards_.at(uuid_of(report)).identity), p.pid});
  if (std::ranges::any_of(round.boards, was_read)) out.readings = readings(round);
  return out;
}

}  // namespace ghm::nvml
