#include "adapters/dcgm_exporter/line_grammar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/dcgm_exporter/naive_line.h"

namespace ghm::dcgm_exporter {
namespace {

std::string said(std::string_view line) {
  const auto parts = split_line(line);
  const auto prefix = parse_prefix(parts.prefix);
  std::string out(prefix.name);
  for (const auto& l : prefix.labels) out += fmt::format("|{}={}", l.name, l.value);
  return out + (prefix.whole ? " -> " : " BROKEN -> ") + std::string(parts.rest);
}

TEST(LineGrammar, CutsLines) {
  struct Case {
    const char* line;
    const char* want;
  };
  const Case cases[] = {
      {"up 1", "up -> 1"},
      {"up", "up -> "},
      {R"(t{gpu="0"} 41)", "t|gpu=0 -> 41"},
      {R"(t{gpu="0"}41)", "t|gpu=0 -> 41"},
      {R"(t {gpu = "0" , UUID="a" ,} 41 1700000000000)", "t|gpu=0|UUID=a -> 41 1700000000000"},
      {R"(t{} 1)", "t -> 1"},
      {R"(t{m="A B, C"} 1)", "t|m=A B, C -> 1"},
      {R"(t{m="a}b"} 1)", "t|m=a}b -> 1"},
      {R"(t{m="a\"b\\c"} 1)", "t|m=a\"b\\c -> 1"},
      {R"(t{m="C:\dir"} 1)", "t|m=C:\\dir -> 1"},
      {R"(t{gpu="0",gpu="1"} 1)", "t|gpu=0 -> 1"},
      {R"(t{gpu="0",pod="a"b"} 1)", "t|gpu=0|pod=a BROKEN -> 1"},
      {R"(t{gpu="0",pod="a\"} 1)", "t|gpu=0 BROKEN -> 1"},
      {R"(t{gpu="0",m="A B",pod="cut off)", "t|gpu=0|m=A B BROKEN -> "},
      {R"(b",gpu="0"} 41)", "b BROKEN -> 41"},
      {R"("x"} 41)", " BROKEN -> 41"},
      {R"(9t{gpu="0"} 41)", " BROKEN -> 41"},
      {R"(t{9="0"} 41)", "t BROKEN -> 41"},
      {R"(t{gpu=0} 41)", "t BROKEN -> 41"},
      {R"(t{gpu="0"}} 41)", "t|gpu=0 BROKEN -> 41"},
  };
  for (const auto& c : cases) EXPECT_EQ(said(c.line), c.want);
}

TEST(LineGrammar, AgreesWithTheNaiveTwin) {
  for (const std::string line :
       {R"(t {gpu = "0" , UUID="a" ,} 41 17)", R"(t{m="a\"b\\c\n\x"} 1e3)", R"(t{gpu="0",pod="a"b"} 1)", "up 1 -5", "up 1 2 3", "up NaN"}) {
    const auto naive = parse_naive_line(line);
    const auto parts = split_line(line);
    const auto prefix = parse_prefix(parts.prefix);
    const auto value = parse_rest(parts.rest);
    EXPECT_EQ(prefix.name, naive.name) << line;
    EXPECT_EQ(prefix.whole, naive.whole) << line;
    EXPECT_EQ(prefix.labels.size(), naive.labels.size()) << line;
    for (const auto& l : prefix.labels) EXPECT_EQ(naive.labels.at(std::string(l.name)), l.value) << line;
    EXPECT_EQ(value.number.has_value(), naive.is_number) << line;
  }
}

TEST(LineGrammar, ReadsValueAndTimeStamp) {
  EXPECT_EQ(parse_rest("41").number, 41.0);
  EXPECT_EQ(parse_rest("41   1700000000123").at, from_unix_ms(1700000000123));
  EXPECT_EQ(parse_rest("4.2e+01\t-5").number, 42.0);
  for (const auto* bad : {"", "N/A", "41 x", "41 1 2", "41 1.5", "41 99999999999999999999", "<<<NULL>>>"})
    EXPECT_FALSE(parse_rest(bad).number) << bad;
}

TEST(LineGrammar, KnowsWhyATextIsNoNumber) {
  using telemetry::Reason;
  EXPECT_EQ(why_no_number("<<<NOT_SUPPORTED>>>"), Reason::sentinel);
  EXPECT_EQ(why_no_number("<<<NOT_PERM>>>"), Reason::sentinel);
  EXPECT_EQ(why_no_number("ERROR - FAILED TO CONVERT TO STRING"), Reason::conversion_error);
  EXPECT_EQ(why_no_number("N/A"), Reason::unparsable);
  EXPECT_EQ(why_no_number(""), Reason::unparsable);
}

TEST(LineGrammar, ReadsHelp) {
  EXPECT_EQ(parse_help("# HELP NAME  the text ").name, "NAME");
  EXPECT_EQ(parse_help("# HELP NAME  the text ").text, "the text");
  EXPECT_EQ(parse_help("#HELP NAME").name, "NAME");
  for (const auto* other : {"# TYPE NAME gauge", "# HELPNAME x", "#", "# HELP", "# EOF"}) EXPECT_EQ(parse_help(other).name, "") << other;
}

}  // namespace
}  // namespace ghm::dcgm_exporter
