#include "apps/ghm/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/files.h"

namespace ghm::app {
namespace {

Config good(std::string_view yaml, std::string_view file = "ghm.yaml") {
  auto config = parse_config(yaml, file);
  EXPECT_TRUE(config) << yaml << "\n" << config.error().what;
  return config ? std::move(*config) : Config{};
}

TEST(Config, TheSmallestUsefulOne) {
  const auto c = good(
      "listen: 127.0.0.1:9480\ndata_dir: ./ghm-data\nscrape:\n  interval: 10s\n  targets: [gpu-host-1:9400, gpu-host-2:9400]   # and/or "
      "file_sd\n");
  EXPECT_EQ(c.listen, "127.0.0.1:9480");
  EXPECT_EQ(c.data_dir, "ghm-data");
  EXPECT_EQ(c.scraper.interval, 10s);
  EXPECT_EQ(c.scraper.timeout, 10s);
  EXPECT_EQ(c.scraper.max_page, 64u << 20);
  ASSERT_EQ(c.groups.size(), 1u);
  EXPECT_EQ(c.groups[0].targets, (std::vector<std::string>{"gpu-host-1:9400", "gpu-host-2:9400"}));
  EXPECT_EQ(*c.groups[0].access, telemetry::ScrapeAccess{});
  EXPECT_FALSE(c.key_required);
  EXPECT_EQ(c.raw_days, 30);
  EXPECT_EQ(c.minute_days, 90);
  EXPECT_EQ(c.hour_days, 730);
  EXPECT_EQ(c.scoring_interval, 15min);
  EXPECT_EQ(c.log_level, "info");
}

TEST(Config, AServerThatOnlyReceivesHasNoTargets) {
  const auto c = good("ingest: {prometheus: true, simulated: true}\nscrape: {interval: 30s}\n");
  EXPECT_TRUE(c.groups.empty());
  EXPECT_TRUE(c.take_prometheus);
  EXPECT_TRUE(c.only_receives);
  EXPECT_TRUE(c.simulated_ingest);
  EXPECT_EQ(c.scraper.interval, 30s);
  for (const char* yaml : {"ingest: {prometheus: false}", "ingest: {simulated: true}", "ingest: {}"})
    EXPECT_FALSE(parse_config(yaml, "ghm.yaml")) << yaml << ": nothing would ever be read";
}

TEST(Config, EveryKeyArrives) {
  const auto c = good(R"(
listen: "[::1]:9999"
data_dir: /var/lib/ghm
auth: {mode: required}
tls: {cert_file: server.crt, key_file: /abs/server.key}
metrics_token_file: token
retention: {raw_days: 7, minute_days: 14, hour_days: 21}
log: {level: debug, format: json}
quarantine: {max_rows: 500, max_age: 2d}
validation:
  overrides:
    - {metric: DCGM_FI_DEV_GPU_TEMP, model: Tesla T4, min: -5, max: 130.5, max_per_second: 4}
    - {metric: dcgm_power_usage, max: 900}
scoring: {interval: 1h}
scrape:
  interval: 1m
  timeout: 500ms
  labels: {region: eu, rack: R0}
  scheme: https
  metrics_path: /m
  tls_config: {ca_file: ca.pem}
  basic_auth: {username: u, password_file: p}
  targets: [h0]
  file_sd: ["targets/*.json"]
  http_sd: ["https://inventory/gpus"]
  http_sd_refresh: 5m
  groups:
    - targets: [h1]
      labels: {rack: R1}
      tls_config: {cert_file: c.pem, key_file: k.pem, server_name: n, insecure_skip_verify: true}
      authorization: {credentials_file: t}
      accept_gzip: true
    - targets: [h2]
      scheme: http
)",
                      "/etc/ghm/ghm.yaml");
  EXPECT_EQ(c.listen, "[::1]:9999");
  EXPECT_EQ(c.data_dir, "/var/lib/ghm");
  EXPECT_TRUE(c.key_required);
  EXPECT_EQ(c.cert_file, "/etc/ghm/server.crt");
  EXPECT_EQ(c.key_file, "/abs/server.key");
  EXPECT_EQ(c.metrics_token_file, "/etc/ghm/token");
  EXPECT_EQ(c.raw_days, 7);
  EXPECT_EQ(c.minute_days, 14);
  EXPECT_EQ(c.hour_days, 21);
  EXPECT_EQ(c.log_level, "debug");
  EXPECT_EQ(c.log_format, "json");
  EXPECT_EQ(c.quarantine.max_rows, 500u);
  EXPECT_EQ(c.quarantine.max_age, 48h);
  namespace field = telemetry::field;
  EXPECT_EQ(c.overrides, (validation::Overrides{{field::gpu_temp, "Tesla T4", -5.0, 130.5, 4.0}, {field::power_usage, "", {}, 900.0, {}}}));
  EXPECT_EQ(c.scoring_interval, 1h);
  EXPECT_EQ(c.scraper.interval, 1min);
  EXPECT_EQ(c.scraper.timeout, 500ms);
  ASSERT_EQ(c.groups.size(), 3u);
  const auto& top = c.groups[0];
  EXPECT_EQ(top.file_sd, std::vector<std::string>{"/etc/ghm/targets/*.json"});
  EXPECT_EQ(top.http_sd, std::vector<std::string>{"https://inventory/gpus"});
  EXPECT_EQ(top.refresh, 5min);
  EXPECT_EQ(top.access->password_file, "/etc/ghm/p");
  const auto& first = c.groups[1];  // has what stands above it, and its own on top; never its targets
  EXPECT_EQ(first.targets, std::vector<std::string>{"h1"});
  EXPECT_TRUE(first.file_sd.empty());
  EXPECT_EQ(first.labels, (telemetry::LabelMap{{"rack", "R1"}, {"region", "eu"}}));
  EXPECT_EQ(*first.access, (telemetry::ScrapeAccess{"https", "/m", "/etc/ghm/ca.pem", "/etc/ghm/c.pem", "/etc/ghm/k.pem", "n", true, "", "",
                                                    "/etc/ghm/t", true}));
  const auto& second = c.groups[2];
  EXPECT_EQ(second.access->scheme, "http");
  EXPECT_EQ(second.access->username, "u") << "the second group does not have the first one's";
}

TEST(Config, EachComplaintSaysWhereAndWhatToDo) {
  struct Case {
    const char *yaml, *want;
  };
  const std::string t = "scrape: {targets: [h]}\n";
  const Case cases[] = {
      {"", "ghm.yaml:1: scrape: no targets: give scrape.targets a list such as [gpu-host-1:9400], or use file_sd or http_sd"},
      {"scrape: {}", "ghm.yaml:1: scrape: no targets: give scrape.targets"},
      {"scrape: {groups: []}", "ghm.yaml:1: scrape: no targets: give scrape.targets"},
      {"scrape:\n  groups:\n    - scheme: https\n", "ghm.yaml:3: scrape.groups[0]: the group has no targets"},
      {"scrape: {targets: [h]}\nlisten: 9480\n", "ghm.yaml:2: listen: '9480': expected HOST:PORT such as 127.0.0.1:9480"},
      {"scrape: {targets: [h]}\nlisten: ::1:9480\n", "ghm.yaml:2: listen: '::1:9480': expected HOST:PORT"},
      {"scrape: {targets: [h]}\nlisten: h:70000\n", "ghm.yaml:2: listen: 'h:70000': expected HOST:PORT"},
      {"scrape: {targets: [h]}\ndata_dir: ''\n", "ghm.yaml:2: data_dir: expected a folder such as ./ghm-data"},
      {"scrape: {targets: [h]}\nlisen: x:1\n", "ghm.yaml:2: lisen: unknown key: did you mean listen?"},
      {"scrape: {tragets: [h], targets: [h]}\n", "ghm.yaml:1: scrape.tragets: unknown key: did you mean targets?"},
      {"scrape: {targets: [h], scrape_interval: 10s}\n", "ghm.yaml:1: scrape.scrape_interval: unknown key"},
      {"scrape: {targets: [h], interval: 10}\n", "ghm.yaml:1: scrape.interval: '10': a duration needs a unit: 10s, or ms, m, h, d"},
      {"scrape: {targets: [h], interval: 100ms}\n", "ghm.yaml:1: scrape.interval: '100ms': expected 1s to 1h"},
      {"scrape: {targets: [h], timeout: 11s}\n",
       "ghm.yaml:1: scrape.timeout: 11s is longer than the interval of 10s: give at most the interval"},
      {"scrape: {targets: h}\n", "ghm.yaml:1: scrape.targets: expected a list such as [a, b]"},
      {"scrape: {targets: ['http://h:1/metrics']}\n",
       "ghm.yaml:1: scrape.targets: target 'http://h:1/metrics': give HOST:PORT without a scheme"},
      {"scrape: {http_sd: ['inventory']}\n", "ghm.yaml:1: scrape.http_sd: URL 'inventory': expected http:// or https://"},
      {"scrape: {targets: [h], scheme: ftp}\n", "ghm.yaml:1: scrape.scheme: 'ftp': expected one of http, https"},
      {"scrape: {targets: [h], metrics_path: metrics}\n", "ghm.yaml:1: scrape.metrics_path: 'metrics': expected a path such as /metrics"},
      {"scrape: {targets: [h], tls_config: {cert_file: c}}\n", "ghm.yaml:1: scrape.tls_config.cert_file: needs key_file too"},
      {"scrape: {targets: [h], tls_config: {insecure_skip_verify: yes}}\n",
       "ghm.yaml:1: scrape.tls_config.insecure_skip_verify: 'yes': expected true or false"},
      {"scrape: {targets: [h], basic_auth: {password_file: p}}\n", "ghm.yaml:1: scrape.basic_auth.username: is needed"},
      {"scrape: {targets: [h], basic_auth: {username: u, password: p}}\n",
       "ghm.yaml:1: scrape.basic_auth.password: unknown key: did you mean password_file?"},
      {"scrape: {targets: [h], authorization: {}}\n", "ghm.yaml:1: scrape.authorization.credentials_file: is needed"},
      {"scrape: {targets: [h], basic_auth: {username: u}, authorization: {credentials_file: c}}\n",
       "ghm.yaml:1: scrape.authorization: stands beside basic_auth: keep one of the two"},
      {"scrape: {targets: [h]}\ntls: {key_file: k}\n", "ghm.yaml:2: tls.key_file: needs cert_file too"},
      {"scrape: {targets: [h]}\ntls: {client_ca_file: c}\n", "ghm.yaml:2: tls.client_ca_file: needs cert_file too"},
      {"scrape: {targets: [h]}\ntls: {client_crl_file: c}\n", "ghm.yaml:2: tls.client_crl_file: needs client_ca_file too"},
      {"scrape: {targets: [h]}\nauth: {mode: none}\n", "ghm.yaml:2: auth.mode: 'none': expected one of auto, required"},
      {"scrape: {targets: [h]}\nretention: {raw_days: 0}\n", "ghm.yaml:2: retention.raw_days: '0': expected a whole number from 1 to 3650"},
      {"scrape: {targets: [h]}\nquarantine: {max_age: 1m}\n", "ghm.yaml:2: quarantine.max_age: '1m': expected 1h to"},
      {"scrape: {targets: [h]}\nvalidation: {overrides: [{metric: FAN, max: 1}]}\n",
       "ghm.yaml:2: validation.overrides[0].metric: 'FAN' is not known"},
      {"scrape: {targets: [h]}\nvalidation: {overrides: [{max: 1}]}\n", "ghm.yaml:2: validation.overrides[0].metric: is needed"},
      {"scrape: {targets: [h]}\nvalidation: {overrides: [{metric: DCGM_FI_DEV_GPU_TEMP}]}\n", "the override changes nothing"},
      {"scrape: {targets: [h]}\nvalidation: {overrides: [{metric: DCGM_FI_DEV_GPU_TEMP, min: 5, max: 1}]}\n", "min: 5 is above max 1"},
      {"scrape: {targets: [h]}\nretention: {minute_days: 29}\n",
       "ghm.yaml:2: retention.minute_days: 29 is less than raw_days, which is 30: give at least as many"},
      {"scrape: {targets: [h]}\nretention: {raw_days: 100, hour_days: 50}\n",
       "ghm.yaml:2: retention.hour_days: 50 is less than minute_days, which is 100: give at least as many"},
      {"scrape: [h]\n", "ghm.yaml:1: scrape: expected a mapping of keys, found a list"},
      {"scrape: {targets: [h]\n", "ghm.yaml:2: not YAML: "},
      {"scrape:\n\ttargets: [h]\n", "ghm.yaml:2: not YAML: "},
  };
  for (const auto& c : cases) {
    const auto config = parse_config(c.yaml, "ghm.yaml");
    ASSERT_FALSE(config) << c.yaml;
    EXPECT_THAT(config.error().what, testing::HasSubstr(c.want)) << c.yaml;
  }
}

TEST(Config, AllComplaintsComeAtOnceInTheOrderOfTheFile) {
  const auto config = parse_config("lisen: x\nscrape:\n  interval: 0\n  targets: [a b]\nretention:\n  raw_day: 3\n", "dir/ghm.yaml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().what,
            "dir/ghm.yaml:1: lisen: unknown key: did you mean listen?\n"
            "dir/ghm.yaml:3: scrape.interval: '0': expected 1s to 1h\n"
            "dir/ghm.yaml:4: scrape.targets: target 'a b': the host has a character that host names do not have: expected HOST:PORT such "
            "as gpu-host-1:9400\n"
            "dir/ghm.yaml:6: retention.raw_day: unknown key: did you mean raw_days?");
}

TEST(Config, NamedFilesMustBeThere) {
  const auto nothing = [](const std::string&) { return false; };
  const auto config = parse_config(
      "scrape:\n  file_sd: [t.json, 'd/*.json']\n  tls_config:\n    ca_file: /ca.pem\n  basic_auth:\n    username: u\n    password_file: "
      "p\ntls: {cert_file: c, key_file: k}\n",
      "e/ghm.yaml", nothing);
  ASSERT_FALSE(config);
  EXPECT_EQ(std::ranges::count(config.error().what, '\n'), 4) << config.error().what;
  EXPECT_THAT(config.error().what,
              testing::HasSubstr("e/ghm.yaml:2: scrape.file_sd: e/t.json: cannot be read: create it, or mend the path or its permissions"));
  EXPECT_THAT(config.error().what, testing::HasSubstr("e/ghm.yaml:4: scrape.tls_config.ca_file: /ca.pem: cannot be read"));
}

TEST(Config, ASitesFaultsStandOverTheCatalogue) {
  const auto folder = testing::TempDir();
  const std::string head =
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n";
  const auto write = [&](const std::string& rows) { std::ofstream(folder + "/site.csv") << head << rows; };
  const auto read = [&] {
    return parse_config("scrape: {targets: [h:9400]}\nfaults:\n  catalogues: [site.csv]\n", folder + "/ghm.yaml",
                        [](const std::string& f) { return std::filesystem::exists(f); });
  };
  write("63,,,,info,none,,,,,,,,\n");
  const auto config = read();
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->faults->find(faults::CodeKind::xid, 63).code->severity, faults::Severity::info);
  write("63,,,,sad,,,,,,,,,\n64,,,,,,,,,,,,,doom\n");
  const auto broken = read();
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().what, testing::HasSubstr("ghm.yaml:3: faults.catalogues: "));
  EXPECT_THAT(broken.error().what, testing::HasSubstr("site.csv:2: severity 'sad': expected one of"));
  EXPECT_THAT(broken.error().what, testing::HasSubstr("site.csv:3: sign 'doom': is not a sign"));
  EXPECT_FALSE(parse_config("scrape: {targets: [h:9400]}\nfaults: {catalogues: [none.csv]}\n", folder + "/ghm.yaml",
                            [](const std::string& f) { return std::filesystem::exists(f); }));
}

TEST(Config, AProfileIsChosenByName) {
  EXPECT_EQ(good("scrape: {targets: [h:9400]}\n").profile, &health::default_profile());
  EXPECT_EQ(good("scrape: {targets: [h:9400]}\nscoring: {profile: baseline}\n").profile, &health::baseline());
  const auto wrong = parse_config("scrape: {targets: [h:9400]}\nscoring: {profile: v9}\n", "ghm.yaml");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().what, testing::HasSubstr("ghm.yaml:2: scoring.profile"));
}

TEST(Config, IsReadFromAFile) {
  const auto none = load_config("/nowhere/ghm.yaml");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::not_found);
  EXPECT_THAT(none.error().what, testing::HasSubstr("/nowhere/ghm.yaml"));
}

// What the documentation shows is what the program reads.
TEST(Config, TheExampleInTheDocsIsGood) {
  const auto text = read_file(GHM_SOURCE_DIR "/docs/ghm.example.yaml");
  ASSERT_TRUE(text);
  good(*text);
}

TEST(Config, TheDocsShowEveryKeyInTheirExample) {
  const auto page = read_file(GHM_SOURCE_DIR "/docs/configuration.md");
  ASSERT_TRUE(page);
  int examples = 0;
  for (auto at = page->find("```yaml\n"); at != page->npos; at = page->find("```yaml\n", at)) {
    at += 8;
    good(page->substr(at, page->find("```", at) - at));
    ++examples;
  }
  EXPECT_GE(examples, 2);
}

}  // namespace
}  // namespace ghm::app
