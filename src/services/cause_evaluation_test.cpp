#include "services/cause_evaluation.h"

#include <gtest/gtest.h>

#include <set>

namespace ghm::services {
namespace {

TEST(CauseEvaluation, CausesThatCanBeToldAreTold) {
  IncidentPlan plan;
  plan.seed = 41;
  plan.incidents = 1200;
  const auto e = evaluate_causes(plan);
  const auto text = text_of(e, plan);
  EXPECT_GE(e.tellable, 900u) << text;
  EXPECT_GE(e.top1_share(), 0.88) << text;
  EXPECT_GE(e.top3_share(), 0.97) << text;
  EXPECT_GE(e.untellable, 50u) << text;
  EXPECT_GE(static_cast<double>(e.admitted), 0.9 * static_cast<double>(e.untellable)) << text;
  EXPECT_GE(static_cast<double>(e.whole), 0.9 * static_cast<double>(e.incidents - e.silent)) << text;
  EXPECT_LE(static_cast<double>(e.shared), 0.08 * static_cast<double>(e.incidents)) << text;
  for (const auto& [kind, n] : e.kinds)
    if (n.first >= 20) {
      EXPECT_GE(2 * n.second, n.first) << kind << ": less than half\n" << text;
    }
}

TEST(CauseEvaluation, HoldsUnderTwiceTheNoise) {
  IncidentPlan plan;
  plan.seed = 42;
  plan.noise = 2;
  const auto e = evaluate_causes(plan);
  EXPECT_GE(e.top1_share(), 0.8) << text_of(e, plan);
  EXPECT_GE(e.top3_share(), 0.95) << text_of(e, plan);
}

TEST(CauseEvaluation, FallsWhenTheRankingKnowsNothing) {
  // The figure is no tautology: with all likelihoods alike only the priors are left, and most is told wrong.
  IncidentPlan plan;
  plan.seed = 43;
  plan.incidents = 300;
  const std::string causes =
      "cause,side,prior,action,then,sources,says\nmonitoring,monitoring,1,none,none,x,x\napplication,application,1,none,none,x,x\n";
  const std::string evidence = "cause,evidence,likelihood,source\nmonitoring,page_trouble,0.5,x\n";
  const auto blind = faults::CauseTable::parse({causes, "c"}, {evidence, "e"}, faults::EvidenceTable::built_in());
  ASSERT_TRUE(blind);
  const auto e = evaluate_causes(plan, *blind);
  EXPECT_LT(e.top1_share(), 0.3);
}

TEST(SimulatedIncidents, ComeFromTheirSeed) {
  IncidentPlan plan;
  plan.incidents = 200;
  const auto a = simulate_incidents(plan), b = simulate_incidents(plan);
  ASSERT_EQ(a.size(), 200u);
  std::set<std::string> kinds;
  for (std::size_t i = 0; i < a.size(); ++i) {
    kinds.insert(a[i].kind);
    ASSERT_EQ(a[i].rumours.size(), b[i].rumours.size());
    for (std::size_t r = 0; r < a[i].rumours.size(); ++r) {
      EXPECT_EQ(a[i].rumours[r].heard.at, b[i].rumours[r].heard.at);
      EXPECT_EQ(a[i].rumours[r].heard.kind, b[i].rumours[r].heard.kind);
    }
  }
  EXPECT_GE(kinds.size(), 20u);
  plan.seed = 2;
  EXPECT_NE(simulate_incidents(plan)[0].kind + simulate_incidents(plan)[1].kind, a[0].kind + a[1].kind);
}

}  // namespace
}  // namespace ghm::services
