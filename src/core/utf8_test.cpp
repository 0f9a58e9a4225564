#include "core/utf8.h"

#include <gtest/gtest.h>

namespace ghm {
namespace {

TEST(Utf8, IsKeptAndEverythingElseIsShown) {
  struct Case {
    const char* why;
    std::string text, want;
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"ASCII and NUL", std::string("a\0b", 3), std::string("a\0b", 3)},
      {"two to four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\xa5", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\xa5"},
      {"Latin-1", "caf\xe9", "caf\\xE9"},
      {"a lone continuation", "\x80", "\\x80"},
      {"cut off", "a\xe2\x82", "a\\xE2\\x82"},
      {"overlong slash", "\xc0\xaf", "\\xC0\\xAF"},
      {"overlong, three bytes", "\xe0\x80\xaf", "\\xE0\\x80\\xAF"},
      {"a surrogate", "\xed\xa0\x80", "\\xED\\xA0\\x80"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
      {"the last character", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(to_utf8(c.text), c.want) << c.why;
    EXPECT_TRUE(is_utf8(c.want)) << c.why;
    EXPECT_EQ(is_utf8(c.text), c.text == c.want) << c.why;
  }
}

}  // namespace
}  // namespace ghm
