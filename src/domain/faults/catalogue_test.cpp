#include "domain/faults/catalogue.h"

#include <gtest/gtest.h>

namespace ghm::faults {
namespace {

const FaultCatalogue& ours() {
  return FaultCatalogue::built_in();
}

TEST(FaultCatalogue, IsWhole) {
  EXPECT_GE(ours().all(CodeKind::xid).size(), 170u);
  EXPECT_GE(ours().all(CodeKind::sxid).size(), 120u);
  EXPECT_EQ(ours().all(CodeKind::dcgm_health).size(), 112u);
  EXPECT_EQ(ours().all(CodeKind::recovery_action).size(), 6u);
  EXPECT_FALSE(ours().version().empty());
  for (std::size_t k = 0; k < kCodeKinds; ++k)
    for (const auto* c : ours().all(static_cast<CodeKind>(k))) {
      EXPECT_FALSE(c->name.empty()) << c->code;
      EXPECT_GT(c->counts_for, 0ms) << c->code;
      EXPECT_FALSE(ours().source_text(c->source).empty()) << c->code << " " << c->source;
      EXPECT_EQ(c->escalation.repeats > 0, c->escalation.within > 0ms) << c->code;
      EXPECT_TRUE(c->escalation.repeats == 0 || c->escalation.then != Action::none) << c->code;
    }
}

TEST(FaultCatalogue, KnowsWhatMattersToAScore) {
  struct Case {
    int code;
    Origin origin;
    Severity severity;
  };
  const Case cases[] = {{48, Origin::hardware, Severity::critical}, {63, Origin::hardware, Severity::warning},
                        {79, Origin::hardware, Severity::critical}, {94, Origin::hardware, Severity::error},
                        {162, Origin::hardware, Severity::info},    {119, Origin::ambiguous, Severity::critical},
                        {13, Origin::application, Severity::error}};
  for (const auto& c : cases) {
    const auto* x = ours().find(CodeKind::xid, c.code).code;
    ASSERT_NE(x, nullptr) << c.code;
    EXPECT_EQ(x->origin, c.origin) << c.code;
    EXPECT_EQ(x->severity, c.severity) << c.code;
    EXPECT_FALSE(x->component.empty()) << c.code;
  }
  EXPECT_EQ(ours().find(CodeKind::xid, 9999).code, nullptr);
}

TEST(FaultCatalogue, SaysWhatToDoFirstAndWhatAfterRepeats) {
  struct Case {
    CodeKind kind;
    int code;
    Action first;
    int repeats;
    Action then;
  };
  const Case cases[] = {
      {CodeKind::xid, 79, Action::reboot_host, 2, Action::check_seating_and_power},
      {CodeKind::xid, 64, Action::replace_board, 1, Action::replace_board},
      {CodeKind::xid, 63, Action::none, 8, Action::drain_and_test},
      {CodeKind::xid, 13, Action::restart_job, 3, Action::drain_and_test},
      {CodeKind::xid, 119, Action::reset_gpu, 2, Action::update_driver},
      {CodeKind::sxid, 23009, Action::reboot_host, 2, Action::check_seating_and_power},
      {CodeKind::sxid, 20012, Action::check_seating_and_power, 2, Action::replace_board},
      {CodeKind::dcgm_health, 80, Action::replace_board, 0, Action::none},
      {CodeKind::recovery_action, 1, Action::reset_gpu, 2, Action::drain_then_inspect},
      {CodeKind::recovery_action, 0, Action::none, 0, Action::none},
  };
  for (const auto& c : cases) {
    const auto* found = ours().find(c.kind, c.code).code;
    ASSERT_NE(found, nullptr) << to_string(c.kind) << " " << c.code;
    EXPECT_EQ(found->first_action, c.first) << c.code;
    EXPECT_EQ(found->escalation.repeats, c.repeats) << c.code;
    EXPECT_EQ(found->escalation.then, c.then) << c.code;
  }
}

TEST(FaultCatalogue, SxidsWereRenumberedWithDriver550) {
  struct Case {
    int code;
    const char* driver;
    const char* name;
    bool certain;
  };
  const Case cases[] = {
      {28006, "535.161.08", "multicast_timeout", true},
      {29006, "550.54.15", "multicast_timeout", true},
      {29006, "535.161.08", "reduction_timeout", true},
      {30006, "570.86.15", "reduction_timeout", true},
      {28003, "535.104", "multicast_store_sbe_limit", true},
      {28003, "570.86.15", "osfp_thermal_overtemp_on", true},
      {28003, "", "osfp_thermal_overtemp_on", false},    // the newest, and that is said
      {28006, "570.86.15", "multicast_timeout", false},  // nobody prints it any more
      {20034, "", "dl_ltssm_fault_up", true},
      {20034, "535.104", "dl_ltssm_fault_up", true},
  };
  for (const auto& c : cases) {
    const auto found = ours().find(CodeKind::sxid, c.code, {release_of(c.driver), {}});
    ASSERT_NE(found.code, nullptr) << c.code;
    EXPECT_EQ(found.code->name, c.name) << c.code << " on " << c.driver;
    EXPECT_EQ(found.certain, c.certain) << c.code << " on " << c.driver;
  }
}

TEST(FaultCatalogue, ArchitecturesLimitACode) {
  struct Case {
    int code;
    const char* architecture;
    bool certain;
  };
  const Case cases[] = {{74, "Hopper", true}, {74, "Blackwell", false}, {149, "Blackwell", true}, {149, "Ampere", false},
                        {95, "Ada", true},    {95, "Volta", false},     {74, "", true},           {13, "Kepler", true}};
  for (const auto& c : cases)
    EXPECT_EQ(ours().find(CodeKind::xid, c.code, {0, c.architecture}).certain, c.certain) << c.code << c.architecture;
  EXPECT_EQ(ours().find(CodeKind::xid, 99'999).code, nullptr);
}

TEST(FaultCatalogue, ASiteHasItsOwnWord) {
  const auto site = ours().with_site(
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n"
      "63,,,,info,none,,,,,,,,\n"
      "4711,our_board_controller,other,hardware,error,drain_and_test,2,7d,replace_board,30d,,,,\n",
      "site.csv");
  ASSERT_TRUE(site) << site.error().what;
  const auto* remap = site->find(CodeKind::xid, 63).code;
  EXPECT_EQ(remap->severity, Severity::info);
  EXPECT_EQ(remap->name, "row_remap_or_page_retire_recorded") << "an empty cell leaves what was";
  EXPECT_EQ(remap->source, "site.csv");
  EXPECT_EQ(site->find(CodeKind::xid, 4711).code->escalation.then, Action::replace_board);
  EXPECT_EQ(site->version(), ours().version() + "+site");
  EXPECT_EQ(ours().find(CodeKind::xid, 63).code->severity, Severity::warning) << "the built-in one stays";
}

TEST(FaultCatalogue, ASitesRowForCertainDriversWinsOverOneForAll) {
  const std::string columns =
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n";
  const auto site = FaultCatalogue::built_in().with_site(columns + "63,known_bug,driver,driver,info,none,,,,,,580-,,\n", "s.csv");
  ASSERT_TRUE(site) << site.error().what;
  EXPECT_EQ(site->find(CodeKind::xid, 63, {580, ""}).code->name, "known_bug");
  EXPECT_NE(site->find(CodeKind::xid, 63, {570, ""}).code->name, "known_bug");
  const auto old = FaultCatalogue::built_in().with_site(columns + "63,old_bug,driver,driver,info,none,,,,,,-549,,\n", "s.csv");
  ASSERT_TRUE(old) << old.error().what;
  EXPECT_EQ(old->find(CodeKind::xid, 63, {535, ""}).code->name, "old_bug");
  EXPECT_NE(old->find(CodeKind::xid, 63, {570, ""}).code->name, "old_bug");
}

TEST(FaultCatalogue, AllThatIsWrongWithASitesFileIsToldAtOnce) {
  const std::string head =
      "xid,name,class,likely_origin,severity,first_action,repeats,within,then,counts_for,architectures,drivers,source,sign\n";
  struct Case {
    std::string text;
    const char* says;
  };
  const Case cases[] = {
      {"code,name\n", "s.csv:1: the first column must say what the codes are: one of xid, sxid, dcgm_health, recovery_action"},
      {"xid,name\n1,a\n", "s.csv:1: column 'class' is missing"},
      {head + "63,,,,bad,none,,,,,,,,\n,,,,,,,,,,,,,\n9000,new,,,,,,,,,,,,\n",
       "s.csv:2: severity 'bad': expected one of info, warning, error, critical\n"
       "s.csv:3: xid '': expected a whole number\n"
       "s.csv:4: class '': is needed for a code that the catalogue does not have"},
      {head + "63,,,,,,,,,,,,,\n63,,,,,,,,,,,,,\n", "s.csv:3: xid '63': stands twice"},
      {head + "63,,,,,,2,soon,,,,,,\n", "s.csv:2: within 'soon': expected a span such as 30d"},
      {head + "63,,,,,beat_it,,,,,,,,\n", "s.csv:2: first_action 'beat_it': expected one of "},
      {head + "63,,,,,,,,,,Vulcan-,,,\n", "s.csv:2: architectures 'Vulcan-': expected a range such as Ampere- or -Hopper of "},
      {head + "63,,,,,,,,,,,r550,,\n", "s.csv:2: drivers 'r550': expected a range of major releases such as 550- or 525-549"},
      {head + "63,,,,,,,,,,,,,doom\n", "s.csv:2: sign 'doom': is not a sign of data/faults/signs.csv, such as app_fault or off_bus"},
      {head + "9001,new,other,hardware,error,none,2,,drain_and_test,,,,,\n",
       "s.csv:2: within '': is needed where repeats is given: a span such as 7d"},
  };
  for (const auto& c : cases) {
    const auto made = ours().with_site(c.text, "s.csv");
    ASSERT_FALSE(made) << c.says;
    EXPECT_EQ(made.error().what.substr(0, std::string_view(c.says).size()), c.says);
  }
}

}  // namespace
}  // namespace ghm::faults
