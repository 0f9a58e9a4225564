#pragma once
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "domain/simulation/fleet.h"

/// A page read by the simplest means: a line is NAME{LABELS} VALUE.
namespace ghm::simulation::test {

inline constexpr Timestamp kBirth{std::chrono::milliseconds(1'770'000'000'000)};

struct Line {
  std::string name, labels, text;
  double value = 0;
};

inline std::string label(const Line& line, const std::string& name) {
  const auto at = ("," + line.labels).find("," + name + "=\"");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 2;
  return line.labels.substr(from, line.labels.find('"', from) - from);
}

inline std::vector<Line> lines_of(const std::string& page) {
  std::vector<Line> out;
  for (std::size_t at = 0; at < page.size();) {
    const auto end = page.find('\n', at);
    const auto text = page.substr(at, end - at);
    at = end + 1;
    if (text.starts_with("#")) continue;
    const auto open = text.find('{'), close = text.rfind("} ");
    EXPECT_NE(close, std::string::npos) << text;
    out.push_back(
        {text.substr(0, open), text.substr(open + 1, close - open - 1), text.substr(close + 2), std::stod(text.substr(close + 2))});
  }
  return out;
}

inline Fleet fleet_of(int gpus, const std::string& scenario = "healthy", std::uint64_t seed = 7) {
  auto fleet = Fleet::create({gpus, seed, scenario, kBirth});
  EXPECT_TRUE(fleet) << fleet.error().what;
  return std::move(*fleet);
}

inline std::string page_at(Fleet& fleet, std::size_t host, Timestamp t) {
  fleet.advance(host, t);
  std::string page;
  fleet.render(host, page);
  return page;
}

/// What one GPU of one host says at a moment: name (a link's with @nvlinkN) to value.
struct Seen {
  std::map<std::string, double> values;
  std::set<int> xid_codes;  // of the exporter's window
  int links = 0;
  bool empty() const { return values.empty(); }
  double operator[](const std::string& short_name) const {
    const auto it = values.find("DCGM_FI_" + short_name);
    return it == values.end() ? -1 : it->second;
  }
};

/// All GPUs of one host, by index.
inline std::map<int, Seen> all_seen(Fleet& fleet, std::size_t host, Timestamp t) {
  std::map<int, Seen> out;
  for (const auto& line : lines_of(page_at(fleet, host, t))) {
    auto& gpu = out[std::stoi(label(line, "gpu"))];
    const auto link = label(line, "nvlink");
    gpu.values[link.empty() ? line.name : line.name + "@nvlink" + link] = line.value;
    if (line.name == "DCGM_FI_DEV_NVLINK_GET_STATE") ++gpu.links;
    if (const auto code = label(line, "xid"); !code.empty()) gpu.xid_codes.insert(std::stoi(code));
  }
  return out;
}

inline Seen seen(Fleet& fleet, std::size_t host, int gpu, Timestamp t) {
  return all_seen(fleet, host, t)[gpu];
}

}  // namespace ghm::simulation::test
