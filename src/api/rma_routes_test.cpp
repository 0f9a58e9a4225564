#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "adapters/evidence/bundle.h"
#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::header_of;
using test::json_of;
using test::request;

struct Signed : test::Site {
  Signed() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-rma-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    World world{telemetry, records, [this] { return fleet; }, clock, access, {}, {}, {}};
    world.rma_key_file = (folder / "rma.key").string();
    handler = make_handler(std::move(world), Log::to_memory(log));
  }
  ~Signed() { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST(RmaRoutes, ABundleIsSignedWithTheKeyThatIsShown) {
  Signed site;
  const auto r = site.ask(request("/api/v1/gpus/1650001/rma"));
  ASSERT_EQ(r.status, 200) << r.bytes();
  EXPECT_EQ(r.content_type, "application/zstd");
  EXPECT_EQ(header_of(r, "Content-Disposition"), "attachment; filename=\"rma-1650001.tar.zst\"");
  const auto shown = json_of(site.ask(request("/api/v1/rma/key")));
  const auto key = evidence::PublicKey::parse(shown["public_key"].get<std::string>());
  ASSERT_TRUE(key);
  const auto v = evidence::verify(r.bytes(), &*key);
  EXPECT_THAT(v.troubles, testing::ElementsAre());
  EXPECT_EQ(v.fingerprint, shown["fingerprint"]);
  EXPECT_EQ(v.manifest["gpu"], "1650001");
}

TEST(RmaRoutes, TheWindowIsTheAskersChoice) {
  Signed site;
  const auto r = site.ask(request("/api/v1/gpus/1650001/rma?at=1799990000&before=2h&after=1h"));
  const auto v = evidence::verify(r.bytes(), nullptr);
  const auto e = test::Json::parse(v.find("evidence.json")->bytes);
  EXPECT_EQ(e["window"]["from"], format_rfc3339(from_unix_ms(1'799'990'000'000) - 2h));
  EXPECT_EQ(e["window"]["to"], format_rfc3339(from_unix_ms(1'799'990'000'000) + 1h));
}

TEST(RmaRoutes, WrongQuestionsAreTold) {
  Signed site;
  EXPECT_EQ(site.ask(request("/api/v1/gpus/nobody/rma")).status, 404);
  for (const char* bad : {"before=0", "before=soon", "before=91d", "after=31d", "at=yesterday", "at=1900000000", "at=0"})
    EXPECT_EQ(site.ask(request(std::string("/api/v1/gpus/1650001/rma?") + bad)).status, 400) << bad;
  site.telemetry.broken = true;
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/rma")).status, 503);
  site.telemetry.broken = false;
  site.records.broken = true;
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/rma")).status, 503);
}

TEST(RmaRoutes, WithoutAKeyNothingIsMade) {
  test::Site site;  // no folder for a key
  EXPECT_EQ(site.ask(request("/api/v1/gpus/1650001/rma")).status, 503);
  Signed bad;
  std::filesystem::create_directory(bad.folder / "rma.key");
  EXPECT_NE(bad.ask(request("/api/v1/gpus/1650001/rma")).status, 200);
}

TEST(RmaRoutes, StrangersGetNothing) {
  Signed site;
  auto q = request("/api/v1/gpus/1650001/rma");
  q.peer.loopback = false;
  EXPECT_EQ(site.ask(q).status, 401);
}

}  // namespace
}  // namespace ghm::api
