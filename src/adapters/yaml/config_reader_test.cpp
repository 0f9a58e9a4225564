#include "adapters/yaml/config_reader.h"

#include <gtest/gtest.h>

namespace ghm::config {
namespace {

using namespace std::chrono_literals;

struct Settings {
  std::string listen = "127.0.0.1:9480", mode = "auto";
  bool on = false;
  std::int64_t days = 30;
  double share = 0.5;
  std::chrono::milliseconds interval{10s};
  std::vector<std::string> targets;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> names;
};

Result<Settings> read(std::string_view yaml) {
  Settings s;
  Reader in(yaml, "ghm.yaml");
  in.text("listen", s.listen);
  in.choice("mode", s.mode, {"auto", "required"});
  in.boolean("on", s.on);
  in.integer("days", s.days, 1, 3650);
  in.real("share", s.share, 0, 1);
  in.labels("labels", s.labels);
  in.section("scrape", [&](Reader& scrape) {
    scrape.duration("interval", s.interval, 1s, 1h);
    scrape.texts("targets", s.targets);
    scrape.sections("groups", [&](Reader& group) {
      std::string name;
      group.text("name", name);
      if (name == "bad") group.complain("name", "'bad': choose another");
      if (name.empty()) group.complain("", "a group needs a name");
      s.names.push_back(name);
    });
  });
  return in.finish(s);
}

TEST(ConfigReader, ReadsEveryKind) {
  const auto s = read(
      "listen: 0.0.0.0:1\nmode: required\non: true\ndays: 7\nshare: 0.25\nlabels: {rack: R1, row: 7}\n"
      "scrape:\n  interval: 1m30s\n  targets: [a, 'b:1']\n  groups:\n    - name: x\n    - {name: y}\n");
  ASSERT_TRUE(s) << s.error().what;
  EXPECT_EQ(s->listen, "0.0.0.0:1");
  EXPECT_EQ(s->mode, "required");
  EXPECT_TRUE(s->on);
  EXPECT_EQ(s->days, 7);
  EXPECT_EQ(s->share, 0.25);
  EXPECT_EQ(s->interval, 90s);
  EXPECT_EQ(s->targets, (std::vector<std::string>{"a", "b:1"}));
  EXPECT_EQ(s->labels, (std::vector<std::pair<std::string, std::string>>{{"rack", "R1"}, {"row", "7"}}));
  EXPECT_EQ(s->names, (std::vector<std::string>{"x", "y"}));
}

TEST(ConfigReader, AbsentAndEmptyKeysKeepTheirDefaults) {
  for (const char* yaml : {"", "# nothing\n", "listen:\nscrape:\n", "{}", "scrape: {interval: }", "---\n"}) {
    const auto s = read(yaml);
    ASSERT_TRUE(s) << yaml << ": " << s.error().what;
    EXPECT_EQ(s->listen, "127.0.0.1:9480") << yaml;
    EXPECT_EQ(s->interval, 10s) << yaml;
  }
}

TEST(ConfigReader, EachComplaintSaysWhere) {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const Case cases[] = {
      {"mode: maybe", "ghm.yaml:1: mode: 'maybe': expected one of auto, required"},
      {"on: yes", "ghm.yaml:1: on: 'yes': expected true or false"},
      {"\ndays: 0", "ghm.yaml:2: days: '0': expected a whole number from 1 to 3650"},
      {"days: 7.5", "ghm.yaml:1: days: '7.5': expected a whole number from 1 to 3650"},
      {"days: 99999999999999999999", "ghm.yaml:1: days: '99999999999999999999': expected a whole number from 1 to 3650"},
      {"share: nan", "ghm.yaml:1: share: 'nan': expected a number from 0 to 1"},
      {"scrape:\n  interval: 10", "ghm.yaml:2: scrape.interval: '10': a duration needs a unit: 10s, or ms, m, h, d"},
      {"scrape:\n  interval: 0", "ghm.yaml:2: scrape.interval: '0': expected 1s to 1h"},
      {"scrape:\n  interval: 2h", "ghm.yaml:2: scrape.interval: '2h': expected 1s to 1h"},
      {"scrape:\n  interval: soon", "ghm.yaml:2: scrape.interval: 'soon': expected a duration such as 500ms, 10s, 5m or 1h30m"},
      {"scrape:\n  targets: a:1", "ghm.yaml:2: scrape.targets: expected a list such as [a, b]"},
      {"scrape:\n  targets:\n    - a\n    - {b: c}", "ghm.yaml:4: scrape.targets: expected a list of texts, found a mapping in it"},
      {"scrape: here", "ghm.yaml:1: scrape: expected a mapping of keys, found a text"},
      {"listen: [a]", "ghm.yaml:1: listen: expected one value, found a list"},
      {"labels: R1", "ghm.yaml:1: labels: expected a mapping such as {rack: R1}"},
      {"labels:\n  rack: R1\n  rack: R2", "ghm.yaml:3: labels.rack: stands twice"},
      {"listen: a\n\nlisten: b", "ghm.yaml:3: listen: stands twice, first in line 1"},
      {"lisen: a", "ghm.yaml:1: lisen: unknown key: did you mean listen?"},
      {"scrape:\n  intervall: 5s", "ghm.yaml:2: scrape.intervall: unknown key: did you mean interval?"},
      {"colour: red", "ghm.yaml:1: colour: unknown key"},
      {"scrape:\n  groups: {name: x}", "ghm.yaml:2: scrape.groups: expected a list of mappings, each starting with '- '"},
      {"scrape:\n  groups:\n    - name: x\n    - name: bad", "ghm.yaml:4: scrape.groups[1].name: 'bad': choose another"},
      {"scrape:\n  groups:\n    - name: x\n    - {}", "ghm.yaml:4: scrape.groups[1]: a group needs a name"},
      {"- a", "ghm.yaml:1: expected a mapping of keys, found a list"},
      {"[a]: b", "ghm.yaml:1: expected a key, found a list"},
  };
  for (const auto& c : cases) {
    const auto s = read(c.yaml);
    ASSERT_FALSE(s) << c.yaml;
    EXPECT_EQ(s.error().what, c.want) << c.yaml;
    EXPECT_EQ(s.error().code, Errc::invalid_input);
  }
}

TEST(ConfigReader, AllComplaintsComeAtOnceInFileOrder) {
  const auto s = read("days: -1\nscrape:\n  interval: 5\n  target: [a]\nmode: x\n");
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().what,
            "ghm.yaml:1: days: '-1': expected a whole number from 1 to 3650\n"
            "ghm.yaml:3: scrape.interval: '5': a duration needs a unit: 5s, or ms, m, h, d\n"
            "ghm.yaml:4: scrape.target: unknown key: did you mean targets?\n"
            "ghm.yaml:5: mode: 'x': expected one of auto, required");
}

TEST(ConfigReader, BrokenYamlIsOneComplaintWithItsLine) {
  for (const char* yaml : {"listen: a\n  mode: b: c\n", "listen: a\nscrape: [\n", "listen: a\n\tmode: b\n", "listen: a\nmode: *nobody\n"}) {
    const auto s = read(yaml);
    ASSERT_FALSE(s) << yaml;
    EXPECT_TRUE(s.error().what.starts_with("ghm.yaml:")) << s.error().what;
    EXPECT_NE(s.error().what.find("not YAML: "), std::string::npos) << s.error().what;
    EXPECT_EQ(s.error().what.find('\n'), std::string::npos) << s.error().what;
  }
}

TEST(ConfigReader, DeepNestingIsRefusedNotFatal) {
  EXPECT_FALSE(read("listen: " + std::string(100'000, '[')));
  EXPECT_FALSE(read(std::string(100'000, '{')));
}

}  // namespace
}  // namespace ghm::config
