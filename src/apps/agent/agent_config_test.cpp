#include "apps/agent/agent_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghm::agent {
namespace {

using ::testing::HasSubstr;

TEST(AgentConfig, TheSmallestUsefulOne) {
  const auto c = parse_agent_config("server: {url: 'https://ghm.example:9480', token_file: agent.token}\n", "/etc/ghm/agent.yaml");
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ(c->server, "https://ghm.example:9480");
  EXPECT_EQ(c->server_access.credentials_file, "/etc/ghm/agent.token");
  EXPECT_EQ(c->exporter, "127.0.0.1:9400");
  EXPECT_EQ(c->listen, "127.0.0.1:9481");
  EXPECT_EQ(c->interval, 10s);
  EXPECT_EQ(c->spool_mib, 1024);
  EXPECT_FALSE(c->host.empty());
}

TEST(AgentConfig, EveryKey) {
  const auto c = parse_agent_config(R"(
server:
  url: https://ghm.example
  timeout: 20s
  tls_config: {ca_file: /ca.pem, cert_file: /c.pem, key_file: /k.pem, server_name: ghm}
host: h1
labels: {region: eu, datacenter: d1, rack: R07}
interval: 5s
exporter: {enabled: false}
listen: ""
spool: {dir: /var/spool/ghm, max_mib: 64}
log: {level: warn, format: json}
)",
                                    "agent.yaml");
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ(c->server_access.cert_file, "/c.pem");
  EXPECT_EQ(c->labels.at("rack"), "R07");
  EXPECT_EQ(c->exporter, "");
  EXPECT_EQ(c->spool, "/var/spool/ghm");
  EXPECT_EQ(c->log_format, "json");
}

TEST(AgentConfig, AllComplaintsAtOnce) {
  const auto c = parse_agent_config(R"(
server: {url: "ghm.example:9480", tls_config: {cert_file: /c.pem}}
labels: {shelf: a}
interval: 0s
exporter: {address: "a b", metrics_path: "metrics"}
spool: {max_mib: 1}
spol: {}
)",
                                    "agent.yaml");
  ASSERT_FALSE(c);
  for (const auto* line : {"agent.yaml:2: server.url", "cert_file and key_file", "agent.yaml:3: labels: 'shelf'", "agent.yaml:4: interval",
                           "agent.yaml:5: exporter.address", "exporter.metrics_path", "agent.yaml:6: spool.max_mib", "agent.yaml:7: spol"})
    EXPECT_THAT(c.error().what, HasSubstr(line));
  EXPECT_THAT(parse_agent_config("host: h1\n", "agent.yaml").error().what, HasSubstr("server"));
}

}  // namespace
}  // namespace ghm::agent
