#include "api/static_files.h"

#include <gtest/gtest.h>

#include "api/openapi.h"
#include "api/route.h"
#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::header_of;
using test::Json;
using test::request;

const std::vector<ui::Asset> kApp = {
    {"/index.html", "<html>app</html>", "", "\"i1\""},
    {"/assets/app-Bx1.js", "let a", "gz(let a)", "\"a1\""},
    {"/icon.svg", "<svg/>", "", "\"s1\""},
};

TEST(StaticFiles, ServesFilesAndTheAppForItsOwnPages) {
  const StaticFiles files(kApp);
  struct Case {
    const char* path;
    const char* accept;
    int status;
    const char* body;
    const char* type;
  };
  const Case cases[] = {
      {"/", "text/html", 200, "<html>app</html>", "text/html; charset=utf-8"},
      {"/index.html", "*/*", 200, "<html>app</html>", "text/html; charset=utf-8"},
      {"/gpus/1650001", "text/html,*/*", 200, "<html>app</html>", "text/html; charset=utf-8"},
      {"/gpus/1650001", "application/json", 404, nullptr, "application/problem+json"},
      {"/assets/app-Bx1.js", "*/*", 200, "let a", "text/javascript; charset=utf-8"},
      {"/assets/old.js", "text/html", 404, nullptr, "application/problem+json"},
      {"/icon.svg", "image/*", 200, "<svg/>", "image/svg+xml"},
      {"/../etc/passwd", "*/*", 404, nullptr, "application/problem+json"},
  };
  for (const auto& c : cases) {
    const auto r = files.get(request(c.path, {{"accept", c.accept}}));
    EXPECT_EQ(r.status, c.status) << c.path;
    EXPECT_EQ(r.content_type, c.type) << c.path;
    if (c.body != nullptr) {
      EXPECT_EQ(r.bytes(), c.body) << c.path;
    }
  }
}

TEST(StaticFiles, HashedNamesStayForEverOthersAreAskedFor) {
  const StaticFiles files(kApp);
  EXPECT_NE(files.get(request("/assets/app-Bx1.js")).static_headers.find("immutable"), std::string_view::npos);
  EXPECT_NE(files.get(request("/index.html")).static_headers.find("Cache-Control: no-cache"), std::string_view::npos);
  const auto known = files.get(request("/index.html", {{"if-none-match", "\"i1\""}}));
  EXPECT_EQ(known.status, 304);
  EXPECT_TRUE(known.bytes().empty());
}

TEST(StaticFiles, CompressedForWhoTakesIt) {
  const StaticFiles files(kApp);
  const auto packed = files.get(request("/assets/app-Bx1.js", {{"accept-encoding", "br, gzip"}}));
  EXPECT_EQ(packed.bytes(), "gz(let a)");
  EXPECT_EQ(header_of(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(header_of(packed, "Vary"), "Accept-Encoding");
  EXPECT_EQ(header_of(packed, "ETag"), "\"a1-gz\"");
  EXPECT_EQ(files.get(request("/assets/app-Bx1.js", {{"accept-encoding", "gzip;q=0"}})).bytes(), "let a");
  EXPECT_EQ(files.get(request("/icon.svg", {{"accept-encoding", "gzip"}})).bytes(), "<svg/>") << "nothing gained there";
}

TEST(StaticFiles, WithoutAUiOnePageSaysSo) {
  const std::vector<ui::Asset> none;
  const StaticFiles files(none);
  EXPECT_EQ(files.get(request("/", {{"accept", "text/html"}})).status, 200);
  EXPECT_EQ(files.get(request("/gpus", {{"accept", "text/html"}})).status, 404);
}

TEST(StandardHeaders, KeepOtherOriginsOut) {
  for (const auto caching : {Caching::no_store, Caching::revalidate, Caching::immutable}) {
    const auto lines = standard_headers(caching);
    for (const char* want : {"default-src 'self'", "frame-ancestors 'none'", "X-Content-Type-Options: nosniff\r\n",
                             "Referrer-Policy: no-referrer\r\n", "Cache-Control: "})
      EXPECT_NE(lines.find(want), std::string_view::npos) << want;
    EXPECT_TRUE(lines.ends_with("\r\n"));
  }
}

TEST(Openapi, YamlBecomesTheSameJson) {
  const auto json = yaml_to_json(R"(
openapi: 3.1.0
info: {version: "1.0", title: 'GPU: health', x: 1.0}
paths:
  /a:
    get:
      responses:
        200: {description: fine}
        "404": {description: "404"}
enum: [null, ~, true, "true", 5, "5", -2.5, 1e3, inf, yes, 1.2.3, +7]
text: |
  two
  lines
shared: &s [1]
again: *s
empty:
)",
                                 "t.yaml");
  ASSERT_TRUE(json) << json.error().what;
  const auto want = Json::parse(R"({"openapi":"3.1.0","info":{"version":"1.0","title":"GPU: health","x":1.0},
    "paths":{"/a":{"get":{"responses":{"200":{"description":"fine"},"404":{"description":"404"}}}}},
    "enum":[null,null,true,"true",5,"5",-2.5,1000.0,"inf","yes","1.2.3",7],"text":"two\nlines\n","shared":[1],"again":[1],"empty":null})");
  EXPECT_EQ(Json::parse(*json), want);
}

TEST(Openapi, BrokenYamlIsNamedWithItsLine) {
  const auto json = yaml_to_json("a: 1\nb: [1\n", "t.yaml");
  ASSERT_FALSE(json);
  EXPECT_TRUE(json.error().what.starts_with("t.yaml:")) << json.error().what;
}

TEST(Openapi, DescribesEveryRouteOfTheApi) {
  const auto document = Json::parse(openapi_json());
  if (document.is_null()) GTEST_SKIP() << "openapi.yaml is empty";
  const auto& paths = document.at("paths");
  for (const Route& route : routes()) {
    if (!route.pattern.starts_with("/api/v1/") || route.pattern == "/api/v1/openapi.json") continue;
    const std::string path(route.pattern), below_server = path.substr(std::string("/api/v1").size());
    EXPECT_TRUE(paths.contains(path) || paths.contains(below_server)) << path;
  }
}

}  // namespace
}  // namespace ghm::api
