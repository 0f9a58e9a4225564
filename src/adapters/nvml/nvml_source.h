#pragma once
#include <signal.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/nvml/board_book.h"
#include "adapters/nvml/nvml_witness.h"
#include "adapters/nvml/reader_process.h"
#include "domain/transport/host_round.h"

namespace ghm::nvml {

struct NvmlConfig {
  std::string library = "libnvidia-ml.so.1";
  std::vector<std::string> reader = {"/proc/self/exe", "nvml-reader"};  // the child: a program that calls reader_main()
  std::chrono::milliseconds period{10'000};                             // between two collect()
  std::chrono::milliseconds lead{1'500};                                // a round is asked for that long before it is collected
  std::chrono::milliseconds patience{60};                               // most that a collect() waits for a round that is under way
  std::chrono::milliseconds call_timeout{10'000};                       // a single call that takes longer hangs
  std::chrono::milliseconds first_backoff{30'000}, longest_backoff{600'000};
  int end_signal = SIGKILL;
};

/// NVML, read by a child process that may be lost: it is asked for a round, and whatever it does with that, the agent goes
/// on. A call that does not come back within call_timeout is the event nvml_hang (which call, which GPU); the child is given
/// up and a new one is started: at once when one GPU is to blame, which is then left alone for a while, read last, and the
/// others go on being read; else after a growing pause. Children that cannot even be killed are counted, and after kMostLost
/// of them no more are started. Events beside BoardBook's: nvml_hang, nvml_crash, nvml_recovered.
class NvmlSource final : public transport::AgentSource {
 public:
  static constexpr std::size_t kMostLost = 3;

  explicit NvmlSource(NvmlConfig config);
  ~NvmlSource() override;

  std::string_view name() const override { return "nvml"; }
  transport::SourceRound collect(Timestamp now) override;
  std::vector<transport::AgentEvent> listen(Timestamp now) override;
  /// Until the next round is to be asked for; a call that hangs is looked at every second.
  std::chrono::milliseconds listen_within() const override;

  /// What the newest round said, and the call that is under way; nothing is asked of the driver.
  transport::Testimony testify(const transport::GpuName& gpu, Timestamp now) override;
  /// A round at once.
  void look_again(Timestamp now) override;
  bool has_looked() const override;
  transport::Testimony seen_again(const transport::GpuName& gpu, Timestamp now) override;
  void look_away() override;

  /// Who computes on which GPU, by the newest round.
  const std::vector<RunningProcess>& processes() const { return book_.processes(); }

  transport::GpuName find_device(std::string_view id) const { return book_.find_device(id); }

  struct Counts {
    std::uint64_t rounds = 0, hangs = 0, crashes = 0, starts = 0;
    std::size_t lost_children = 0;
  };
  Counts counts() const { return counts_; }
  /// The child's, for its memory to be measured; 0: there is none.
  pid_t reader_pid() const { return reader_ ? reader_->pid() : 0; }

 private:
  using Steady = std::chrono::steady_clock;
  struct Suspect {  // a GPU that a call hung on
    unsigned hangs = 0;
    Steady::time_point leave_alone_until{};
  };

  void pump(Timestamp now);
  bool receive_one(Timestamp now);
  void take(Frame frame);
  void start_round(Timestamp now);
  bool start_reader();
  void look_for_hang(Timestamp now);
  void on_hang(const ReaderProcess::Doing& doing, Timestamp now);
  void on_gone(int signal, Timestamp now);
  void on_garbage(Timestamp now);
  void give_up_reader();
  void end_round(bool complete, Timestamp now);
  void wait_a_little(Timestamp now);
  void back_off();
  std::chrono::milliseconds pause_after(unsigned failures) const;
  transport::AgentEvent event(const char* kind, std::string text, Timestamp now) const;
  std::string call_under_way() const;

  NvmlConfig config_;
  std::unique_ptr<ReaderProcess> reader_;
  Graveyard graveyard_;
  BoardBook book_;
  NvmlWitness witness_;
  bool look_wanted_ = false;                 // by a round that has not begun yet
  std::map<std::string, Suspect> suspects_;  // by UUID

  std::uint64_t round_ = 0;
  bool in_flight_ = false;
  ReadRound current_;
  std::optional<transport::SourceRound> finished_;
  std::vector<transport::AgentEvent> events_;
  std::string trouble_;
  Steady::time_point next_start_{}, last_collect_{}, last_progress_{};
  std::uint64_t last_calls_ = 0;
  unsigned failures_ = 0;  // of readers in a row
  bool hung_ = false;
  Counts counts_;
};

}  // namespace ghm::nvml
