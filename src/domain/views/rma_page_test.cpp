#include "domain/views/rma_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hostile_strings_for_test.h"
#include "core/utf8.h"
#include "domain/views/snapshot_view.h"

namespace ghm::views {
namespace {

using testing::HasSubstr;
using testing::Not;

const Timestamp kFault = from_unix_ms(1'800'000'000'000);

Json snapshot_of(const std::string& text) {
  const Json source = {{"missing", text}, {"facts", {{"name", text}}}, {"lines", {text}}, {"processes", {text}}};
  const Json said = {{"sign", {{"kind", text}, {"code", 79}, {"text", text}}},
                     {"sources", {{"kernel_log", source}}},
                     {"readings", {{"values", {{"name", text}}}}}};
  const Json body = {{"id", text}, {"at", text}, {"host", text}, {"gpu", {{"serial", text}}}, {"said", said}};
  return snapshot_document(body, body, body, body);
}

/// A bundle's page with one text in every place that takes one.
RmaPage page_with(const std::string& text) {
  RmaPage page;
  page.window = {kFault - 72h, kFault + 6h};
  page.fault = kFault;
  const Json cause = {{"cause", text}, {"says", text}, {"probability", 0.7}};
  page.evidence = {
      {"simulated", true},
      {"made_at", text},
      {"made_by", text},
      {"board", {{"id", text}, {"serial", text}, {"model", text}, {"host", text}, {"vbios_version", text}}},
      {"warranty", {{"until", text}, {"at_fault", text}}},
      {"fault", {{"at", text}, {"why", text}}},
      {"window", {{"from", text}, {"to", text}}},
      {"missing", {text}},
      {"counters", {{{"metric", text}, {"last", 3}, {"increase_7d", 1}, {"increase_30d", 1}, {"increase_90d", 3}, {"trend", text}}}},
      {"incidents", {{{"id", text}, {"cause_says", text}, {"severity", text}, {"causes", {cause}}}}},
      {"history", {{{"from", text}, {"kind", text}, {"value", text}}}},
      {"repairs", {{{"at", text}, {"what", text}, {"detail", text}}}}};
  page.kernel_lines = {text};
  page.snapshots = {snapshot_of(text)};
  page.charts = {{text, text, {{kFault - 1h, 60, 64, 124, 64, 2, {}}}}};
  return page;
}

/// The tags and attributes of a page: what is left of it when texts are taken out.
std::string structure(const std::string& html) {
  std::string out;
  bool inside = false;
  for (const char c : html) {
    if (c == '<') inside = true;
    if (inside) out += c;
    if (c == '>') inside = false;
  }
  return out;
}

TEST(RmaPage, HostileStringsStayText) {
  const auto plain = structure(rma_page(page_with("harmless")));
  for (const auto& text : hostile_strings()) {
    const auto html = rma_page(page_with(text));
    EXPECT_EQ(structure(html), plain) << text.substr(0, 60);
    EXPECT_TRUE(is_utf8(html));
    EXPECT_EQ(html.find('\0'), html.npos);
  }
}

TEST(RmaPage, AsksForNothing) {
  const auto html = rma_page(page_with("https://example.com/x.js"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* tag : {"<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import"})
    EXPECT_THAT(structure(html), Not(HasSubstr(tag)));
}

TEST(RmaPage, SaysWhatItIs) {
  auto page = page_with("x");
  page.evidence["board"]["id"] = "1650001";
  page.evidence["missing"] = {"The serial number: none"};
  EXPECT_THAT(rma_page(page), HasSubstr("Evidence on GPU 1650001"));
  EXPECT_THAT(rma_page(page), HasSubstr("This board is simulated"));
  EXPECT_THAT(rma_page(page), HasSubstr("The serial number: none"));
  EXPECT_THAT(rma_page(page), HasSubstr("<td class=n>70 %</td>"));
  page.evidence["simulated"] = false;
  EXPECT_THAT(rma_page(page), Not(HasSubstr("This board is simulated")));
}

TEST(RmaPage, AnEmptyBundleStillReads) {
  const auto html = rma_page({});
  EXPECT_THAT(html, HasSubstr("not known"));
  EXPECT_THAT(html, HasSubstr("No incident touches this board"));
  EXPECT_THAT(html, HasSubstr("No line of the kernel log is known"));
}

TEST(RmaPage, CountersAtZeroAreOneLine) {
  auto page = page_with("x");
  page.evidence["counters"].push_back({{"metric", "QUIET"}, {"last", 0.0}, {"increase_90d", 0.0}});
  EXPECT_THAT(rma_page(page), HasSubstr("1 more counters are known and stand at 0"));
  EXPECT_THAT(rma_page(page), Not(HasSubstr("QUIET")));
}

}  // namespace
}  // namespace ghm::views
