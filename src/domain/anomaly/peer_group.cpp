#include "domain/anomaly/peer_group.h"

#include <algorithm>

namespace ghm::anomaly {
namespace {

constexpr std::chrono::minutes kFresh{3}, kGone{10};

}  // namespace

std::string_view to_string(Peers p) {
  constexpr std::array<std::string_view, 4> kWords = {"none", "host", "rack", "job"};
  return kWords[static_cast<std::size_t>(p)];
}

std::string_view against_whom(Peers p) {
  constexpr std::array<std::string_view, 4> kWords = {"against its own past", "against its peers on the host",
                                                      "against its peers in the rack", "against its peers in the job"};
  return kWords[static_cast<std::size_t>(p)];
}

void PeerGroup::tell(std::uint32_t host, const PeerFigures& figures) {
  auto mine = std::ranges::find(members_, host, &Member::host);
  if (mine == members_.end() && members_.size() < kMost) mine = members_.insert(members_.end(), {host, figures});
  if (mine == members_.end()) {
    mine = std::ranges::min_element(members_, {}, [](const Member& m) { return m.figures.at; });
    if (figures.at - mine->figures.at < kGone) return;
  }
  *mine = {host, figures};
}

void PeerGroup::others(std::uint32_t host, Timestamp now, std::vector<PeerFigures>& out) const {
  out.clear();
  for (const auto& m : members_)
    if (m.host != host && now - m.figures.at < kFresh && m.figures.at - now < kFresh) out.push_back(m.figures);
}

std::shared_ptr<PeerGroup> PeerExchange::group(const std::string& name) {
  if (groups_.size() >= sweep_at_) {
    std::erase_if(groups_, [](const auto& g) { return g.second.expired(); });
    sweep_at_ = 2 * groups_.size() + 64;
  }
  auto& known = groups_[name];
  auto group = known.lock();
  if (!group) known = group = std::make_shared<PeerGroup>();
  return group;
}

}  // namespace ghm::anomaly
