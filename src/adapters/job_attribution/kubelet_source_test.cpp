#include "adapters/job_attribution/kubelet_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <pod_resources.pb.h>
#include "adapters/job_attribution/fake_kubelet_for_test.h"

namespace ghm::job_attribution {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using transport::GpuName;
using transport::JobNow;

constexpr const char* kA = "GPU-00000000-0000-0000-0000-00000000000a";
constexpr const char* kB = "GPU-00000000-0000-0000-0000-00000000000b";
constexpr const char* kMig = "MIG-00000000-1111-0000-0000-00000000000c";

void hold(kubelet::ListPodResourcesResponse& list, const char* pod, const char* resource, std::initializer_list<std::string> ids) {
  auto* p = list.add_pod_resources();
  p->set_namespace_("train"), p->set_name(pod);
  auto* container = p->add_containers();
  container->set_name("main");
  auto* devices = container->add_devices();
  devices->set_resource_name(resource);
  for (const auto& id : ids) devices->add_device_ids(id);
}

GpuName resolve(std::string_view id) {
  if (id == kMig || id == "gpu-1") return {kB, {}, {}};
  if (id == "0") return {kA, {}, {}};
  return {};
}

std::vector<JobNow> read(const kubelet::ListPodResourcesResponse& list) {
  auto jobs = read_pod_list(list.SerializeAsString(), resolve);
  EXPECT_TRUE(jobs);
  return jobs ? *jobs : std::vector<JobNow>();
}

TEST(PodList, EveryFormOfADeviceId) {
  kubelet::ListPodResourcesResponse list;
  hold(list, "whole", "nvidia.com/gpu", {kA, kB});
  hold(list, "shared", "nvidia.com/gpu.shared", {std::string(kA) + "::0", std::string(kA) + "::1"});
  hold(list, "mig", "nvidia.com/mig-1g.10gb", {kMig});
  hold(list, "old-mig", "nvidia.com/mig-1g.5gb", {std::string("MIG-") + kA + "/7/0"});
  hold(list, "index", "nvidia.com/gpu", {"0"});
  hold(list, "nobody-knows", "nvidia.com/gpu", {"12"});
  hold(list, "network", "rdma/hca", {"mlx5_0"});
  hold(list, "amd", "amd.com/gpu", {"0"});
  const auto jobs = read(list);
  const std::vector<JobNow> want = {
      {{kA, {}, {}}, "pod", "train/index/main", {{"device", "0"}, {"resource", "nvidia.com/gpu"}}},
      {{kA, {}, {}}, "pod", "train/old-mig/main", {{"resource", "nvidia.com/mig-1g.5gb"}}},
      {{kA, {}, {}}, "pod", "train/shared/main", {{"resource", "nvidia.com/gpu.shared"}}},
      {{kA, {}, {}}, "pod", "train/whole/main", {{"resource", "nvidia.com/gpu"}}},
      {{kB, {}, {}}, "pod", "train/mig/main", {{"device", kMig}, {"resource", "nvidia.com/mig-1g.10gb"}}},
      {{kB, {}, {}}, "pod", "train/whole/main", {{"resource", "nvidia.com/gpu"}}},
  };
  EXPECT_EQ(jobs, want);
}

TEST(PodList, DynamicResourceAllocation) {
  kubelet::ListPodResourcesResponse list;
  auto* pod = list.add_pod_resources();
  pod->set_namespace_("train"), pod->set_name("dra");
  auto* container = pod->add_containers();
  container->set_name("main");
  auto* claim = container->add_dynamic_resources();
  claim->set_claim_namespace("train"), claim->set_claim_name("one-gpu");
  auto* ours = claim->add_claim_resources();
  ours->set_driver_name("gpu.nvidia.com"), ours->set_device_name("gpu-1");
  claim->add_claim_resources()->set_driver_name("nic.example.com");
  const auto jobs = read(list);
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0], (JobNow{{kB, {}, {}}, "pod", "train/dra/main", {{"claim", "train/one-gpu"}, {"device", "gpu-1"}}}));
}

TEST(PodList, NothingAndNonsense) {
  EXPECT_TRUE(read_pod_list("", resolve)->empty());
  EXPECT_FALSE(read_pod_list("\xff\xff\xff", resolve));
}

class KubeletTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ghm-kubelet-XXXXXX").string();
    folder = ::mkdtemp(shape.data());
    config.socket = folder / "kubelet.sock";
    config.interval = 0ms;
    config.limits.timeout = 2s;
  }
  void TearDown() override { fs::remove_all(folder); }

  static std::string two_pods() {
    kubelet::ListPodResourcesResponse list;
    hold(list, "a", "nvidia.com/gpu", {kA});
    hold(list, "b", "nvidia.com/gpu", {kB});
    return list.SerializeAsString();
  }
  /// Rounds until the source has jobs or trouble.
  transport::SourceRound ask() {
    KubeletSource source(config, resolve);
    transport::SourceRound round;
    for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(2ms)) {
      const auto before = std::chrono::steady_clock::now();
      round = source.collect({});
      EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms) << "the agent waited";
      if (round.jobs || !round.trouble.empty()) break;
      source.listen({});
    }
    return round;
  }

  fs::path folder;
  KubeletConfig config;
};

TEST_F(KubeletTest, PodsOfAKubelet) {
  std::string asked;
  FakeKubelet kubelet(config.socket, [&](const std::string& path) {
    if (!path.empty()) asked = path;
    return FakeKubelet::Answer{.message = two_pods()};
  });
  const auto round = ask();
  EXPECT_EQ(asked, "/v1.PodResourcesLister/List");
  ASSERT_TRUE(round.jobs) << round.trouble;
  EXPECT_EQ(round.jobs->size(), 2u);
}

TEST_F(KubeletTest, ALargeAnswerInSmallPieces) {
  kubelet::ListPodResourcesResponse list;
  for (int i = 0; i < 3000; ++i)
    hold(list, ("pod-with-a-long-name-" + std::to_string(i)).c_str(), "cpu.example.com/core", {std::string(100, 'x')});
  hold(list, "a", "nvidia.com/gpu", {kA});
  FakeKubelet kubelet(config.socket,
                      [&](const std::string&) { return FakeKubelet::Answer{.message = list.SerializeAsString(), .piece = 1001}; });
  config.limits.timeout = 10s;
  const auto round = ask();
  ASSERT_TRUE(round.jobs) << round.trouble;
  EXPECT_EQ(round.jobs->size(), 1u);
}

TEST_F(KubeletTest, WhatGoesWrongIsOneSentence) {
  struct Case {
    const char* why;
    FakeKubelet::Answer answer;
    const char* says;
  };
  const Case cases[] = {
      {"an error of gRPC", {.grpc_status = "13", .grpc_message = "no"}, "gRPC status '13': no"},
      {"an error without a body",
       {.grpc_status = "12", .grpc_message = "unknown service", .trailers_only = true},
       "gRPC status '12': unknown service"},
      {"an answer that is none", {.message = "\xff\xff\xff"}, "no list of pod resources"},
      {"another protocol", {.raw = "HTTP/1.1 400 Bad Request\r\n\r\n"}, "does not speak HTTP/2"},
      {"nothing at all", {.raw = " "}, "kubelet"},
      {"a server that hangs", {.says_nothing = true}, "has not answered for 2000 ms"},
      {"a call broken off", {.reset = true}, "HTTP/2 code 2"},
  };
  for (const auto& c : cases) {
    FakeKubelet kubelet(config.socket, [&](const std::string&) { return c.answer; });
    const auto round = ask();
    EXPECT_FALSE(round.jobs) << c.why;
    EXPECT_NE(round.trouble.find(c.says), std::string::npos) << c.why << ": " << round.trouble;
  }
}

TEST_F(KubeletTest, AnAnswerThatIsTooLargeIsNotKept) {
  config.limits.most_bytes = 10'000;
  FakeKubelet kubelet(config.socket, [&](const std::string&) { return FakeKubelet::Answer{.message = std::string(100'000, 'x')}; });
  EXPECT_NE(ask().trouble.find("larger than 10000 bytes"), std::string::npos);
}

TEST_F(KubeletTest, NoKubeletIsNoTrouble) {
  KubeletSource source(config, resolve);
  const auto round = source.collect({});
  EXPECT_FALSE(round.jobs);
  EXPECT_EQ(round.trouble, "");
}

TEST_F(KubeletTest, AKubeletThatIsDownIsTroubleUntilItIsBack) {
  {
    FakeKubelet kubelet(config.socket, [](const std::string&) { return FakeKubelet::Answer{}; });
  }
  KubeletSource source(config, resolve);
  const int file = ::open(config.socket.c_str(), O_CREAT | O_WRONLY, 0600);
  ::close(file);
  EXPECT_NE(source.collect({}).trouble, "");
  fs::remove(config.socket);
  FakeKubelet kubelet(config.socket, [](const std::string&) { return FakeKubelet::Answer{.message = two_pods()}; });
  transport::SourceRound round;
  for (int i = 0; i < 500 && !round.jobs; ++i) round = source.collect({});
  ASSERT_TRUE(round.jobs);
  EXPECT_EQ(round.trouble, "");
}

TEST_F(KubeletTest, AskedNoOftenerThanTheInterval) {
  int calls = 0;
  FakeKubelet kubelet(config.socket, [&](const std::string& path) {
    calls += !path.empty();
    return FakeKubelet::Answer{.message = two_pods()};
  });
  config.interval = 1h;
  KubeletSource source(config, resolve);
  transport::SourceRound round;
  for (int i = 0; i < 500 && !round.jobs; ++i) round = source.collect({});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(source.collect({}).jobs->size(), 2u);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace ghm::job_attribution
