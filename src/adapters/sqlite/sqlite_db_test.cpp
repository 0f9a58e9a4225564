#include "adapters/sqlite/sqlite_db.h"

#include <gmock/gmock.h>

#include <csignal>

#include <sys/resource.h>

#include "adapters/sqlite/folder_for_test.h"

namespace ghm::sqlite {
namespace {

using testing::HasSubstr;

TEST_F(Folder, AFailureSaysWhatCanBeDoneWhateverItsFinerCode) {
  auto db = Db::open(folder_ / "x.db", Db::Mode::create).value();
  ASSERT_TRUE(db->run("create table t(x unique); insert into t values(1)"));
  EXPECT_EQ(db->run("insert into t values(1)").error().code, Errc::conflict);  // SQLITE_CONSTRAINT_UNIQUE
  EXPECT_EQ(db->run("select * from nowhere").error().code, Errc::corrupt);

  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto done = db->run("insert into t values(zeroblob(100000))");  // SQLITE_IOERR_WRITE
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_THAT(done.error().what, HasSubstr("free space"));
}

}  // namespace
}  // namespace ghm::sqlite
