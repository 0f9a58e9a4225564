// A spool is a row of short files. Only the newest is written, and never one of an earlier run, so a tail that a power cut tore
// stays where it is. Within a file a round is written as differences from the one before, with a whole one now and then; a
// damaged record costs itself and what leans on it. Where the receiver is, is written down without a sync: what is sent
// again after a power cut, the receiver knows by its sequence.
#include "domain/transport/spool.h"

#include <fmt/format.h>

#include <charconv>
#include <random>

namespace ghm::transport {
namespace {

const std::string kAgentFile = "agent", kPositionFile = "position";

std::string random_id() {
  std::random_device random;
  std::string id;
  while (id.size() < kAgentIdBytes) id.push_back(static_cast<char>(random() & 0xff));
  return id;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, bad] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (bad != std::errc() || end != text.data() + i + 2) return std::nullopt;
    out.push_back(static_cast<char>(byte));
  }
  return out.size() == kAgentIdBytes && text.size() == 2 * kAgentIdBytes ? std::optional(out) : std::nullopt;
}

std::string position_text(std::uint64_t sequence) {
  const auto number = fmt::format("{:020}", sequence);
  return fmt::format("{} {:08x}\n", number, crc32c(number));
}

// A batch of the spool names nobody: it never leaves the host as it is.
BatchHeader spool_header(const std::string& agent) {
  return {agent, "spool", {}, {}, {}, {}, {}};
}

}  // namespace

// ---- opening

Result<Spool> Spool::open(SpoolFolder& folder, SpoolSettings settings, Timestamp now) {
  Spool spool(folder, settings);
  if (auto done = spool.learn_agent(); !done) return done.error();
  spool.learn_position();
  if (auto done = spool.learn_segments(now); !done) return done.error();
  return spool;
}

Result<void> Spool::learn_agent() {
  const auto known = folder_->read(kAgentFile, 0, 1000);
  if (!known && known.error().code != Errc::not_found) return known.error();
  if (known)
    if (const auto id = from_hex(known->substr(0, known->find('\n')))) {
      agent_ = *id;
      return {};
    }
  agent_ = random_id();
  if (auto done = folder_->remove(kAgentFile); !done) return done;
  return folder_->append(kAgentFile, hex(agent_) + "\n");
}

void Spool::learn_position() {
  const auto text = folder_->read(kPositionFile, 0, 1000);
  if (!text) return;
  std::uint64_t sequence = 0;
  std::from_chars(text->data(), text->data() + text->size(), sequence);
  if (*text == position_text(sequence)) taken_ = read_ = sequence;
}

// The clock gives the first sequence, so that a folder that was restored from a copy does not use old ones again; what stands
// here already counts more than the clock.
Result<void> Spool::learn_segments(Timestamp now) {
  const auto names = folder_->list();
  if (!names) return names.error();
  for (const auto& name : *names) {
    const auto first = first_sequence_of(name);
    if (!first) continue;
    const auto size = folder_->size(name);
    if (!size) return size.error();
    sizes_[*first] = *size;
    bytes_ += *size;
  }
  last_ = taken_;
  if (!sizes_.empty()) {
    const auto newest = sizes_.rbegin()->first;
    last_ = std::max(last_, newest);
    SegmentReader reader(*folder_, segment_name(newest));
    while (const auto record = reader.next()) last_ = std::max(last_, record->sequence);
  }
  const auto clock = to_unix_ms(now);
  const bool anything_waits = !sizes_.empty();
  last_ = std::max(last_, clock > 0 ? static_cast<std::uint64_t>(clock) : 1);
  if (!anything_waits) taken_ = read_ = last_;
  return {};
}

// ---- writing

void Spool::keep(HostRound round) {
  round.sequence = ++last_;
  ++stats_.kept;
  write_held();
  if (!has_room_for_snapshots(round)) leave_out_snapshots(round);
  if (held_.empty()) {
    auto done = write(round);
    if (!done && !round.snapshots.empty()) {
      leave_out_snapshots(round);
      done = write(round);
    }
    if (!done && done.error().code == Errc::unavailable && drop_oldest()) done = write(round);
    trouble_ = done ? std::string() : done.error().what;
    if (done) return hand_over(std::move(round));
  }
  held_.push_back(std::move(round));
  if (held_.size() > settings_.most_held) {
    stats_.dropped += held_.front().sequence > read_;
    held_.pop_front();
  }
}

// Before they are packed: what is packed is smaller.
bool Spool::has_room_for_snapshots(const HostRound& round) const {
  if (round.snapshots.empty()) return true;
  std::uint64_t size = 0;
  for (const auto& s : round.snapshots) size += s.body.size();
  return held_.empty() && bytes_ + size <= settings_.most_bytes;
}

void Spool::leave_out_snapshots(HostRound& round) {
  round.snapshots.clear();
  ++stats_.snapshots_left_out;
}

// What the receiver waits for need not be read back from the disk.
void Spool::hand_over(HostRound round) {
  const bool is_next = batch_.empty() && taken_ == read_ && read_ + 1 == round.sequence;
  if (!is_next) return;
  read_ = round.sequence;
  batch_.push_back(std::move(round));
}

void Spool::write_held() {
  while (!held_.empty()) {
    if (auto done = write(held_.front()); !done) {
      trouble_ = done.error().what;
      return;
    }
    held_.pop_front();
  }
  trouble_.clear();
}

Result<void> Spool::write(const HostRound& round) {
  if (!current_ || rounds_in_current_ >= settings_.segment_rounds || sizes_[*current_] >= settings_.segment_bytes) finish_segment();
  if (rounds_in_current_ % settings_.key_every == 0) encoder_.reset();
  const auto bytes = to_bytes(round.sequence, encoder_.encode(spool_header(agent_), {&round, 1}));
  make_room(bytes.size());
  if (!current_) current_ = round.sequence;
  if (auto done = folder_->append(segment_name(*current_), bytes); !done) {
    // Part of it may stand there. What follows goes into another file, so that nothing leans on it.
    if (const auto size = folder_->size(segment_name(*current_))) {
      bytes_ += *size - sizes_[*current_];
      sizes_[*current_] = *size;
    }
    finish_segment();
    return done;
  }
  sizes_[*current_] += bytes.size();
  bytes_ += bytes.size();
  ++rounds_in_current_;
  return {};
}

void Spool::finish_segment() {
  current_.reset();
  rounds_in_current_ = 0;
}

void Spool::make_room(std::size_t bytes) {
  while (bytes_ + bytes > settings_.most_bytes && drop_oldest()) {
  }
}

/// False: there is none, or it cannot be removed.
bool Spool::drop_oldest() {
  if (sizes_.empty()) return false;
  const auto [first, size] = *sizes_.begin();
  const auto name = segment_name(first);
  SegmentReader lost(*folder_, name);
  std::uint64_t unsent = 0;
  while (const auto record = lost.next()) unsent += record->sequence > std::max(taken_, read_);
  if (!folder_->remove(name)) return false;
  stats_.dropped += unsent;
  bytes_ -= size;
  sizes_.erase(sizes_.begin());
  if (current_ == first) finish_segment();
  if (reader_ && reading_ == first) {
    count_damage();
    reader_.reset();
  }
  return true;
}

// ---- reading

std::span<const HostRound> Spool::waiting() {
  const bool caught_up = current_ && is_empty();  // without a file of this run, the end of an earlier one may be damaged: that is counted
  if (!batch_.empty() || caught_up) return batch_;
  std::size_t cells = 0;
  while (batch_.size() < settings_.batch_rounds && cells < settings_.batch_cells) {
    auto round = read_next();
    if (!round) break;
    cells += round->readings.values.size() + round->readings.refused.size() + 16 * (round->events.size() + round->jobs.size()) + 1;
    for (const auto& s : round->snapshots) cells += s.body.size() / 8 + 16;
    batch_.push_back(std::move(*round));
  }
  // Those in memory come behind all on disk.
  if (batch_.empty())
    for (const auto& round : held_) {
      if (round.sequence <= read_ || batch_.size() >= settings_.batch_rounds) continue;
      batch_.push_back(round);
      read_ = round.sequence;
    }
  if (batch_.empty() && held_.empty() && taken_ < last_) taken(last_);  // what is missing was dropped or damaged
  return batch_;
}

std::optional<HostRound> Spool::read_next() {
  for (;;) {
    if (!reader_ && !open_next_segment()) return std::nullopt;
    const auto record = reader_->next();
    if (!record) {
      if (!open_next_segment()) return std::nullopt;
      continue;
    }
    const auto packed = PackedBatch::open(record->payload);
    auto batch = packed ? decoder_.decode(*packed) : Result<Batch>(packed.error());
    if (record->sequence <= read_) continue;  // it is with the receiver; read for those that lean on it
    if (!belongs_here(record->sequence)) {
      ++stats_.skipped;
      continue;
    }
    read_ = record->sequence;
    if (!batch || batch->rounds.size() != 1 || batch->rounds[0].sequence != record->sequence) {
      ++stats_.skipped;
      continue;
    }
    return std::move(batch->rounds[0]);
  }
}

// Files are named after their first round. One from elsewhere (a file copied over another) would take numbers of rounds to come.
bool Spool::belongs_here(std::uint64_t sequence) const {
  const auto next = sizes_.upper_bound(reading_);
  return reading_ <= sequence && (next == sizes_.end() || sequence < next->first);
}

bool Spool::open_next_segment() {
  const auto next = reader_ || reading_ != 0 ? sizes_.upper_bound(reading_) : sizes_.begin();
  if (next == sizes_.end()) return false;
  count_damage();
  reading_ = next->first;
  reader_.emplace(*folder_, segment_name(reading_));
  decoder_ = BatchDecoder();
  damages_seen_ = 0;
  return true;
}

void Spool::count_damage() {
  if (!reader_) return;
  stats_.damages += reader_->damages() - damages_seen_;
  damages_seen_ = reader_->damages();
}

void Spool::taken(std::uint64_t sequence) {
  if (sequence <= taken_) return;
  taken_ = sequence;
  read_ = std::max(read_, sequence);
  std::erase_if(batch_, [&](const HostRound& r) { return r.sequence <= sequence; });
  std::erase_if(held_, [&](const HostRound& r) { return r.sequence <= sequence; });
  // Without it rounds are sent again after a restart, no more: the receiver knows them.
  (void)folder_->overwrite(kPositionFile, position_text(taken_));
  if (!batch_.empty()) return;
  if (is_empty()) pass_over_taken();
  remove_taken();
}

// Nothing waits: what is read next stands in the file that is being written, or in one to come.
void Spool::pass_over_taken() {
  if (sizes_.empty() || (reader_ && reading_ == sizes_.rbegin()->first)) return;
  count_damage();
  reader_.reset();
  reading_ = current_ ? *current_ - 1 : sizes_.rbegin()->first;
}

// All files before the one that is read, for all that was read of them is with the receiver. The newest one stays: it tells after
// a restart which sequences were used.
void Spool::remove_taken() {
  while (sizes_.size() > 1 && sizes_.begin()->first < reading_ + !reader_) {
    const auto [first, size] = *sizes_.begin();
    if (!folder_->remove(segment_name(first))) return;
    bytes_ -= size;
    sizes_.erase(sizes_.begin());
  }
}

SpoolStats Spool::stats() const {
  auto s = stats_;
  if (reader_) s.damages += reader_->damages() - damages_seen_;
  s.bytes = bytes_;
  s.segments = sizes_.size();
  s.held = held_.size();
  s.last = last_;
  s.taken = taken_;
  s.trouble = trouble_;
  return s;
}

}  // namespace ghm::transport
