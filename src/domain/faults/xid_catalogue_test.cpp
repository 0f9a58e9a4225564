#include "domain/faults/xid_catalogue.h"

#include <gtest/gtest.h>

namespace ghm::faults {
namespace {

TEST(XidCatalogue, KnowsWhatMattersToAScore) {
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
    const auto* x = XidCatalogue::built_in().find(c.code);
    ASSERT_NE(x, nullptr) << c.code;
    EXPECT_EQ(x->origin, c.origin) << c.code;
    EXPECT_EQ(x->severity, c.severity) << c.code;
  }
  EXPECT_EQ(XidCatalogue::built_in().find(9999), nullptr);
}

TEST(XidCatalogue, IsWhole) {
  EXPECT_GE(XidCatalogue::built_in().all().size(), 170u);
  for (const auto& [code, x] : XidCatalogue::built_in().all()) {
    EXPECT_FALSE(x.name.empty()) << code;
    EXPECT_FALSE(x.component.empty()) << code;
    EXPECT_FALSE(x.first_action.empty()) << code;
  }
}

TEST(XidCatalogue, ABadFileIsOneSentence) {
  const std::string head = "xid,name,class,likely_origin,severity,first_action\n";
  struct Case {
    const char* why;
    std::string text;
    const char* says;
  };
  const Case cases[] = {
      {"column", "xid,name\n", "x.csv:1: column 'class' is missing"},
      {"code", head + "many,a,b,hardware,info,none\n", "x.csv:2: xid 'many': expected a number"},
      {"origin", head + "1,a,b,weather,info,none\n",
       "x.csv:2: likely_origin 'weather': expected hardware, driver, application or ambiguous"},
      {"severity", head + "1,a,b,driver,bad,none\n", "x.csv:2: severity 'bad': expected info, warning, error or critical"},
      {"twice", head + "1,a,b,driver,info,none\n1,a,b,driver,info,none\n", "x.csv:3: xid '1': stands twice"},
  };
  for (const auto& c : cases) {
    const auto parsed = XidCatalogue::parse(c.text, "x.csv");
    ASSERT_FALSE(parsed) << c.why;
    EXPECT_EQ(parsed.error().what, c.says);
  }
}

}  // namespace
}  // namespace ghm::faults
