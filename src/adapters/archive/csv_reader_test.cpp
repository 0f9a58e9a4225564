#include "adapters/archive/csv_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/archive/text_cell.h"

namespace ghm::archive {
namespace {

// "1:a|b" per record: the line it starts on and its cells, or what is wrong with it.
std::vector<std::string> records(std::string_view text, std::size_t piece = 1 << 16) {
  CsvReader reader(stream_of(text, piece));
  std::vector<std::string> found;
  for (;;) {
    const auto got = reader.next().value();
    if (got == CsvReader::Got::end) return found;
    auto& line = found.emplace_back(fmt::format("{}:", reader.line()));
    if (got == CsvReader::Got::malformed) line.append("! ").append(reader.trouble());
    else line += fmt::format("{}", fmt::join(reader.cells(), "|"));
  }
}

TEST(CsvReader, ReadsRfc4180) {
  struct Case {
    const char* why;
    std::string text;
    std::vector<std::string> want;
  };
  using V = std::vector<std::string>;
  const Case cases[] = {
      {"nothing", "", V{}},
      {"plain lines", "a,b\nc,d\n", V{"1:a|b", "2:c|d"}},
      {"no last line end", "a,b\nc,d", V{"1:a|b", "2:c|d"}},
      {"CRLF", "a,b\r\nc,d\r\n", V{"1:a|b", "2:c|d"}},
      {"a byte order mark",
       "\xEF\xBB\xBF"
       "a\nb\n",
       V{"1:a", "2:b"}},
      {"empty cells", "x,,\n,,\n", V{"1:x||", "2:||"}},
      {"empty lines are no records", "a\n\n\r\nb\n", V{"1:a", "4:b"}},
      {"a comma in quotes", "\"a,b\",c\n", V{"1:a,b|c"}},
      {"a doubled quote", "\"a \"\"b\"\"\",c\n", V{"1:a \"b\"|c"}},
      {"line ends in quotes", "\"a\r\nb\nc\",d\ne,f\n", V{"1:a\r\nb\nc|d", "4:e|f"}},
      {"quoted, then CRLF", "x,\"a\"\r\ny,\"b\"\r\n", V{"1:x|a", "2:y|b"}},
      {"quoted at the very end", "x,\"a\"", V{"1:x|a"}},
      {"a quote inside a plain cell is itself", "5\" disk,x\n", V{"1:5\" disk|x"}},
      {"text behind a quote costs the line", "\"a\"b,c\nd,e\n", V{"1:! there is text behind a closing quote", "2:d|e"}},
      {"an open quote costs its line, not the rest", "\"a,b\nc,d\ne,f\n", V{"1:! a quote is not closed", "2:c|d", "3:e|f"}},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {1, 3, 65536}) EXPECT_EQ(records(c.text, piece), c.want) << c.why << ", pieces of " << piece;
}

TEST(CsvReader, ALineIsAtMostOneMebibyte) {
  const std::string fits(kMostRecordBytes, 'x'), over(kMostRecordBytes + 1, 'x'), huge(9 * kMostRecordBytes, 'x');
  EXPECT_EQ(records(fits + "\nb\n").size(), 2u);
  EXPECT_EQ(records(fits + "\nb\n")[1], "2:b");
  using V = std::vector<std::string>;
  for (const auto* text : {&over, &huge}) {
    EXPECT_EQ(records("a\n" + *text + "\nb\n"), (V{"1:a", "2:! the line is longer than 1 MiB", "3:b"}));
    EXPECT_EQ(records("a\n" + *text), (V{"1:a", "2:! the line is longer than 1 MiB"}));
  }
  std::string quoted = "\"";
  for (int i = 0; i < 200'000; ++i) quoted += "line\n\n";
  quoted += "\"\nb\n";
  EXPECT_EQ(records(quoted)[0], "1:! a quote is not closed");
  EXPECT_EQ(records(quoted)[1], "3:line");
}

TEST(CsvReader, GoesOnWhereAnotherStopped) {
  std::string text = "h1,h2\n";
  for (int i = 0; i < 400'000; ++i) text += fmt::format("{},\"{}\"\n", i, i);
  CsvReader first(stream_of(text));
  for (int i = 0; i < 300'001; ++i) ASSERT_EQ(first.next().value(), CsvReader::Got::row);
  CsvReader second(stream_of(text));
  ASSERT_TRUE(second.skip(first.place()).value());
  for (;;) {
    const auto a = first.next().value(), b = second.next().value();
    ASSERT_EQ(a, b);
    if (a == CsvReader::Got::end) break;
    ASSERT_EQ(first.line(), second.line());
    ASSERT_TRUE(std::ranges::equal(first.cells(), second.cells()));
  }
  CsvReader third(stream_of(text));
  EXPECT_FALSE(third.skip({text.size() + 1, 1}).value());
}

TEST(TextCell, GuardsWhatASpreadsheetWouldRunAndComesBack) {
  struct Case {
    const char *text, *cell;
  };
  const Case cases[] = {{"plain", "plain"},
                        {"", ""},
                        {"=1+1", "'=1+1"},
                        {"@x", "'@x"},
                        {"-5 V", "'-5 V"},
                        {"+1", "'+1"},
                        {"a=b", "a=b"},
                        {"'=x", "''=x"},
                        {"'quoted'", "'quoted'"},
                        {"a,b", "\"a,b\""},
                        {"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
                        {"two\nlines", "\"two\nlines\""}};
  for (const auto& c : cases) {
    std::string cell;
    put_text(cell, c.text);
    EXPECT_EQ(cell, c.cell);
    CsvReader reader(stream_of("x," + cell + "\n"));
    ASSERT_EQ(reader.next().value(), CsvReader::Got::row);
    EXPECT_EQ(plain_text(reader.cells()[1]), c.text);
  }
}

}  // namespace
}  // namespace ghm::archive
