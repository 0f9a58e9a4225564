#pragma once
#include <string>
#include <vector>

namespace ghm {

/// Texts that have broken programs, for every place where a string comes in.
inline std::vector<std::string> hostile_strings() {
  return {
      "'",
      "\"",
      "''; drop table records; --",
      "x' or '1'='1",
      "%",
      "_",
      "\\",
      "\\\"},{\"kind\":\"admin",
      "../../etc/passwd",
      "..\\..\\windows",
      "%2e%2e%2fetc%2fpasswd",
      "/",
      ".",
      "..",
      "a/b",
      "a\nb\r\nSet-Cookie: x=1",
      "\t",
      " leading and trailing ",
      "<script>alert(1)</script>",
      "${jndi:ldap://x}",
      "{{7*7}}",
      "=1+1",
      "-rf",
      "null",
      "NaN",
      "0",
      std::string("nul\0inside", 10),
      std::string(1, '\0'),
      "\x1b[31mred",
      "\x7f",
      "caf\xc3\xa9",
      "cafe\xcc\x81",                      // the same word, another spelling
      "\xf0\x9f\x94\xa5",                  // an emoji
      "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",  // right to left
      "\xe2\x80\xae"
      "evil",          // an override of direction
      "\xef\xbf\xbf",  // a noncharacter
      "caf\xe9",       // Latin-1: no UTF-8
      "\xff\xfe",
      "\xc3",          // cut off
      "\xed\xa0\x80",  // a surrogate
      std::string(3000, 'a'),
      std::string(100'000, 'b'),
  };
}

}  // namespace ghm
