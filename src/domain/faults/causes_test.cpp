#include "domain/faults/causes.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ghm::faults {
namespace {

const CauseTable& ours() {
  return CauseTable::built_in();
}

Facts facts(std::initializer_list<const char*> words) {
  Facts f;
  for (const auto* w : words) f.present.set(evidence(w));
  f.leading = evidence(*words.begin());
  return f;
}

std::string first(const Ranking& r) {
  return r.cannot_tell ? "cannot_tell" : ours().causes()[r.causes[0].cause].name;
}

TEST(Causes, TheTableIsWhole) {
  ASSERT_GE(ours().causes().size(), 20u);
  EXPECT_EQ(ours().causes().back().name, kUnknown);
  for (std::size_t c = 0; c + 1 < ours().causes().size(); ++c) {
    const auto& cause = ours().causes()[c];
    EXPECT_FALSE(cause.says.empty()) << cause.name;
    EXPECT_FALSE(cause.sources.empty()) << cause.name;
    bool has_own = false;
    for (std::size_t e = 0; e < ours().evidence().size(); ++e)
      has_own |= !ours().source(c, static_cast<EvidenceId>(e)).empty() && ours().likelihood(c, static_cast<EvidenceId>(e)) >= 0.5;
    EXPECT_TRUE(has_own) << cause.name << " has nothing that shows it";
  }
}

TEST(Causes, EverySourceIsNamed) {
  for (const auto& cause : ours().causes())
    for (std::size_t at = 0; at < cause.sources.size();) {
      const auto comma = std::min(cause.sources.find(',', at), cause.sources.size());
      const auto id = cause.sources.substr(at, comma - at);
      EXPECT_FALSE(FaultCatalogue::built_in().source_text(id).empty()) << cause.name << ": " << id;
      at = comma + 1;
    }
  for (std::size_t c = 0; c < ours().causes().size(); ++c)
    for (std::size_t e = 0; e < ours().evidence().size(); ++e)
      if (const auto id = ours().source(c, static_cast<EvidenceId>(e)); !id.empty()) {
        EXPECT_FALSE(FaultCatalogue::built_in().source_text(id).empty()) << id;
      }
}

TEST(Causes, AgreesWithTheFormula) {
  const auto f = facts({"gsp_timeout", "one_of_many"});
  std::vector<double> p;
  double sum = 0;
  for (std::size_t c = 0; c < ours().causes().size(); ++c) {
    double l = ours().causes()[c].prior;
    for (std::size_t e = 0; e < ours().evidence().size(); ++e) {
      const double own = ours().likelihood(c, static_cast<EvidenceId>(e));
      l *= std::pow(f.present[e] ? own : 1 - own, kTemper);
    }
    p.push_back(l);
    sum += l;
  }
  const auto r = rank(ours(), f);
  for (const auto& cause : r.causes) EXPECT_NEAR(cause.probability, p[cause.cause] / sum, 1e-12);
  EXPECT_NEAR(r.unknown, p.back() / sum, 1e-12);
  double sides = 0;
  for (const double s : r.sides) sides += s;
  EXPECT_NEAR(sides, 1, 1e-12);
}

TEST(Causes, ApplicationOrHardware) {
  struct Case {
    const char* why;
    std::initializer_list<const char*> words;
    Side side;
  };
  const Case cases[] = {
      {"a user's page fault", {"app_fault", "app_teardown", "user_process", "one_of_many"}, Side::application},
      {"all GPUs of one job", {"app_fault", "app_teardown", "user_process", "many_hosts", "one_job"}, Side::application},
      {"the same GPU under job after job",
       {"app_fault", "user_process", "several_jobs", "repeats", "came_back", "one_of_many"},
       Side::hardware},
      {"flash first, then page faults", {"flash_error", "app_fault", "user_process", "one_of_many"}, Side::hardware},
      {"memory error and the job's teardown",
       {"uncorrectable_memory", "row_remapped", "app_teardown", "job_failed", "one_of_many"},
       Side::hardware},
      {"hangs on many hosts after an update", {"engine_hang", "many_hosts", "new_driver"}, Side::driver},
      {"hot rack", {"heat", "many_hosts", "one_rack", "most_of_host"}, Side::facility},
      {"page that fails", {"page_trouble"}, Side::monitoring},
      {"nothing but a failed job", {"job_failed"}, Side::unknown},
  };
  for (const auto& c : cases) EXPECT_EQ(rank(ours(), facts(c.words)).side, c.side) << c.why;
}

TEST(Causes, InDoubtTheStepIsThatOfWhatWasSeen) {
  struct Case {
    std::initializer_list<const char*> words;
    Action action;
    const char* why;
  };
  const Case cases[] = {
      {{"heat"}, Action::check_cooling, "paste, fan or the rack's air: look at the cooling, whichever it is"},
      {{"job_failed"}, Action::restart_job, "a job is known to have died, and nothing else is"},
      {{"power_odd", "one_of_many"}, Action::none, "nobody said that a job died; programs' faults being frequent is no evidence"},
      {{"clocks_low", "one_of_many"}, Action::check_cooling, "a look at the cooling stops nobody's work"},
      {{"other_code"}, Action::none, "a code without a meaning"},
      {{"link_noise", "one_of_many"}, Action::none, "a warning alone stops nobody's work"},
      {{"sram_error"}, Action::reset_gpu, "all that it may be asks for a reset"},
      {{"test_failed"}, Action::drain_and_test, "it failed a test: whatever it is, it must not work on"},
      {{"power_fault"}, Action::check_seating_and_power, "no cause is named, but power it is"},
      {{"gpu_missing", "one_of_many"}, Action::check_monitoring, "nothing else was heard: the page first"},
  };
  for (const auto& c : cases) {
    const auto r = rank(ours(), facts(c.words));
    EXPECT_TRUE(r.cannot_tell) << c.why;
    EXPECT_EQ(r.action, c.action) << c.why << ": " << to_string(r.action);
  }
  auto again = facts({"power_odd", "one_of_many"});
  again.escalated = true;
  EXPECT_EQ(rank(ours(), again).action, Action::drain_and_test) << "it came back: now it is worth a stop";
}

TEST(Causes, EvidenceForAndAgainstIsKept) {
  const auto r = rank(ours(), facts({"off_bus", "gpu_missing", "one_of_many"}));
  ASSERT_EQ(first(r), "off_bus");
  const auto& best = r.causes[0];
  ASSERT_FALSE(best.evidence_for.empty());
  for (std::size_t n = 1; n < best.evidence_for.size(); ++n)
    EXPECT_GE(std::pair(best.evidence_for[n - 1].present, best.evidence_for[n - 1].weight),
              std::pair(best.evidence_for[n].present, best.evidence_for[n].weight))
        << "what was seen first, the weightiest of it first";
  const auto power = std::ranges::find(r.causes, *ours().find("board_power"), &RankedCause::cause);
  ASSERT_NE(power, r.causes.end());
  EXPECT_TRUE(std::ranges::any_of(power->evidence_against, [](const Weighed& w) {
    return w.what == evidence("power_brake") && !w.present;
  })) << "no brake was seen: that speaks against the board's power";
}

TEST(Causes, WhatNobodyCouldSeeSaysNothing) {
  auto f = facts({"off_bus"});
  const auto seen = rank(ours(), f);
  f.unknowable.set(evidence("power_brake"));
  const auto blind = rank(ours(), f);
  const auto power = *ours().find("board_power");
  const auto p = [&](const Ranking& r) { return std::ranges::find(r.causes, power, &RankedCause::cause)->probability; };
  EXPECT_GT(p(blind), p(seen));
}

TEST(Causes, CannotTellIsAnAnswer) {
  EXPECT_TRUE(rank(ours(), facts({"job_failed"})).cannot_tell);
  EXPECT_TRUE(rank(ours(), facts({"gpu_missing", "one_of_many"})).cannot_tell);
  EXPECT_TRUE(rank(ours(), facts({"other_code"})).cannot_tell);
  EXPECT_EQ(rank(ours(), facts({"job_failed"})).action, Action::restart_job);
}

TEST(Causes, EscalatesWhenItCameBack) {
  auto f = facts({"off_bus", "gpu_missing", "one_of_many"});
  EXPECT_EQ(rank(ours(), f).action, Action::reboot_host);
  f.escalated = true;
  EXPECT_EQ(rank(ours(), f).action, Action::check_seating_and_power);
}

TEST(Experience, ShiftsWithinBounds) {
  Experience e;
  const auto leading = evidence("off_bus");
  EXPECT_EQ(e.shift(leading, 3), 1);
  e.add(leading, 3, true);
  EXPECT_DOUBLE_EQ(e.shift(leading, 3), 6.0 / 5);
  e.add(leading, 4, false);
  EXPECT_DOUBLE_EQ(e.shift(leading, 4), 5.0 / 6);
  for (int n = 0; n < 1000; ++n) e.add(leading, 3, true), e.add(leading, 4, false);
  EXPECT_DOUBLE_EQ(e.shift(leading, 3), 3);
  EXPECT_DOUBLE_EQ(e.shift(leading, 4), 1.0 / 3);
  EXPECT_EQ(e.shift(evidence("heat"), 3), 1) << "only where the same sign leads";
}

TEST(Causes, ABadFileIsOneSentence) {
  const std::string causes = "cause,side,prior,action,then,sources,says\n", evidence = "cause,evidence,likelihood,source\n";
  const std::string good = causes + "a,hardware,1,none,none,x,x\n";
  struct Case {
    std::string causes, evidence;
    const char* says;
  };
  const Case cases[] = {
      {"cause\n", evidence, "c.csv:1: column 'side' is missing"},
      {causes + "a,weather,1,none,none,x,x\n", evidence, "c.csv:2: side 'weather': expected one of "},
      {causes + "a,hardware,0,none,none,x,x\n", evidence, "c.csv:2: prior '0': expected a number above 0"},
      {causes + "a,hardware,1,sing,none,x,x\n", evidence, "c.csv:2: action 'sing': expected one of "},
      {causes + "unknown,hardware,1,none,none,x,x\n", evidence, "c.csv:2: cause 'unknown': is our own word"},
      {good + "a,hardware,1,none,none,x,x\n", evidence, "c.csv:3: cause 'a': stands twice"},
      {good, "cause\n", "e.csv:1: column 'evidence' is missing"},
      {good, evidence + "b,heat,0.5,x\n", "e.csv:2: cause 'b': is not in the table of causes"},
      {good, evidence + "a,weather,0.5,x\n", "e.csv:2: evidence 'weather': is not in the table of signs"},
      {good, evidence + "a,heat,1,x\n", "e.csv:2: likelihood '1': expected a share between 0 and 1"},
      {good, evidence + "a,heat,0.5,\n", "e.csv:2: source '': is needed"},
  };
  for (const auto& c : cases) {
    const auto parsed = CauseTable::parse({c.causes, "c.csv"}, {c.evidence, "e.csv"}, EvidenceTable::built_in());
    ASSERT_FALSE(parsed) << c.says;
    EXPECT_EQ(parsed.error().what.substr(0, std::string_view(c.says).size()), c.says);
  }
}

}  // namespace
}  // namespace ghm::faults
