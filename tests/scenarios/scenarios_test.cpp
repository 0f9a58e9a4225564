#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "scenario.h"

namespace ghm::scenarios {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = fs::path(GHM_SOURCE_DIR) / "tests" / "scenarios";

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> files() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(kFolder))
    if (entry.path().extension() == ".txt") all.push_back(entry.path());
  std::ranges::sort(all);
  return all;
}

class Scenarios : public testing::TestWithParam<fs::path> {};

TEST_P(Scenarios, GoesAsTold) {
  const auto scenario = parse(text_of(GetParam()), GetParam().filename().string());
  ASSERT_TRUE(scenario) << scenario.error().what;
  EXPECT_TRUE(std::ranges::any_of(scenario->lines, [](const Line& l) { return l.kind == Line::Kind::expect; })) << "it expects nothing";
  for (const auto& wrong : play(*scenario)) ADD_FAILURE() << wrong;
}

INSTANTIATE_TEST_SUITE_P(Files, Scenarios, testing::ValuesIn(files()), [](const auto& param) { return param.param.stem().string(); });

TEST(ScenarioFiles, AreAtLeastTwentyFive) {
  EXPECT_GE(files().size(), 25u);
}

TEST(ScenarioGrammar, AWrongLineIsASentenceWithItsPlace) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[] = {
      {"", "s.txt:1: nothing happens in this file"},
      {"soon h1/0 xid 79\n", "s.txt:1: 'soon' is no time: expected HH:MM, HH:MM:SS, or with the day in front, 2d03:04"},
      {"25:00 h1/0 xid 79\n", "s.txt:1: '25:00' is no time"},
      {"01:00 h1/0\n", "s.txt:1: expected what happens where behind the time"},
      {"02:00 h1/0 xid 79\n01:00 h1/0 xid 79\n", "s.txt:2: 01:00 is before the line above: a story goes forward"},
      {"site lots of hosts\n01:00 h1/0 xid 79\n", "s.txt:1: expected: site N hosts of N gpus"},
      {"01:00 h1/0 xid 79\nsite 1 hosts of 8 gpus\n", "s.txt:2: the site must come before what happens there"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse(c.text, "s.txt");
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_EQ(parsed.error().what.substr(0, std::string_view(c.says).size()), c.says);
  }
}

TEST(ScenarioGrammar, WordsThatMeanNothingAreTold) {
  struct Case {
    const char* line;
    const char* says;
  };
  const Case cases[] = {
      {"01:00 h9/0 xid 79", "'h9/0' is no place here"},
      {"01:00 h1/8 xid 79", "'h1/8' is no place here"},
      {"01:00 h1/0 xid", "xid needs a number"},
      {"01:00 h1/0 xid 99999", "xid 99999 tells no sign in the catalogue"},
      {"01:00 h1/0 doom", "'doom' is neither a sign"},
      {"01:00 h1/0 xid 79 colour blue", "'colour' is not understood"},
      {"01:00 h1/0 gpu_reset twice", "an ending takes no more words"},
      {"01:00 expect h1/0 cause off_bus", "there is no incident"},
      {"01:00 operator sings h1/0", "expected: operator clears PLACE"},
  };
  for (const auto& c : cases) {
    const auto parsed = parse(c.line, "s.txt");
    ASSERT_TRUE(parsed) << c.line;
    const auto wrong = play(*parsed);
    ASSERT_EQ(wrong.size(), 1u) << c.line;
    EXPECT_NE(wrong[0].find(c.says), std::string::npos) << wrong[0];
    EXPECT_TRUE(wrong[0].starts_with("s.txt:1: ")) << wrong[0];
  }
}

TEST(ScenarioGrammar, AnExpectationThatIsNotMetIsAFailure) {
  const std::string story = "01:00 h1/0 xid 79\n01:01 h1/0 gpu_missing\n";
  struct Case {
    const char* expect;
    const char* says;
  };
  const Case cases[] = {{"02:00 expect 2 open", "1 are open"},
                        {"02:00 expect h1/0 cause application", "cause is off_bus, expected application"},
                        {"02:00 expect h1/0 action none", "action is reboot_host, expected none"},
                        {"02:00 expect h1/0 nothing", "there is incident 1"},
                        {"02:00 expect h1/0 cannot_tell", "it is told"},
                        {"02:00 expect h1/0 state cleared", "state is open, expected cleared"},
                        {"02:00 expect h1/0 gpus 3", "gpus is 1, expected 3"}};
  for (const auto& c : cases) {
    const auto parsed = parse(story + c.expect, "s.txt");
    ASSERT_TRUE(parsed);
    const auto wrong = play(*parsed);
    ASSERT_EQ(wrong.size(), 1u) << c.expect;
    EXPECT_NE(wrong[0].find(c.says), std::string::npos) << wrong[0];
  }
}

}  // namespace
}  // namespace ghm::scenarios
