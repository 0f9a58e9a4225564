#include "adapters/scrape/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "adapters/scrape/address.h"
#include "adapters/scrape/certificates_for_test.h"
#include "adapters/scrape/exporter_for_test.h"
#include "core/files.h"

namespace ghm::scrape::test {
namespace {

using namespace std::chrono_literals;
using telemetry::Target;

std::vector<std::string> addresses(const std::vector<Target>& targets) {
  std::vector<std::string> all;
  for (const auto& t : targets) all.push_back(t.address);
  return all;
}

TEST(Address, IsHostAndPortAndNothingElse) {
  struct Case {
    const char *text, *want;  // want starts with '!' when it is part of the error
  };
  const Case cases[] = {
      {"gpu-host-1:9400", "gpu-host-1:9400"},
      {"gpu_host.example.com", "gpu_host.example.com:9400"},
      {"10.0.0.1:1", "10.0.0.1:1"},
      {"[::1]:9401", "[::1]:9401"},
      {"[fe80::1%eth0]", "[fe80::1%eth0]:9400"},
      {"", "!the host is missing"},
      {":9400", "!the host is missing"},
      {"http://h:1", "!without a scheme"},
      {"h:1/metrics", "!without a path"},
      {"::1", "!IPv6 address is written in brackets"},
      {"[::1:9400", "!closing bracket is missing"},
      {"h:0", "!a number from 1 to 65535"},
      {"h:65536", "!a number from 1 to 65535"},
      {"h:94 00", "!a number from 1 to 65535"},
      {"h\r\nX: 1:9400", "!IPv6"},
      {"h\r\n", "!character that host names do not have"},
      {"user@h", "!character that host names do not have"},
  };
  for (const auto& c : cases) {
    const auto got = normalize_address(c.text);
    if (c.want[0] == '!') {
      ASSERT_FALSE(got) << c.text;
      EXPECT_THAT(got.error().what, testing::HasSubstr(c.want + 1)) << c.text;
    } else {
      ASSERT_TRUE(got) << c.text << ": " << got.error().what;
      EXPECT_EQ(*got, c.want);
    }
  }
}

TEST(Url, SaysWhereARequestGoes) {
  const auto url = parse_url("https://[::1]/x?y=z");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->authority, "[::1]");
  EXPECT_EQ(url->path, "/x?y=z");
  EXPECT_EQ(parse_url("http://h")->path, "/");
  EXPECT_EQ(parse_url("http://h")->port, 80);
  EXPECT_EQ(parse_url("http://h?x=1")->path, "/?x=1");
  for (const char* bad : {"", "h:1", "ftp://h", "http://", "http://u:p@h/", "http://h:x/", "http://h/a b", "http://h/#x", "http://h\r\n/"})
    EXPECT_FALSE(parse_url(bad)) << bad;
}

TEST(ParseTargets, JsonAndYamlWithLabelsAndMetaLabels) {
  TargetGroup group;
  group.labels = {{"region", "eu"}, {"rack", "R0"}};
  const char* texts[] = {
      R"([{"targets": ["a:1", "b"], "labels": {"rack": "R1", "__meta_x": "y", "__scheme__": "https", "__metrics_path__": "/m"}}, {"targets": ["c:3"]}])",
      "- targets:\n    - a:1\n    - b\n  labels: {rack: R1, __meta_x: y, __scheme__: https, __metrics_path__: /m}\n- targets: [c:3]\n"};
  for (const char* text : texts) {
    const auto targets = parse_targets(text, "t", group);
    ASSERT_TRUE(targets) << targets.error().what;
    EXPECT_EQ(addresses(*targets), (std::vector<std::string>{"a:1", "b:9400", "c:3"}));
    EXPECT_EQ((*targets)[0].labels, (telemetry::LabelMap{{"region", "eu"}, {"rack", "R1"}}));
    EXPECT_EQ((*targets)[0].access->scheme, "https");
    EXPECT_EQ((*targets)[0].access->metrics_path, "/m");
    EXPECT_EQ((*targets)[2].labels, group.labels);
    EXPECT_EQ((*targets)[2].access, group.access);
  }
  EXPECT_TRUE(parse_targets("[]", "t", group)->empty());
}

TEST(ParseTargets, AWrongFileSaysWhere) {
  struct Case {
    const char *text, *want;
  };
  const Case cases[] = {
      {"", "t:1: expected a list such as"},
      {"{\"targets\": []}", "t:1: expected a list such as"},
      {"[\n  7\n]", "t:2: expected an entry such as"},
      {"[{\n\"target\": [\"a\"]}]", "t:2: unknown key 'target': expected targets and labels"},
      {"[{\"labels\": {}}]", "t:1: the entry has no targets"},
      {"[{\"targets\": \"a\"}]", "t:1: targets: expected a list"},
      {"[{\"targets\": [\n\"http://a\"]}]", "t:2: target 'http://a': give HOST:PORT without a scheme"},
      {"[{\"targets\": [\"a\"], \"labels\": {\"a b\": \"x\"}}]", "t:1: labels: 'a b' is no label name"},
      {"[{\"targets\": [\"a\"], \"labels\": {\"__scheme__\": \"file\"}}]", "t:1: labels: __scheme__ 'file': expected http or https"},
      {"[{\"targets\": [\"a\"], \"labels\": {\"__metrics_path__\": \"/a b\"}}]", "t:1: labels: __metrics_path__ '/a b': expected a path"},
      {"[{\"targets\": [\"a\"]}", "t:1: not JSON or YAML"},
      {"[{\"targets\": [\"a\"], \"targets\": []}]", "t:1: 'targets' stands twice in one entry"},
  };
  for (const auto& c : cases) {
    const auto got = parse_targets(c.text, "t", {});
    ASSERT_FALSE(got) << c.text;
    EXPECT_THAT(got.error().what, testing::StartsWith(c.want)) << c.text;
  }
  EXPECT_FALSE(parse_targets(std::string(200'000, '['), "t", {})) << "deep nesting must not end the program";
}

std::string entry(const std::string& address) {
  return "[{\"targets\": [\"" + address + "\"]}]";
}

/// A discovery that looks often, and all sets that it announced.
struct Follower {
  explicit Follower(std::vector<TargetGroup> groups)
      : discovery(
            io, std::move(groups), [this](std::vector<Target> t) { sets.push_back(addresses(t)); }, Log::to_memory(log_lines), 5ms) {}
  ~Follower() { discovery.stop(); }
  bool comes_to(const std::vector<std::string>& want) {
    return run_until(io, [&] { return !sets.empty() && sets.back() == want; });
  }
  asio::io_context io{1};
  std::vector<std::vector<std::string>> sets;
  std::vector<std::string> log_lines;
  Discovery discovery;
};

TargetGroup group_of(std::vector<std::string> fixed, std::vector<std::string> files, std::vector<std::string> urls = {}) {
  TargetGroup g;
  g.targets = std::move(fixed);
  g.file_sd = std::move(files);
  g.http_sd = std::move(urls);
  g.refresh = 20ms;
  return g;
}

TEST(Discovery, FollowsFilesAsTheyChangeComeAndGo) {
  TempFolder folder;
  const auto write = [&](const std::string& file, const std::string& text) { ASSERT_TRUE(write_file_atomically(folder / file, text)); };
  write("a.json", entry("a:1"));
  write("other.txt", entry("never:1"));
  Follower f({group_of({"s", "s:9400"}, {folder / "*.json", folder / "*.yaml"})});
  ASSERT_TRUE(f.discovery.start());
  EXPECT_TRUE(f.sets.empty()) << "never within start()";
  ASSERT_TRUE(f.comes_to({"s:9400", "a:1"}));
  write("b.yaml", "- targets: [b:1, a:1]\n");
  ASSERT_TRUE(f.comes_to({"s:9400", "a:1", "b:1"}));
  write("a.json", entry("a:2"));
  ASSERT_TRUE(f.comes_to({"s:9400", "a:2", "b:1", "a:1"}));
  EXPECT_TRUE(f.log_lines.empty());
  write("a.json", "[{\"targets\": [\"a:3\"");
  ASSERT_TRUE(run_until(f.io, [&] { return !f.log_lines.empty(); }));
  EXPECT_THAT(f.log_lines[0], testing::AllOf(testing::HasSubstr("targets.file_bad"), testing::HasSubstr("a.json:1: not JSON or YAML")));
  run_for(f.io, 30ms);
  EXPECT_EQ(f.log_lines.size(), 1u) << "told once";
  EXPECT_EQ(f.sets.back(), (std::vector<std::string>{"s:9400", "a:2", "b:1", "a:1"})) << "a bad file keeps its last good targets";
  std::filesystem::remove(folder / "a.json");
  ASSERT_TRUE(f.comes_to({"s:9400", "b:1", "a:1"}));
  const auto announced = f.sets.size();
  write("b.yaml", "- targets: [b:1, a:1]  # only a comment is new\n");
  run_for(f.io, 30ms);
  EXPECT_EQ(f.sets.size(), announced) << "no change, no call";
}

TEST(Discovery, AConfigMapsLinkMaySwingRound) {
  TempFolder folder;
  for (const char* version : {"v1", "v2"}) {
    std::filesystem::create_directory(folder / version);
    ASSERT_TRUE(write_file_atomically(folder / (std::string(version) + "/t.json"), entry(std::string(version) + ":1")));
  }
  std::filesystem::create_symlink("v1", folder / "data");
  Follower f({group_of({}, {folder / "data/t.json"})});
  ASSERT_TRUE(f.discovery.start());
  ASSERT_TRUE(f.comes_to({"v1:1"}));
  std::filesystem::create_symlink("v2", folder / "new");
  std::filesystem::rename(folder / "new", folder / "data");
  ASSERT_TRUE(f.comes_to({"v2:1"}));
}

TEST(Discovery, AWrongFileAtTheStartIsAWrongConfiguration) {
  TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "t.json", "[{\"targets\": [7, {}]}]"));
  Follower bad({group_of({}, {folder / "t.json"})}), missing({group_of({}, {folder / "none.json"})}), wrong({group_of({"a b"}, {})}),
      url({group_of({}, {}, {"ftp://x"})});
  EXPECT_THAT(bad.discovery.start().error().what, testing::HasSubstr("t.json:1: targets: expected a text"));
  EXPECT_THAT(missing.discovery.start().error().what, testing::HasSubstr("none.json"));
  EXPECT_THAT(wrong.discovery.start().error().what, testing::HasSubstr("target 'a b'"));
  EXPECT_THAT(url.discovery.start().error().what, testing::HasSubstr("http_sd: URL 'ftp://x'"));
}

TEST(Discovery, AsksUrlsAndKeepsWhatTheySaidLast) {
  Follower f({});
  std::string answer = page_answer(entry("h:1")), asked;
  Exporter server(f.io, [&](Peer& p) -> awaitable<void> {
    while (true) {
      asked = co_await p.request();
      co_await p.send(answer);
    }
  });
  auto access = std::make_shared<telemetry::ScrapeAccess>();
  access->credentials_file = "/none";  // is for exporters: never read for a URL
  auto group = group_of({"s:1"}, {}, {"http://" + server.address() + "/sd?x=1"});
  group.access = access;
  std::vector<std::vector<std::string>> sets;
  Discovery discovery(
      f.io, {group}, [&](std::vector<Target> t) { sets.push_back(addresses(t)); }, Log::to_memory(f.log_lines));
  ASSERT_TRUE(discovery.start());
  const auto comes_to = [&](const std::vector<std::string>& want) {
    return run_until(f.io, [&] { return !sets.empty() && sets.back() == want; });
  };
  ASSERT_TRUE(comes_to({"s:1", "h:1"}));
  EXPECT_THAT(asked, testing::StartsWith("GET /sd?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(asked, testing::Not(testing::HasSubstr("Authorization")));
  answer = page_answer(entry("h:2"));
  ASSERT_TRUE(comes_to({"s:1", "h:2"}));
  for (const auto& [bad, want] : {std::pair<std::string, const char*>{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "answered 500"},
                                  {page_answer("<html>"), ":1: expected a list"}}) {
    f.log_lines.clear();
    answer = bad;
    ASSERT_TRUE(run_until(f.io, [&] { return !f.log_lines.empty(); }));
    EXPECT_THAT(f.log_lines[0], testing::AllOf(testing::HasSubstr("targets.url_bad"), testing::HasSubstr(want)));
    EXPECT_EQ(sets.back(), (std::vector<std::string>{"s:1", "h:2"}));
  }
  answer = page_answer(entry("h:3"));
  ASSERT_TRUE(comes_to({"s:1", "h:3"}));
  discovery.stop();
  answer = page_answer(entry("h:4"));
  const auto announced = sets.size();
  run_for(f.io, 60ms);
  EXPECT_EQ(sets.size(), announced);
}

TEST(FetchTargets, AsksOnceForACheck) {
  asio::io_context io(1);
  Exporter good(io, always(page_answer(entry("h:1")))), bad(io, once("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
  std::thread server([&] { io.run_for(4s); });
  const auto targets = fetch_targets("http://" + good.address() + "/", {});
  const auto none = fetch_targets("http://" + bad.address() + "/", {});
  io.stop();
  server.join();
  ASSERT_TRUE(targets) << targets.error().what;
  EXPECT_EQ(addresses(*targets), std::vector<std::string>{"h:1"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, testing::HasSubstr("answered 404"));
}

}  // namespace
}  // namespace ghm::scrape::test
