#include "apps/agent/listening.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ghm::agent {
namespace {

using Steady = std::chrono::steady_clock;

/// Reads its pipe when it is listened to, and wants to be asked within `wish`.
struct PipeSource final : transport::AgentSource {
  PipeSource() { EXPECT_EQ(::pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0); }
  ~PipeSource() override {
    for (const int end : pipe) ::close(end);
  }
  std::string_view name() const override { return "pipe"; }
  transport::SourceRound collect(Timestamp) override { return {}; }
  std::chrono::milliseconds listen_within() const override { return wish; }
  int ready_file() const override { return hides ? -1 : pipe[0]; }

  void say() const { EXPECT_EQ(::write(pipe[1], "x", 1), 1); }
  void read() const {
    char block[64];
    while (::read(pipe[0], block, sizeof block) > 0) {
    }
  }
  void reopen() {
    for (const int end : pipe) ::close(end);
    EXPECT_EQ(::pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0);
  }

  int pipe[2] = {-1, -1};
  std::chrono::milliseconds wish{3'600'000};
  bool hides = false;
};

struct ListeningTest : testing::Test {
  static Listening::Sources one() {
    Listening::Sources all;
    all.push_back(std::make_unique<PipeSource>());
    return all;
  }
  /// How often it was listened to while the loop ran for so long.
  int run_for(std::chrono::milliseconds time) {
    const int before = times;
    io.restart();
    io.run_for(time);
    return times - before;
  }

  boost::asio::io_context io;
  Listening::Sources sources = one();
  PipeSource* source = static_cast<PipeSource*>(sources.front().get());
  int times = 0;
  bool reads = true;
  Listening listening{io, sources, 10s, [this] {
                        ++times;
                        if (reads) source->read();
                      }};
};

TEST_F(ListeningTest, ASilentSourceIsLeftAloneAndASpeakingOneIsHeardAtOnce) {
  listening.again();
  EXPECT_EQ(run_for(300ms), 0);
  source->say();
  const auto began = Steady::now();
  while (times == 0 && Steady::now() - began < 5s) run_for(5ms);
  EXPECT_EQ(times, 1);
  EXPECT_LT(Steady::now() - began, 900ms) << "not only when the second is over";
  EXPECT_EQ(run_for(300ms), 0);
}

TEST_F(ListeningTest, AFloodIsHeardOncePerSecond) {
  reads = false;  // there is always more
  source->say();
  listening.again();
  const int heard = run_for(2500ms);
  EXPECT_GE(heard, 2);
  EXPECT_LE(heard, 3);
}

TEST_F(ListeningTest, APipeWhoseWriterLeftKeepsNobodyBusy) {
  listening.again();
  ::close(std::exchange(source->pipe[1], ::dup(source->pipe[0])));
  EXPECT_LE(run_for(1500ms), 2);
}

TEST_F(ListeningTest, WhoWantsToBeAskedIsAsked) {
  source->wish = 0ms;
  listening.again();
  const int heard = run_for(2500ms);
  EXPECT_GE(heard, 2) << "every second";
  EXPECT_LE(heard, 3);
}

TEST_F(ListeningTest, AfterASignItStaysAwake) {
  listening.stay_awake();
  listening.again();
  EXPECT_GE(run_for(2500ms), 2);
}

TEST_F(ListeningTest, AFileThatWasClosedAndOpenedAnewIsFollowed) {
  listening.again();
  source->hides = true;  // as long as it is closed
  listening.again();
  source->reopen();
  source->hides = false;
  listening.again();
  source->say();
  EXPECT_EQ(run_for(500ms), 1);
}

TEST_F(ListeningTest, AfterStopNothingKeepsTheLoop) {
  listening.again();
  source->say();
  listening.stop();
  io.restart();
  io.run_for(5s);
  EXPECT_TRUE(io.stopped()) << "it ran out of work";
  EXPECT_EQ(times, 0);
}

}  // namespace
}  // namespace ghm::agent
