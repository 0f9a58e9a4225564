#include "adapters/evidence/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <thread>

#include "adapters/evidence/tar_zst.h"
#include "core/files.h"
#include "core/hostile_strings_for_test.h"

namespace ghm::evidence {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Timestamp kNow = from_unix_ms(1'800'000'000'000);

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "ghm-evidence-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

class Bundle : public testing::Test {
 protected:
  Folder folder_;  // before the key that lies in it
  SigningKey key = *SigningKey::open_or_make(folder_.path / "rma.key");
  PublicKey site = *key.public_key();
  std::vector<Member> files{
      {"evidence.json", "{\"gpu\":\"1650001\"}"}, {"kernel.log", "NVRM: Xid (PCI:0000:65:00): 79\n"}, {"empty.csv", ""}};

  std::string sealed() { return *seal(files, {{"gpu", "1650001"}}, key, kNow); }
  /// The same bundle with something done to its members.
  template <class Change>
  std::string changed(Change change) {
    auto inside = unpack(sealed());
    change(inside.members);
    return *pack(inside.members, kNow);
  }
  static Member& named(std::vector<Member>& all, std::string_view name) { return *std::ranges::find(all, name, &Member::name); }
};

TEST_F(Bundle, IsWholeAndSaysWhoSigned) {
  const auto v = verify(sealed(), &site);
  EXPECT_THAT(v.troubles, ElementsAre());
  EXPECT_TRUE(v.key_given);
  EXPECT_EQ(v.fingerprint, site.fingerprint());
  EXPECT_EQ(v.manifest["gpu"], "1650001");
  EXPECT_EQ(v.find("kernel.log")->bytes, files[1].bytes);
  const auto alone = verify(sealed(), nullptr);
  EXPECT_TRUE(alone.intact());
  EXPECT_FALSE(alone.key_given) << "the bundle's own key proves nothing about who made it";
}

TEST_F(Bundle, TheSameEvidenceGivesTheSameBytes) {
  EXPECT_EQ(sealed(), sealed());
}

TEST_F(Bundle, NamesTheMemberThatWasChanged) {
  const auto bytes = changed([](auto& all) { named(all, "kernel.log").bytes[3] ^= 1; });
  EXPECT_THAT(verify(bytes, &site).troubles, ElementsAre(HasSubstr("kernel.log was changed")));
}

TEST_F(Bundle, NamesWhatIsMissingAddedOrTwice) {
  EXPECT_THAT(verify(changed([](auto& all) { std::erase_if(all, [](const Member& m) { return m.name == "empty.csv"; }); }), &site).troubles,
              ElementsAre("empty.csv is missing"));
  EXPECT_THAT(verify(changed([](auto& all) {
                       all.push_back({"extra.txt", "x"});
                     }),
                     &site)
                  .troubles,
              ElementsAre(HasSubstr("extra.txt was added")));
  EXPECT_THAT(verify(changed([](auto& all) { all.push_back(named(all, "kernel.log")); }), &site).troubles,
              ElementsAre("kernel.log is there twice"));
}

TEST_F(Bundle, AManifestMadeToFitIsNotSigned) {
  const auto bytes = changed([](auto& all) {
    auto& log = named(all, "kernel.log");
    const auto before = sha256_hex(log.bytes);
    log.bytes[0] ^= 1;
    auto& text = named(all, kManifest).bytes;
    text.replace(text.find(before), before.size(), sha256_hex(log.bytes));
  });
  EXPECT_THAT(verify(bytes, &site).troubles, ElementsAre(HasSubstr("manifest.json is not what was signed")));
  EXPECT_THAT(verify(bytes, nullptr).troubles, ElementsAre(HasSubstr("manifest.json is not what was signed")));
}

TEST_F(Bundle, AnotherBundlesManifestDoesNotFit) {
  auto others = files;
  others[0].bytes = "{\"gpu\":\"1650002\"}";
  const auto other = unpack(*seal(others, {{"gpu", "1650002"}}, key, kNow));
  const auto swapped = changed([&](auto& all) {
    for (const auto name : {kManifest, kSignature}) named(all, name).bytes = std::ranges::find(other.members, name, &Member::name)->bytes;
  });
  EXPECT_THAT(verify(swapped, &site).troubles, ElementsAre(HasSubstr("evidence.json was changed"))) << "the signature itself is good";
}

TEST_F(Bundle, AnotherKeyIsTold) {
  Folder elsewhere;
  const auto stranger = SigningKey::open_or_make(elsewhere.path / "rma.key");
  const auto forged = *seal(files, {{"gpu", "1650001"}}, *stranger, kNow);
  EXPECT_TRUE(verify(forged, nullptr).intact()) << "whole, as far as it says itself";
  EXPECT_THAT(verify(forged, &site).troubles, ElementsAre(HasSubstr("signed by another key")));
  // The right key laid beside a stranger's signature helps as little.
  auto inside = unpack(forged);
  named(inside.members, kPublicKey).bytes = site.pem();
  EXPECT_FALSE(verify(*pack(inside.members, kNow), nullptr).intact());
  EXPECT_FALSE(verify(*pack(inside.members, kNow), &site).intact());
}

TEST_F(Bundle, WithoutSignatureKeyOrManifestNothingIsProven) {
  for (const auto name : {kManifest, kSignature, kPublicKey}) {
    const auto bytes = changed([&](auto& all) { std::erase_if(all, [&](const Member& m) { return m.name == name; }); });
    EXPECT_THAT(verify(bytes, nullptr).troubles, testing::Contains(HasSubstr(std::string(name) + " is missing")));
  }
}

TEST_F(Bundle, EveryCutIsSeen) {
  const auto whole = sealed();
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(verify(std::string_view(whole).substr(0, n), &site).intact()) << n << " bytes";
  EXPECT_THAT(verify(std::string_view(whole).substr(0, whole.size() - 1), &site).troubles, testing::Contains(HasSubstr("cut off")));
  EXPECT_THAT(verify(whole + "x", &site).troubles, ElementsAre(HasSubstr("added behind")));
}

TEST_F(Bundle, NoFlippedBitChangesWhatIsRead) {
  const auto whole = sealed();
  const auto good = unpack(whole).members;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto v = verify(bytes, &site);
    // A bit of the frame's header that decides nothing may flip; then everything reads as before.
    if (v.intact()) {
      EXPECT_EQ(v.members, good) << "bit " << bit;
    }
  }
}

TEST_F(Bundle, OtherFilesAreRefusedInASentence) {
  for (const auto& text : hostile_strings()) EXPECT_FALSE(verify(text, nullptr).intact());
  EXPECT_THAT(verify("", nullptr).troubles, testing::Contains(HasSubstr("no .tar.zst")));
}

TEST_F(Bundle, AManifestOfAnotherShapeIsNone) {
  for (const char* text : {"", "[]", "{}", "null", R"({"format":"ghm-rma"})", R"({"format":"ghm-rma","members":[1]})",
                           R"({"format":"ghm-rma","members":[{"name":"a","size":-1,"sha256":""}]})",
                           R"({"format":"ghm-rma","members":[{"name":"a","size":1,"sha256":""},{"name":"a","size":1,"sha256":""}]})",
                           R"({"format":7,"members":[]})"}) {
    const std::vector<Member> members{
        {std::string(kManifest), text}, {std::string(kSignature), *key.sign(text)}, {std::string(kPublicKey), site.pem()}};
    EXPECT_THAT(verify(members, "", &site).troubles, testing::Contains(HasSubstr("no manifest of an evidence bundle"))) << text;
  }
}

TEST(TarZst, TakesPlainFilesAlone) {
  for (const auto* name : {"", "..", "../up", "/etc/passwd", "a/b", ".hidden", "sp ace"}) {
    const std::vector<Member> one{{name, "x"}};
    EXPECT_FALSE(pack(one, kNow)) << name;
  }
  std::vector<Member> many;
  for (std::size_t i = 0; i <= kMostMembers; ++i) many.push_back({"f" + std::to_string(i), "x"});
  EXPECT_THAT(unpack(*pack(many, kNow)).trouble, HasSubstr("more than 64 files"));
}

TEST(TarZst, ABombIsPutOut) {
  const std::string zeros(kMostUnpacked + 1024, '\0');
  std::string packed(ZSTD_compressBound(zeros.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), zeros.data(), zeros.size(), 1));
  EXPECT_THAT(unpack(packed).trouble, HasSubstr("more than 256 MiB"));
}

TEST(SigningKeys, AreMadeOnceForTheirOwnerAlone) {
  Folder folder;
  const auto file = folder.path / "rma.key";
  std::vector<std::string> seen(8);
  {
    std::vector<std::jthread> at_once;
    for (auto& s : seen) at_once.emplace_back([&s, &file] { s = SigningKey::open_or_make(file)->public_key()->fingerprint(); });
  }
  for (const auto& s : seen) EXPECT_EQ(s, seen[0]);
  EXPECT_EQ(seen[0].size(), 64u);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1) << "no drafts stay behind";
}

TEST(SigningKeys, TroubleIsASentence) {
  Folder folder;
  const auto file = folder.path / "rma.key";
  ASSERT_TRUE(write_file_atomically(file, "no key", 0600));
  EXPECT_EQ(SigningKey::open_or_make(file).error().code, Errc::corrupt);
  fs::remove(file);
  ASSERT_TRUE(SigningKey::open_or_make(file));
  fs::permissions(file, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_EQ(SigningKey::open_or_make(file).error().code, Errc::unauthorized);
  EXPECT_EQ(SigningKey::open_or_make(folder.path / "nowhere" / "rma.key").error().code, Errc::unavailable);
  for (const auto& text : hostile_strings()) EXPECT_FALSE(PublicKey::parse(text));
}

}  // namespace
}  // namespace ghm::evidence
