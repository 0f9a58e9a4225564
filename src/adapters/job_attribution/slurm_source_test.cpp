#include "adapters/job_attribution/slurm_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace ghm::job_attribution {
namespace {

namespace fs = std::filesystem;
using transport::JobNow;

const std::string kV2 = "0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n";
const std::string kV1 = "12:cpuset:/slurm/uid_1000/job_4711/step_batch\n11:devices:/slurm/uid_1000/job_4711/step_batch/task_0\n";

TEST(SlurmProcess, TheJobInACgroup) {
  EXPECT_EQ(slurm_job_in_cgroup(kV2), "4711");
  EXPECT_EQ(slurm_job_in_cgroup(kV1), "4711");
  EXPECT_EQ(slurm_job_in_cgroup("5:memory:/slurm_node17/uid_5/job_99/step_1\n"), "99");
  for (const char* other : {"", "0::/user.slice/user-1000.slice\n", "0::/kubepods/pod1/job_7\n", "0::/slurm/job_x/step_0\n",
                            "0::/slurm/job_\n", "0::/slurm/job_99999999999999999999\n"})
    EXPECT_EQ(slurm_job_in_cgroup(other), "") << other;
}

TEST(SlurmProcess, TheJobInAnEnvironment) {
  const std::string environment(
      "PATH=/bin\0SLURM_JOB_ID=4711\0SLURM_JOB_USER=ada\0SLURM_JOB_PARTITION=h100\0SLURM_JOB_NAME=ll\x01ma\0"
      "SLURM_ARRAY_JOB_ID=4700\0SLURM_ARRAY_TASK_ID=11\0XSLURM_JOB_ID=1\0",
      157);
  const auto job = slurm_job_in_environment(environment);
  ASSERT_TRUE(job);
  EXPECT_EQ(*job, (SlurmJob{"4711", {{"array", "4700_11"}, {"job_name", "ll?ma"}, {"partition", "h100"}, {"user", "ada"}}}));
  const std::string long_name = std::string("SLURM_JOB_ID=1\0SLURM_JOB_NAME=", 30) + std::string(5000, 'x');
  EXPECT_EQ(slurm_job_in_environment(long_name)->facts.at("job_name").size(), 100u);
  EXPECT_FALSE(slurm_job_in_environment(""));
  EXPECT_FALSE(slurm_job_in_environment("SLURM_JOB_ID=; rm -rf /"));
  EXPECT_FALSE(slurm_job_in_environment("SLURM_JOB_IDX=5"));
}

TEST(SlurmProcess, TheStartOfAProcessWhateverItsName) {
  EXPECT_EQ(start_time("77 (python3) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 123456 789 10"), 123456u);
  EXPECT_EQ(start_time("77 (a) R (b ) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 123456 789 10"), 123456u);
  EXPECT_FALSE(start_time("77 (python3) S 1"));
  EXPECT_FALSE(start_time(""));
}

class SlurmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ghm-slurm-XXXXXX").string();
    root = ::mkdtemp(shape.data());
  }
  void TearDown() override { fs::remove_all(root); }

  void process(std::uint32_t pid, const std::string& cgroup, const std::string& environment, int start = 5) const {
    const auto folder = root / "proc" / std::to_string(pid);
    fs::create_directories(folder);
    std::ofstream(folder / "stat") << pid << " (python3) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 64 0 " << start << " 789 10\n";
    std::ofstream(folder / "cgroup") << cgroup;
    std::ofstream(folder / "environ", std::ios::binary) << environment;
  }
  static std::string environment(const std::string& id, const std::string& user) {
    return "SLURM_JOB_ID=" + id + std::string(1, '\0') + "SLURM_JOB_USER=" + user + std::string(1, '\0');
  }

  fs::path root;
  std::vector<GpuProcess> running;
  SlurmSource make() {
    return SlurmSource({root}, [this] { return running; });
  }
};

TEST_F(SlurmTest, JobsPerGpu) {
  process(10, kV2, environment("4711", "ada"));
  process(11, kV2, environment("4711", "ada"));
  process(12, "0::/user.slice\n", environment("4712", "bob"));
  process(13, kV2, "");                              // whose environment may not be read
  process(14, kV2, environment("9999", "mallory"));  // who says to be another job
  process(15, "0::/user.slice\n", "HOME=/");
  running = {{{"A", {}, {}}, 10}, {{"A", {}, {}}, 11}, {{"B", {}, {}}, 12}, {{"C", {}, {}}, 13},
             {{"D", {}, {}}, 14}, {{"E", {}, {}}, 15}, {{"F", {}, {}}, 16}};
  auto s = make();
  const auto round = s.collect({});
  ASSERT_TRUE(round.jobs);
  const std::vector<JobNow> want = {{{"A", {}, {}}, "job", "4711", {{"user", "ada"}}},
                                    {{"B", {}, {}}, "job", "4712", {{"user", "bob"}}},
                                    {{"C", {}, {}}, "job", "4711", {}},
                                    {{"D", {}, {}}, "job", "4711", {}}};
  EXPECT_EQ(*round.jobs, want);
}

TEST_F(SlurmTest, AnEndedJobIsGoneAndAReusedNumberIsAnotherProcess) {
  process(10, kV2, environment("4711", "ada"));
  running = {{{"A", {}, {}}, 10}};
  auto s = make();
  EXPECT_EQ(s.collect({}).jobs->size(), 1u);
  process(10, "0::/system.slice/slurmstepd.scope/job_4800/step_0\n", environment("4800", "bob"), 9);
  EXPECT_EQ(s.collect({}).jobs->at(0).name, "4800");
  fs::remove_all(root / "proc");
  EXPECT_TRUE(s.collect({}).jobs->empty());
}

TEST_F(SlurmTest, AHostWithoutSlurmKnowsNothingAboutJobs) {
  process(10, "0::/user.slice\n", "HOME=/");
  running = {{{"A", {}, {}}, 10}};
  auto s = make();
  EXPECT_FALSE(s.collect({}).jobs);
}

TEST_F(SlurmTest, ManyNewProcessesAreLookedAtOverSomeRounds) {
  for (std::uint32_t pid = 1; pid <= 150; ++pid) {
    process(pid, "0::/system.slice/slurmstepd.scope/job_" + std::to_string(pid) + "/step_0\n", "");
    running.push_back({{"A", {}, {}}, pid});
  }
  auto s = make();
  EXPECT_EQ(s.collect({}).jobs->size(), SlurmSource::kMostLooks);
  s.collect({});
  EXPECT_EQ(s.collect({}).jobs->size(), 150u);
}

}  // namespace
}  // namespace ghm::job_attribution
