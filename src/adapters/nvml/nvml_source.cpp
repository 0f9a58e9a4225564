#include "adapters/nvml/nvml_source.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

namespace ghm::nvml {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using transport::AgentEvent;

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

}  // namespace

NvmlSource::NvmlSource(NvmlConfig config) : config_(std::move(config)) {}

NvmlSource::~NvmlSource() {
  give_up_reader();
}

AgentEvent NvmlSource::event(const char* kind, std::string text, Timestamp now) const {
  AgentEvent e;
  e.at = now;
  e.kind = kind;
  e.text = std::move(text);
  e.fields["witness"] = "nvml";
  return e;
}

milliseconds NvmlSource::pause_after(unsigned failures) const {
  constexpr unsigned kMostDoublings = 16;
  return std::min(config_.longest_backoff, config_.first_backoff * (1u << std::min(failures - 1, kMostDoublings)));
}

void NvmlSource::back_off() {
  next_start_ = Steady::now() + pause_after(++failures_);
}

void NvmlSource::give_up_reader() {
  if (reader_) ReaderProcess::end(std::move(reader_), graveyard_, config_.end_signal);
  reader_.reset();
}

bool NvmlSource::start_reader() {
  if (reader_) return true;
  counts_.lost_children = graveyard_.reap();
  if (counts_.lost_children >= kMostLost) {
    trouble_ = fmt::format("{} NVML readers hang in the driver and cannot be ended: no more are started; the host needs a reboot",
                           counts_.lost_children);
    return false;
  }
  if (Steady::now() < next_start_) return false;
  auto started = ReaderProcess::start(config_.reader, config_.library);
  if (!started) {
    trouble_ = started.error().what;
    back_off();
    return false;
  }
  ++counts_.starts;
  reader_ = std::move(*started);
  last_calls_ = 0;
  return true;
}

void NvmlSource::start_round(Timestamp now) {
  if (in_flight_ || !start_reader()) return;
  Ask ask;
  ask.round = ++round_;
  ask.all = witness_.wants();
  const auto steady = Steady::now();
  for (const auto& [uuid, suspect] : suspects_) (steady < suspect.leave_alone_until ? ask.skip : ask.last).push_back(uuid);
  current_ = {};
  in_flight_ = reader_->ask(ask);
  last_progress_ = steady;
  if (!in_flight_) on_gone(0, now);
}

void NvmlSource::take(Frame frame) {
  if (frame.round != round_) return;
  if (auto* host = std::get_if<HostReport>(&frame.what)) {
    current_.host = std::move(*host);
    current_.has_host = true;
  }
  if (auto* board = std::get_if<BoardReport>(&frame.what)) {
    if (board->status == abi::kSuccess) suspects_.erase(board->uuid);
    current_.boards.push_back(std::move(*board));
  }
}

void NvmlSource::end_round(bool complete, Timestamp now) {
  in_flight_ = false;
  current_.complete = complete;
  const bool fine = complete && current_.host.status == abi::kSuccess;
  witness_.note(current_, now);
  auto round = book_.take(current_, now);
  append(events_, round.events);
  trouble_ = round.trouble;
  ++counts_.rounds;
  if (fine) failures_ = 0;
  if (complete && !fine) give_up_reader(), back_off();  // it ends itself; without a driver there is no hurry
  if (fine && suspects_.empty() && std::exchange(hung_, false))
    events_.push_back(event("nvml_recovered", "NVML answers without hanging", now));
  finished_ = std::move(round);
  if (look_wanted_) look_again(now);
}

void NvmlSource::on_hang(const ReaderProcess::Doing& doing, Timestamp now) {
  ++counts_.hangs;
  hung_ = true;
  const auto gpu = doing.gpu >= 0 ? book_.name_at(static_cast<unsigned>(doing.gpu)) : transport::GpuName{};
  auto e = event("nvml_hang",
                 fmt::format("{} has not come back for {} s", to_string(doing.call),
                             duration_cast<std::chrono::seconds>(config_.call_timeout).count()),
                 now);
  e.gpu = gpu;
  e.fields["call"] = to_string(doing.call);
  if (doing.gpu >= 0) e.fields["index"] = std::to_string(doing.gpu);
  const auto trouble = e.text;
  events_.push_back(std::move(e));
  give_up_reader();
  // Naming and opening a GPU comes before the question whether to leave it alone: a hang there stops everything.
  const bool can_be_left_alone = !gpu.uuid.empty() && doing.call != Call::uuid && doing.call != Call::device_by_index;
  if (can_be_left_alone) {
    auto& suspect = suspects_[gpu.uuid];
    suspect.leave_alone_until = Steady::now() + pause_after(++suspect.hangs);
  } else {
    back_off();
  }
  end_round(false, now);
  trouble_ = trouble;
}

void NvmlSource::on_gone(int signal, Timestamp now) {
  const bool expected = !in_flight_ && signal == 0;
  give_up_reader();
  if (expected) return;
  ++counts_.crashes;
  back_off();
  auto e = event("nvml_crash",
                 signal ? fmt::format("the NVML reader was killed by signal {}", signal)
                        : std::string("the NVML reader ended in the middle of a round"),
                 now);
  if (signal) e.code = signal;
  events_.push_back(std::move(e));
  if (in_flight_) end_round(false, now);
}

void NvmlSource::on_garbage(Timestamp now) {
  ++counts_.crashes;
  give_up_reader();
  back_off();
  events_.push_back(event("nvml_crash", "the NVML reader sent what it never should: it was ended", now));
  if (in_flight_) end_round(false, now);
}

bool NvmlSource::receive_one(Timestamp now) {
  auto got = reader_->receive();
  if (std::holds_alternative<ReaderProcess::Nothing>(got)) return false;
  if (const auto* gone = std::get_if<ReaderProcess::Gone>(&got)) return on_gone(gone->signal, now), false;
  if (std::holds_alternative<ReaderProcess::Garbage>(got)) return on_garbage(now), false;
  auto& frame = std::get<Frame>(got);
  const bool end = frame.round == round_ && std::holds_alternative<RoundEnd>(frame.what);
  if (end && in_flight_) return end_round(true, now), true;
  take(std::move(frame));
  return true;
}

void NvmlSource::look_for_hang(Timestamp now) {
  if (!reader_ || !in_flight_) return;
  const auto doing = reader_->doing();
  const auto steady = Steady::now();
  if (doing.calls != last_calls_) last_calls_ = doing.calls, last_progress_ = steady;
  // On a busy host a new process can take a while until its first call.
  constexpr int kToBegin = 3;
  const auto patience = doing.calls == 0 ? config_.call_timeout * kToBegin : config_.call_timeout;
  if (steady - last_progress_ >= patience) on_hang(doing, now);
}

void NvmlSource::pump(Timestamp now) {
  while (reader_ && receive_one(now)) {
  }
  look_for_hang(now);
  counts_.lost_children = graveyard_.reap();
}

void NvmlSource::wait_a_little(Timestamp now) {
  const auto until = Steady::now() + config_.patience;
  while (in_flight_ && reader_ && Steady::now() < until) {
    pollfd ready{reader_->socket(), POLLIN, 0};
    ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(1, duration_cast<milliseconds>(until - Steady::now()).count())));
    pump(now);
  }
}

// ---- a fault was seen

std::string NvmlSource::call_under_way() const {
  if (!in_flight_ || !reader_) return {};
  const auto doing = reader_->doing();
  if (doing.calls == 0) return "the NVML reader has just been started";
  return fmt::format("{}{}, for {} ms", to_string(doing.call), doing.gpu < 0 ? std::string() : fmt::format(" on GPU {}", doing.gpu),
                     duration_cast<milliseconds>(Steady::now() - last_progress_).count());
}

transport::Testimony NvmlSource::testify(const transport::GpuName& gpu, Timestamp) {
  transport::Testimony out;
  if (gpu.is_host()) {
    out.missing = trouble_;
    out.facts["hangs"] = std::to_string(counts_.hangs);
    out.facts["crashes"] = std::to_string(counts_.crashes);
    if (auto call = call_under_way(); !call.empty()) out.facts["call_under_way"] = std::move(call);
    return out;
  }
  out = witness_.of(gpu);
  for (const auto& p : book_.processes())
    if (p.gpu.uuid == gpu.uuid || (gpu.uuid.empty() && p.gpu.pci_bus_id == gpu.pci_bus_id)) out.processes.push_back(p.pid);
  return out;
}

// A round that is under way may have read the GPU before its fault: then the next one is the look.
void NvmlSource::look_again(Timestamp now) {
  look_wanted_ = in_flight_;
  if (look_wanted_) return;
  witness_.want();
  start_round(now);
}

// Where no round can be begun there is nothing to wait for.
bool NvmlSource::has_looked() const {
  return witness_.has_looked() || (!in_flight_ && !look_wanted_);
}

transport::Testimony NvmlSource::seen_again(const transport::GpuName& gpu, Timestamp) {
  transport::Testimony out;
  if (witness_.has_looked() && !gpu.is_host()) return witness_.looked_at(gpu);
  if (witness_.has_looked()) {
    out.missing = trouble_;
    return out;
  }
  if (const auto call = call_under_way(); !call.empty()) out.missing = "NVML has not answered since the fault; the call under way: " + call;
  else if (!trouble_.empty()) out.missing = "NVML was not asked: " + trouble_;
  else out.missing = "NVML was not asked: its reader is left alone after a failure";
  return out;
}

void NvmlSource::look_away() {
  look_wanted_ = false;
  witness_.forget_values();
}

std::vector<AgentEvent> NvmlSource::listen(Timestamp now) {
  pump(now);
  const bool soon = Steady::now() - last_collect_ >= config_.period - config_.lead;
  if (soon && !finished_) start_round(now);
  return std::exchange(events_, {});
}

milliseconds NvmlSource::listen_within() const {
  constexpr milliseconds kSecond{1000}, kNow{0};
  const auto due = duration_cast<milliseconds>(last_collect_ + config_.period - config_.lead - Steady::now());
  if (in_flight_) return due > kNow ? kSecond : config_.lead + kSecond;  // a round that is fine is collected before
  return finished_ ? config_.period : std::max(due, kNow);
}

transport::SourceRound NvmlSource::collect(Timestamp now) {
  pump(now);
  if (!finished_) {
    start_round(now);
    wait_a_little(now);
  }
  last_collect_ = Steady::now();
  transport::SourceRound out;
  if (finished_) out = std::move(*std::exchange(finished_, std::nullopt));
  append(out.events, events_);
  out.trouble = trouble_;
  return out;
}

}  // namespace ghm::nvml
