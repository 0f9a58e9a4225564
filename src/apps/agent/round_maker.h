#pragma once
#include <memory>
#include <string>
#include <vector>

#include "domain/transport/host_round.h"

namespace ghm::agent {

/// Joins what the sources say at one instant to one round. The first source that has a value for a GPU, part and metric speaks for
/// it; later ones fill what is not there. A source keeps its place among them from round to round. Identity facts fill what the page does
/// not print. While the sources' layouts stay, a round costs one copy of its values. One owner.
class RoundMaker {
 public:
  transport::HostRound make(std::vector<transport::SourceRound> said, Timestamp at);

 private:
  struct Input {
    std::shared_ptr<const telemetry::PageLayout> layout;
    std::vector<std::int32_t> column;  // of the joined layout; -1: another speaks for it
    std::vector<std::int16_t> gpu;     // likewise
  };
  bool is_known(const std::vector<transport::SourceRound>& said) const;
  void join(const std::vector<transport::SourceRound>& said);
  telemetry::PageReading readings(std::vector<transport::SourceRound>& said) const;

  std::vector<Input> inputs_;
  std::vector<telemetry::GpuIdentity> facts_;
  std::shared_ptr<const telemetry::PageLayout> joined_;
  // What a source that cannot look just now said last still holds.
  std::vector<std::vector<transport::JobNow>> jobs_;
  telemetry::LabelMap host_;
};

}  // namespace ghm::agent
