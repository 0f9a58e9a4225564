#pragma once
#include <map>
#include <random>
#include <string>

#include "domain/transport/spool_folder.h"

namespace ghm::transport::test {

/// A machine whose power fails. What append() returned for is there for good. At the cut the append that is under way leaves any
/// of its 512-byte pieces (a hole is zeroes) and any length; an overwrite of late the old or the new text; a removed file may
/// be back. It can also be full, rotten, or read-only.
class Machine final : public SpoolFolder {
 public:
  explicit Machine(unsigned seed) : random_(seed) {}

  /// The power fails with the n-th change from now.
  void cut_after(std::uint64_t n) { left_ = n; }
  bool dead() const { return dead_; }
  void reboot() {
    for (auto& [name, text] : maybe_)
      if (random_() % 2 == 0) files_[name] = text;
    for (auto& [name, text] : removed_)
      if (random_() % 2 == 0) files_.emplace(name, text);
    maybe_.clear();
    removed_.clear();
    dead_ = false;
    left_ = ~0ull;
  }
  std::uint64_t most_bytes = ~0ull;  // the disk's room
  bool broken = false;               // every write fails, for no lack of room
  mutable int reads = 0;             // of files, so far
  std::map<std::string, std::string>& files() { return files_; }

  Result<std::vector<std::string>> list() const override {
    std::vector<std::string> names;
    for (const auto& [name, text] : files_) names.push_back(name);
    return names;
  }
  Result<std::uint64_t> size(const std::string& name) const override {
    const auto found = files_.find(name);
    if (found == files_.end()) return Error{Errc::not_found, name};
    return found->second.size();
  }
  Result<std::string> read(const std::string& name, std::uint64_t at, std::size_t n) const override {
    ++reads;
    const auto found = files_.find(name);
    if (found == files_.end()) return Error{Errc::not_found, name};
    return at >= found->second.size() ? std::string() : found->second.substr(at, n);
  }
  Result<void> append(const std::string& name, std::string_view bytes) override {
    if (dead_) return Error{Errc::corrupt, "no power"};
    if (broken) return Error{Errc::corrupt, name + ": input/output error"};
    if (used() + bytes.size() > most_bytes) {
      files_[name] += bytes.substr(0, most_bytes - std::min(most_bytes, used()));
      return Error{Errc::unavailable, name + ": no space left on device"};
    }
    if (!powered()) {
      if (random_() % 3 != 0) files_[name] += torn(bytes);
      return Error{Errc::corrupt, "no power"};
    }
    files_[name] += bytes;
    return {};
  }
  Result<void> overwrite(const std::string& name, std::string_view bytes) override {
    if (!powered()) return Error{Errc::corrupt, "no power"};
    if (!maybe_.contains(name)) maybe_[name] = files_.contains(name) ? files_[name] : std::string();
    files_[name] = std::string(bytes);
    return {};
  }
  Result<void> remove(const std::string& name) override {
    if (!powered()) return Error{Errc::corrupt, "no power"};
    if (const auto found = files_.find(name); found != files_.end()) {
      removed_[name] = found->second;
      files_.erase(found);
    }
    return {};
  }

 private:
  std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [name, text] : files_) sum += text.size();
    return sum;
  }
  bool powered() {
    if (!dead_ && --left_ == 0) dead_ = true;
    return !dead_;
  }
  std::string torn(std::string_view bytes) {
    std::string out(bytes.substr(0, random_() % (bytes.size() + 1)));
    for (std::size_t at = 0; at < out.size(); at += 512)
      if (random_() % 4 == 0)
        out.replace(at, std::min<std::size_t>(512, out.size() - at), std::min<std::size_t>(512, out.size() - at), '\0');
    return out;
  }

  mutable std::mt19937 random_;
  std::map<std::string, std::string> files_, maybe_, removed_;
  bool dead_ = false;
  std::uint64_t left_ = ~0ull;
};

}  // namespace ghm::transport::test
