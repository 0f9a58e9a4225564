#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "fake_nvml.h"

namespace ghm::fake_nvml {
namespace {

using namespace nvml::abi;

[[noreturn]] void bad_script(const std::string& line) {
  std::fprintf(stderr, "fake NVML: cannot play '%s'\n", line.c_str());
  std::_Exit(70);
}

}  // namespace

Player& Player::get() {
  static Player only;
  return only;
}

Player::Player() {
  const char* path = std::getenv("GHM_FAKE_NVML");
  std::ifstream in(path ? path : "");
  for (std::string line; std::getline(in, line);) lines_.push_back(line.substr(0, line.find('#')));
  play_until(0);
}

std::vector<Gpu*> Player::chosen(const std::string& which) {
  std::vector<Gpu*> all;
  for (std::size_t i = 0; i < gpus_.size(); ++i)
    if (which == "*" || which == std::to_string(i)) all.push_back(gpus_[i].get());
  return all;
}

void Player::play(const std::string& line) {
  std::istringstream in(line);
  std::string verb, gpu, what;
  if (!(in >> verb)) return;
  if (verb == "driver") return void(in >> driver);
  if (verb == "init") return void(in >> init_code);
  if (verb == "count") return void(in >> count_code);
  if (verb == "gpu") {
    auto& added = *gpus_.emplace_back(std::make_unique<Gpu>());
    for (std::string fact; in >> fact;) added.facts[fact.substr(0, fact.find('='))] = fact.substr(fact.find('=') + 1);
    return;
  }
  if (!(in >> gpu)) bad_script(line);
  for (Gpu* g : chosen(gpu)) {
    std::istringstream rest(line);
    rest >> verb >> gpu;
    if (verb == "lost") g->lost = true;
    else if (verb == "found") g->lost = false;
    else if (verb == "remove") g->removed = true;
    else if (verb == "return") g->removed = false;
    else if (verb == "mig") {
      g->mig = true;
      unsigned count = 0;
      rest >> count;
      g->instances.clear();
      for (unsigned i = 0; i < count; ++i) g->instances.push_back({g, 7 + i});
    } else if (verb == "processes") {
      g->processes.clear();
      for (unsigned pid = 0; rest >> pid;) g->processes.push_back(pid);
    } else {
      if (!(rest >> what)) bad_script(line);
      if (verb == "set") rest >> g->values[what];
      else if (verb == "fail") rest >> g->failing[what];
      else if (verb == "hang") g->hanging.insert(what);
      else if (verb == "crash") g->crashing.insert(what);
      else if (verb == "ok") g->failing.erase(what), g->hanging.erase(what), g->crashing.erase(what);
      else bad_script(line);
    }
  }
}

void Player::play_until(unsigned now) {
  for (; next_line_ < lines_.size(); ++next_line_) {
    std::istringstream in(lines_[next_line_]);
    std::string verb;
    unsigned from = 0;
    if (in >> verb && verb == "from") {
      if (!(in >> from)) bad_script(lines_[next_line_]);
      if (from > now) return;
      continue;
    }
    play(lines_[next_line_]);
  }
}

Code Player::next_round(unsigned& count) {
  play_until(++round);
  count = static_cast<unsigned>(counted().size());
  return count_code;
}

std::vector<Gpu*> Player::counted() {
  std::vector<Gpu*> all;
  for (const auto& gpu : gpus_)
    if (!gpu->removed) all.push_back(gpu.get());
  return all;
}

Code Player::enter(const char* symbol, Gpu* gpu) {
  if (!gpu) return kSuccess;
  if (gpu->hanging.contains(symbol))
    for (;;) ::pause();
  if (gpu->crashing.contains(symbol)) std::abort();
  if (gpu->lost) return kGpuIsLost;
  const auto failing = gpu->failing.find(symbol);
  return failing == gpu->failing.end() ? kSuccess : failing->second;
}

double Player::value(const Gpu& gpu, const std::string& key, double otherwise) const {
  const auto found = gpu.values.find(key);
  return found == gpu.values.end() ? otherwise : found->second;
}

}  // namespace ghm::fake_nvml
