#include "apps/ghm/simulation_server.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "adapters/http/raw_client_for_test.h"

namespace ghm::app {
namespace {

using http::test::RawClient;
using http::test::RawResponse;
using Json = nlohmann::json;

/// A fleet served from a thread of its own, on the first free row of ports.
class Served {
 public:
  explicit Served(int gpus, const std::string& scenario = "healthy") : plan_{gpus, 3, scenario, {}} {
    for (unsigned base = 21000 + static_cast<unsigned>(::getpid()) % 9000; base < 60000 && !server_; base += 41)
      if (auto started = SimulationServer::start(io_, plan_, static_cast<unsigned short>(base), Log::off())) server_ = std::move(*started);
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~Served() {
    io_.stop();
    thread_.join();
  }
  unsigned short port(int host = 0) const { return static_cast<unsigned short>(server_->base_port() + host); }
  SimulationServer& server() { return *server_; }
  const simulation::FleetPlan& plan() const { return plan_; }

  RawResponse get(int host, const std::string& path) {
    RawClient client(port(host));
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client.read_response();
  }
  RawResponse inject(const std::string& body, const std::string& host_name = "127.0.0.1", int host = 0) {
    RawClient client(port(host));
    client.send("POST /-/inject HTTP/1.1\r\nHost: " + host_name + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_response();
  }

 private:
  simulation::FleetPlan plan_;
  boost::asio::io_context io_{1};
  std::unique_ptr<SimulationServer> server_;
  std::jthread thread_;
};

TEST(SimulationServer, ServesAPagePerHostLabelledAsSimulated) {
  Served fleet(12, "literature");
  for (int host = 0; host < 2; ++host) {
    const auto r = fleet.get(host, "/metrics");
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.header("ghm-simulated"), "literature/3");
    EXPECT_EQ(r.header("content-type"), "text/plain; charset=utf-8");
    EXPECT_THAT(r.body, testing::HasSubstr("DCGM_FI_DEV_GPU_TEMP{gpu=\"3\","));
    EXPECT_EQ(r.body.find("DCGM_FI_DEV_GPU_TEMP{gpu=\"4\",") != std::string::npos, host == 0) << "12 GPUs are 8 and 4";
  }
  EXPECT_EQ(fleet.get(1, "/").status, 200);
  EXPECT_EQ(fleet.get(0, "/nowhere").status, 404);
}

TEST(SimulationServer, OneConnectionServesManyScrapes) {
  Served fleet(8);
  RawClient client(fleet.port());
  for (int n = 0; n < 5; ++n) {
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto r = client.read_response();
    EXPECT_EQ(r.status, 200);
    EXPECT_GT(r.body.size(), 200'000u);
    EXPECT_TRUE(r.body.ends_with('\n'));
  }
}

TEST(SimulationServer, ListsItsTargetsForServiceDiscovery) {
  Served fleet(16);
  const auto r = fleet.get(0, "/-/targets");
  EXPECT_EQ(r.header("content-type"), "application/json");
  const auto list = Json::parse(r.body);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1]["targets"][0], "127.0.0.1:" + std::to_string(fleet.port(1)));
  for (const auto* label : {"host", "region", "datacenter", "rack"})
    EXPECT_FALSE(list[1]["labels"][label].get<std::string>().empty()) << label;
  EXPECT_EQ(fleet.server().targets()[1].address, list[1]["targets"][0]);
  EXPECT_EQ(fleet.get(1, "/-/targets").status, 404) << "on the first port only";
}

TEST(SimulationServer, AFaultIsOnTheNextPage) {
  Served fleet(16);
  const auto json = fleet.inject(R"({"gpu":"9","fault":"row_remap_fail"})");
  ASSERT_EQ(json.status, 200) << json.body;
  EXPECT_THAT(Json::parse(json.body)["sentence"].get<std::string>(), testing::HasSubstr("could not be remapped"));
  EXPECT_THAT(fleet.get(1, "/metrics").body, testing::ContainsRegex("\nDCGM_FI_DEV_ROW_REMAP_FAILURE\\{gpu=\"1\",[^}]*\\} 1\n"));
  const auto form = fleet.inject("gpu=fra1-gpu-0001%2F2&fault=gpu_vanish");
  ASSERT_EQ(form.status, 200) << form.body;
  EXPECT_EQ(fleet.get(0, "/metrics").body.find("gpu=\"2\""), std::string::npos);
}

TEST(SimulationServer, RefusesWhatItCannotInject) {
  Served fleet(16);
  struct Case {
    const char* why;
    std::string body, host_name;
    int host, status;
  };
  const Case cases[] = {
      {"not a fault", R"({"gpu":"0","fault":"meteor"})", "localhost", 0, 400},
      {"not a GPU", R"({"gpu":"99","fault":"hbm_ue"})", "localhost", 0, 404},
      {"half an order", R"({"gpu":"0"})", "localhost", 0, 400},
      {"not an order", "[1, 2", "localhost", 0, 400},
      {"a page of another site posts it", R"({"gpu":"0","fault":"hbm_ue"})", "evil.example", 0, 403},
      {"a rebound name", R"({"gpu":"0","fault":"hbm_ue"})", "127.0.0.1.evil.example:80", 0, 403},
      {"not the first port", R"({"gpu":"0","fault":"hbm_ue"})", "localhost", 1, 404},
  };
  for (const auto& c : cases) EXPECT_EQ(fleet.inject(c.body, c.host_name, c.host).status, c.status) << c.why;
  EXPECT_EQ(fleet.inject(R"({"gpu":0,"fault":"app_xid31"})", "[::1]:19400").status, 200);
}

TEST(SimulationServer, AFailingExporterAnswersAsTheRealOneDoes) {
  Served fleet(16);
  ASSERT_EQ(fleet.inject(R"({"gpu":"9","fault":"page_500"})").status, 200);
  const auto r = fleet.get(1, "/metrics");
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.body, "internal server error\n");
  EXPECT_EQ(r.header("ghm-simulated"), "healthy/3");
  EXPECT_EQ(fleet.get(0, "/metrics").status, 200);
}

TEST(SimulationServer, AHangingExporterNeverAnswersAndHindersNobody) {
  Served fleet(16);
  ASSERT_EQ(fleet.inject(R"({"gpu":"9","fault":"page_hang"})").status, 200);
  RawClient waiting(fleet.port(1));
  waiting.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int n = 0; n < 3; ++n) EXPECT_EQ(fleet.get(0, "/metrics").status, 200);
  pollfd answer{waiting.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&answer, 1, 300), 0) << "nothing came, and the connection stays";
}

TEST(SimulationServer, ATakenPortIsOneSentence) {
  Served fleet(16);
  boost::asio::io_context io;
  const auto second = SimulationServer::start(io, fleet.plan(), fleet.port(1), Log::off());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().what, testing::HasSubstr(std::to_string(fleet.port(1))));
}

TEST(SimulationServer, RefusesARowOfPortsBeyondTheLast) {
  boost::asio::io_context io;
  const auto none = SimulationServer::start(io, {80, 1, "healthy", {}}, 65530, Log::off());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace ghm::app
