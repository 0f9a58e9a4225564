#include "api/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "api/world_for_test.h"
#include "core/files.h"

namespace ghm::api {
namespace {

using test::kNow;
using test::Records;

TEST(Keys, ATokenOpensItsKeyAndNothingElseDoes) {
  Records records;
  const auto made = create_key(records, Role::operator_, "night shift", kNow).value();
  const auto& token = made.token;
  EXPECT_TRUE(token.starts_with("ghm_" + made.key.id + "_")) << token;
  EXPECT_EQ(token.size(), std::string("ghm_").size() + 10 + 1 + 64) << "256 bits in hex";
  const auto found = check_key(records, token).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, made.key.id);
  EXPECT_EQ(found->role, Role::operator_);
  EXPECT_EQ(found->label, "night shift");
  std::string last_changed = token;
  last_changed.back() = last_changed.back() == '0' ? '1' : '0';
  for (const auto& wrong : {std::string(), std::string("ghm_"), std::string("ghm__"), "ghm_" + made.key.id, "ghm_" + made.key.id + "_",
                            last_changed, token + "0", "GHM_" + token.substr(4), "ghm_0000000000_" + token.substr(15)})
    EXPECT_FALSE(check_key(records, wrong).value()) << wrong;
}

TEST(Keys, TheStoreDoesNotKeepTheSecret) {
  Records records;
  const auto made = create_key(records, Role::viewer, "x", kNow).value();
  const auto secret = made.token.substr(15);
  ASSERT_EQ(records.kept.size(), 1u);
  EXPECT_EQ(records.kept.begin()->second.kind, "key");
  EXPECT_EQ(records.kept.begin()->second.body.find(secret), std::string::npos);
}

TEST(Keys, NoTwoAreAlike) {
  Records records;
  std::set<std::string> tokens;
  for (int n = 0; n < 100; ++n) tokens.insert(create_key(records, Role::viewer, "", kNow).value().token);
  EXPECT_EQ(tokens.size(), 100u);
}

TEST(Keys, ARevokedKeyStaysInTheListAndOpensNothing) {
  Records records;
  const auto first = create_key(records, Role::viewer, "first", kNow).value();
  const auto second = create_key(records, Role::admin, "second", kNow + 1s).value();
  ASSERT_TRUE(revoke_key(records, first.key.id, kNow + 1min));
  ASSERT_TRUE(revoke_key(records, first.key.id, kNow + 2min)) << "twice is fine";
  EXPECT_FALSE(check_key(records, first.token).value());
  EXPECT_TRUE(check_key(records, second.token).value());
  const auto keys = list_keys(records).value();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].label, "first");
  EXPECT_EQ(keys[0].revoked, kNow + 1min) << "the first time stands";
  EXPECT_EQ(keys[1].revoked, std::nullopt);
  EXPECT_EQ(revoke_key(records, "0123456789", kNow).error().code, Errc::not_found);
}

TEST(Keys, AStoreThatFailsIsNoWrongKey) {
  Records records;
  const auto made = create_key(records, Role::viewer, "", kNow).value();
  records.kept.begin()->second.body = "{";
  EXPECT_EQ(check_key(records, made.token).error().code, Errc::corrupt);
  records.broken = true;
  EXPECT_EQ(check_key(records, made.token).error().code, Errc::unavailable);
  EXPECT_EQ(create_key(records, Role::viewer, "", kNow).error().code, Errc::unavailable);
}

TEST(Keys, RolesHaveNamesBothWays) {
  for (const Role role : {Role::none, Role::viewer, Role::operator_, Role::admin}) EXPECT_EQ(parse_role(to_string(role)), role);
  EXPECT_EQ(parse_role("root"), std::nullopt);
}

class AdminToken : public ::testing::Test {
 protected:
  AdminToken()
      : folder_(std::filesystem::temp_directory_path() / ("ghm-keys-" + std::to_string(::getpid()))), file_(folder_ / "admin.token") {
    std::filesystem::create_directories(folder_);
  }
  ~AdminToken() override { std::filesystem::remove_all(folder_); }
  std::string token() const {
    auto text = read_file(file_).value();
    EXPECT_EQ(text.back(), '\n');
    text.pop_back();
    return text;
  }
  unsigned mode() const {
    struct stat s {};
    ::stat(file_.c_str(), &s);
    return s.st_mode & 0777;
  }

  Records records_;
  std::filesystem::path folder_, file_;
};

TEST_F(AdminToken, IsWrittenOnceForItsOwnerAlone) {
  ASSERT_TRUE(ensure_admin_token(records_, file_, kNow));
  EXPECT_EQ(mode(), 0600u);
  const auto first = token();
  EXPECT_EQ(check_key(records_, first).value()->role, Role::admin);
  std::filesystem::permissions(file_, std::filesystem::perms::all);
  ASSERT_TRUE(ensure_admin_token(records_, file_, kNow));
  EXPECT_EQ(token(), first);
  EXPECT_EQ(mode(), 0600u) << "too wide a mode is narrowed";
  EXPECT_EQ(list_keys(records_)->size(), 1u);
}

TEST_F(AdminToken, IsReplacedWhenItOpensNothing) {
  ASSERT_TRUE(ensure_admin_token(records_, file_, kNow));
  const auto first = token();
  ASSERT_TRUE(write_file_atomically(file_, "scratched\n"));
  ASSERT_TRUE(ensure_admin_token(records_, file_, kNow + 1s));
  EXPECT_NE(token(), first);
  EXPECT_TRUE(check_key(records_, token()).value());
  EXPECT_FALSE(check_key(records_, first).value()) << "the lost one opens nothing any more";
}

TEST_F(AdminToken, AFolderThatCannotBeWrittenIsAnError) {
  EXPECT_FALSE(ensure_admin_token(records_, folder_ / "no" / "such" / "admin.token", kNow));
}

}  // namespace
}  // namespace ghm::api
