#pragma once
#include "domain/fleet/case_book.h"

namespace ghm::fleet::test {

inline const Timestamp kOpened = from_unix_ms(1'800'000'000'000);
inline constexpr BoardId kBoard{3}, kNeighbour{4}, kNew{9};

inline CaseOpening opening(std::string action = "reset_gpu", std::string fault = "memory") {
  CaseOpening o;
  o.board = kBoard;
  o.gpu = "1650003";
  o.host = "h1";
  o.slot = "h1/3";
  o.pci = "00000000:65:00.0";
  o.model = "NVIDIA H100 80GB HBM3";
  o.fault = std::move(fault);
  o.incident = 17;
  o.symptom = "uncorrectable memory errors";
  o.action = std::move(action);
  o.opened = kOpened;
  o.opened_by = "ana";
  return o;
}

inline FaultSeen fault(Timestamp at, std::string family = "memory") {
  return {at, kBoard, "1650003", "h1", "00000000:65:00.0", std::move(family), 17, "it was seen again"};
}

inline CaseAdvance to(CaseState state) {
  return {.to = state};
}
inline CaseAdvance with_test(CaseState state, bool passed, std::string name = "dcgmi diag -r 3") {
  return {.to = state, .test = CaseAdvance::Test{std::move(name), "", passed}};
}
inline const Unseen kSeen = [](const RepairCase&) { return std::string(); };

/// A book with one case, and short words for what is done with it.
struct OneCase {
  CaseBook book;
  std::uint64_t id = 0;
  Timestamp now = kOpened;

  explicit OneCase(CaseOpening o = opening()) {
    auto opened = book.open(std::move(o));
    if (opened) id = *opened;
  }
  const RepairCase& it() const { return *book.find(id); }
  Result<void> go(CaseAdvance a) { return book.advance(id, std::move(a), "ana", now); }
  void until_watching() {
    (void)go(to(CaseState::acting));
    (void)go(to(CaseState::testing));
    (void)go(with_test(CaseState::watching, true));
  }
  /// Looks every ten minutes, as the service does more often.
  void pass(std::chrono::minutes span, const Unseen& unseen = kSeen) {
    for (const auto end = now + span; now < end && book.find(id) != nullptr && it().is_active();) {
      now = std::min<Timestamp>(end, now + std::chrono::minutes(10));
      book.look(unseen, now);
    }
  }
};

}  // namespace ghm::fleet::test
