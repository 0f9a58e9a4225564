// Reads every #include below src/ and fails on a wrong arrow, a circle, or a file over 600 lines.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;
namespace {

const fs::path kSource = fs::path(GHM_SOURCE_DIR) / "src";
constexpr std::size_t kMostLines = 600;

// The domain's rooms in the order data flows; a room may include itself and any room left of it.
const std::vector<std::string> kDomain = {"telemetry", "transport", "validation", "fleet",    "windows",     "anomaly",
                                          "faults",    "store",     "health",     "features", "reliability", "prediction",
                                          "economics", "alerting",  "simulation", "views"};
// Rings around the domain, inner first.
const std::vector<std::string> kRings = {"core", "domain", "adapters", "pipeline", "services", "api", "apps"};

struct Place {
  std::string ring, room;
};

Place place_of(const std::string& path) {
  const auto first = path.find('/');
  const std::string ring = path.substr(0, first);
  if (ring != "domain" && ring != "adapters" && ring != "apps") return {ring, ring};
  const auto second = path.find('/', first + 1);
  return {ring, path.substr(first + 1, second - first - 1)};
}

std::ptrdiff_t rank(const std::vector<std::string>& order, const std::string& name) {
  const auto found = std::find(order.begin(), order.end(), name);
  return found == order.end() ? -1 : found - order.begin();
}

std::string why_wrong(const Place& from, const Place& to) {
  if (rank(kRings, from.ring) < 0 || rank(kRings, to.ring) < 0) return "unknown ring";
  if (rank(kRings, to.ring) > rank(kRings, from.ring)) return "includes outward";
  if (from.ring != to.ring || from.room == to.room) return {};
  if (from.ring == "adapters") return "an adapter knows no other adapter";
  if (from.ring == "apps") return "an app knows no other app";
  if (rank(kDomain, from.room) < 0 || rank(kDomain, to.room) < 0) return "unknown room";
  if (rank(kDomain, to.room) > rank(kDomain, from.room)) return "includes to its right";
  return {};
}

std::vector<std::string> includes_of(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("#include \"")) found.push_back(line.substr(10, line.find('"', 10) - 10));
  return found;
}

std::map<std::string, std::vector<std::string>> read_house() {
  std::map<std::string, std::vector<std::string>> house;
  for (const auto& entry : fs::recursive_directory_iterator(kSource)) {
    const auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp") house[fs::relative(entry.path(), kSource).string()] = includes_of(entry.path());
  }
  return house;
}

TEST(Layering, EveryArrowPointsInwardAndLeft) {
  for (const auto& [file, includes] : read_house())
    for (const auto& target : includes)
      EXPECT_EQ(why_wrong(place_of(file), place_of(target)), "") << "src/" << file << " includes " << target;
}

TEST(Layering, IncludesExist) {
  for (const auto& [file, includes] : read_house())
    for (const auto& target : includes) EXPECT_TRUE(fs::exists(kSource / target)) << "src/" << file << " includes " << target;
}

TEST(Layering, NoCircles) {
  const auto house = read_house();
  std::set<std::string> done, open;
  std::function<void(const std::string&)> visit = [&](const std::string& file) {
    if (done.contains(file) || !house.contains(file)) return;
    EXPECT_TRUE(open.insert(file).second) << "a circle of includes goes through src/" << file;
    if (!::testing::Test::HasFailure())
      for (const auto& target : house.at(file)) visit(target);
    open.erase(file);
    done.insert(file);
  };
  for (const auto& [file, includes] : house) visit(file);
}

TEST(Layering, FilesStayReadable) {
  for (const auto& [file, includes] : read_house()) {
    std::ifstream in(kSource / file);
    const auto lines = std::count(std::istreambuf_iterator<char>(in), {}, '\n');
    EXPECT_LE(static_cast<std::size_t>(lines), kMostLines) << "src/" << file;
  }
}

TEST(Layering, TheRuleItselfCatchesEachWrongArrow) {
  struct Case {
    std::string from, to;
    bool wrong;
  };
  const Case cases[] = {
      {"domain/telemetry/page.h", "domain/store/telemetry_store.h", true},
      {"domain/store/chunk.h", "domain/telemetry/page.h", false},
      {"adapters/sqlite/a.h", "adapters/http/b.h", true},
      {"core/time.h", "domain/telemetry/page.h", true},
      {"domain/views/v.h", "adapters/http/b.h", true},
      {"apps/ghm/main.cpp", "adapters/http/server.h", false},
      {"pipeline/ingest.cpp", "api/api.h", true},
  };
  for (const auto& c : cases) EXPECT_EQ(!why_wrong(place_of(c.from), place_of(c.to)).empty(), c.wrong) << c.from << " -> " << c.to;
}

}  // namespace
