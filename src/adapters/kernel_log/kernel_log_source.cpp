#include "adapters/kernel_log/kernel_log_source.h"

#include <fmt/format.h>

#include <charconv>

#include "core/files.h"

namespace ghm::kernel_log {
namespace {

using transport::AgentEvent;

constexpr std::size_t kSmallFile = 64 << 10;

std::string first_word(const std::filesystem::path& path) {
  const auto text = read_file(path, kSmallFile);
  return text ? text->substr(0, text->find_first_of(" \n\t")) : std::string();
}

}  // namespace

std::string driver_version_in(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  std::size_t at = line.find("Kernel Module");
  while (at < line.size()) {
    at = line.find_first_not_of(' ', at);
    if (at == line.npos) break;
    const auto word = line.substr(at, line.find(' ', at) - at);
    if (word.find_first_not_of("0123456789.") == word.npos && word.find('.') != word.npos) return std::string(word);
    at += word.size();
  }
  return {};
}

KernelLogSource::KernelLogSource(KernelLogConfig config, std::function<ClockReading()> clocks)
    : config_(std::move(config)), clocks_(std::move(clocks)), boot_id_(first_word(config_.boot_id)), log_(boot_id_) {
  if (const auto text = read_file(config_.driver_version, kSmallFile)) log_.set_driver_version(driver_version_in(*text));
  last_seq_ = tellable_seq_ = saved_seq_ = remembered();
}

// "<boot id> <sequence>"; another boot's number means nothing.
std::optional<std::uint64_t> KernelLogSource::remembered() const {
  if (config_.state.empty() || boot_id_.empty()) return std::nullopt;
  const auto text = read_file(config_.state, kSmallFile);
  if (!text || !text->starts_with(boot_id_ + " ")) return std::nullopt;
  std::uint64_t seq = 0;
  const char* begin = text->data() + boot_id_.size() + 1;
  const auto [end, error] = std::from_chars(begin, text->data() + text->size(), seq);
  return error == std::errc() && end != begin ? std::optional(seq) : std::nullopt;
}

void KernelLogSource::kept() {
  if (config_.state.empty() || !tellable_seq_ || tellable_seq_ == saved_seq_) return;
  const auto now = clocks_().monotonic;
  if (!told_something_ && now - last_save_ < kSaveEvery) return;
  last_save_ = now;
  const auto written = write_file_atomically(config_.state, fmt::format("{} {}\n", boot_id_, *tellable_seq_), 0600);
  save_trouble_ = written ? std::string() : "kernel log: " + written.error().what + ": a restart will tell this boot's faults again";
  if (!written) return;
  saved_seq_ = tellable_seq_;
  told_something_ = false;
}

bool KernelLogSource::open() {
  if (reader_) return true;
  auto device = open_kmsg(config_.device);
  trouble_ = device ? std::string() : "kernel log: " + device.error().what;
  if (device) reader_ = std::make_unique<KmsgReader>(std::move(*device), last_seq_);
  return reader_ != nullptr;
}

AgentEvent KernelLogSource::host_event(std::string kind, std::chrono::microseconds at, std::string text) const {
  AgentEvent e;
  e.at = clock_.wall_time(at);
  e.kind = std::move(kind);
  e.text = std::move(text);
  e.fields = {{"boot_id", boot_id_}, {"monotonic_us", std::to_string(at.count())}};
  return e;
}

void KernelLogSource::take(const LogItem& item, std::vector<AgentEvent>& out) {
  if (const auto* record = std::get_if<KmsgRecord>(&item)) return log_.add(*record, clock_.wall_time(record->at), out);
  const auto& gap = std::get<LogGap>(item);
  ++gaps_, missing_ += gap.missing;
  auto e =
      host_event("kernel_gap", gap.at, fmt::format("{} records of the kernel log were overwritten before they were read", gap.missing));
  e.fields["missing"] = std::to_string(gap.missing);
  e.fields["seq"] = std::to_string(gap.before_seq);
  out.push_back(std::move(e));
}

std::vector<AgentEvent> KernelLogSource::listen(Timestamp) {
  std::vector<AgentEvent> out;
  const auto now = clocks_();
  if (const auto step = clock_.look(now)) {
    auto e = host_event(
        "clock_step", now.monotonic,
        fmt::format("the host's clock was set {} s {}", std::chrono::abs(*step).count() / 1000.0, step->count() < 0 ? "back" : "forward"));
    e.fields["by_ms"] = std::to_string(step->count());
    out.push_back(std::move(e));
  }
  if (!open()) return out;
  std::vector<LogItem> items;
  const auto drained = reader_->drain(kMostReads, items);
  for (const auto& item : items) take(item, out);
  log_.flush(now.monotonic, out);
  last_seq_ = reader_->last_seq();
  if (!log_.waiting()) tellable_seq_ = last_seq_;
  told_something_ = told_something_ || !out.empty();
  if (!drained) {
    trouble_ = drained.error().what;
    closed_ = counts();
    reader_.reset();
  }
  return out;
}

std::chrono::milliseconds KernelLogSource::listen_within() const {
  const bool must_ask = reader_ && (reader_->ready_file() < 0 || log_.waiting());
  return must_ask ? std::chrono::seconds(1) : AgentSource::listen_within();
}

transport::SourceRound KernelLogSource::collect(Timestamp now) {
  transport::SourceRound round;
  round.events = listen(now);
  round.trouble = trouble_.empty() ? save_trouble_ : trouble_;
  return round;
}

transport::Testimony KernelLogSource::testify(const transport::GpuName& gpu, Timestamp) {
  transport::Testimony out;
  if (!gpu.is_host()) return out;
  out.missing = trouble_;
  if (!reader_) return out;
  out.lines = reader_->tail().lines();
  testified_seq_ = reader_->tail().newest();
  const auto c = counts();
  if (c.gaps > 0) out.facts["gaps"] = std::to_string(c.gaps);
  if (c.missing > 0) out.facts["overwritten_records"] = std::to_string(c.missing);
  if (c.malformed > 0) out.facts["unreadable_records"] = std::to_string(c.malformed);
  return out;
}

transport::Testimony KernelLogSource::seen_again(const transport::GpuName& gpu, Timestamp) {
  transport::Testimony out;
  if (gpu.is_host() && reader_ && testified_seq_) out.lines = reader_->tail().lines(testified_seq_);
  return out;
}

std::map<std::string, std::uint64_t> KernelLogSource::counts_of_own() const {
  const auto c = counts();
  return {{"kernel_log_records", c.records},
          {"kernel_log_malformed_records", c.malformed},
          {"kernel_log_too_big_records", c.too_big},
          {"kernel_log_cut_lines", c.cut_lines},
          {"kernel_log_gaps", c.gaps},
          {"kernel_log_missing_records", c.missing}};
}

KernelLogSource::Counts KernelLogSource::counts() const {
  Counts all = closed_;
  all.gaps = gaps_, all.missing = missing_;
  if (!reader_) return all;
  const auto& c = reader_->counts();
  all.records += c.records, all.malformed += c.malformed, all.too_big += c.too_big, all.overwritten += c.overwritten;
  all.cut_lines += reader_->cut_lines();
  return all;
}

}  // namespace ghm::kernel_log
