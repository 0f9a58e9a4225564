// A copy is worth what comes back from it: taken under load, cut off, rotten, of another fleet, of another version.
#include "adapters/sqlite/backup.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "adapters/sqlite/folder_for_test.h"
#include "core/files.h"

namespace ghm::sqlite {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre, testing::HasSubstr, testing::IsEmpty;

void flip_a_byte(const fs::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char before = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(before ^ 0x40));
  ASSERT_TRUE(file.good());
}

/// Without other kinds of day files, of which later versions may have more.
std::vector<std::string> readings(std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& n) { return n != "ghm.db" && !n.starts_with("raw-"); });
  return names;
}

class Backups : public Folder {
 protected:
  Backups() : to_(folder_.string() + "-backup"), restored_(folder_.string() + "-restored") {}
  ~Backups() override {
    for (const auto& path : {to_, restored_}) fs::remove_all(path);
  }

  /// Three days with a row each, the first two sealed, in a folder that nobody has open.
  void three_days() {
    ASSERT_TRUE(open());
    for (int day = 0; day < 3; ++day) ASSERT_TRUE(append("h:1", kNoon + 24h * day, {70.0 + day, 300}));
    ASSERT_TRUE(store_->put(std::vector<Record>{{"board", "7", kNoon, R"({"serial":"1"})"}}));
    settle(kNoon + 36h);
    store_.reset();
    age();
  }
  /// As if the files had been written when their rows say: the tests' clock is not the file system's.
  void age() {
    for (const auto& entry : fs::directory_iterator(folder_)) fs::last_write_time(entry, fs::file_time_type::clock::now() - 20'000h);
  }
  Result<BackupReport> take(Timestamp now = kNoon + 24h * 10, bool verify = false) { return back_up({folder_, to_, verify}, now); }
  Result<RestoreReport> restore() { return restore_backup(to_, restored_); }
  std::vector<Point> restored_temperatures() {
    auto store = SqliteStore::open(restored_, {}, Log::off());
    EXPECT_TRUE(store) << store.error().what;
    return (*store)->read((*columns_)[0], {Timestamp{}, kNoon + std::chrono::days(60)}).value();
  }
  static std::vector<Point> days(int from, int to) {
    std::vector<Point> points;
    for (int day = from; day < to; ++day) points.push_back({kNoon + 24h * day, 70.0 + day});
    return points;
  }

  const fs::path to_, restored_;
};

TEST_F(Backups, WhatWasInTheFolderIsInTheRestoredOne) {
  three_days();
  const auto taken = take();
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_THAT(readings(taken->copied), ElementsAre("ghm.db", "raw-2026-02-09.db", "raw-2026-02-10.db"));
  std::uint64_t heard = 0;
  const auto back = restore_backup(to_, restored_, [&](std::uint64_t done, std::uint64_t) { heard = done; });
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(heard, back->bytes);
  EXPECT_THAT(back->damaged, IsEmpty());
  EXPECT_EQ(restored_temperatures(), days(0, 3));
  auto store = SqliteStore::open(restored_, {}, Log::off());
  EXPECT_EQ((*store)->get("board", "7").value()->body, R"({"serial":"1"})");
}

TEST_F(Backups, ClosedDaysAreCopiedOnce) {
  three_days();
  const auto when = kNoon + 12h + 49h;  // the first day is closed, the second not yet
  ASSERT_TRUE(take(when));
  const auto again = take(when);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_THAT(readings(again->kept), ElementsAre("raw-2026-02-09.db"));
  EXPECT_THAT(readings(again->copied), ElementsAre("ghm.db", "raw-2026-02-10.db"));
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon + 10s, {71, 300}));  // back-fill into the closed day
  settle(kNoon + 24h * 5);
  store_.reset();
  EXPECT_THAT(take(when + 1h)->copied, testing::Contains("raw-2026-02-09.db"));
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_temperatures().size(), 4u);
}

TEST_F(Backups, DayFilesOfEveryKindAreCopied) {
  three_days();
  fs::copy(folder_ / "raw-2026-02-09.db", folder_ / "minutes-2026-02-09.db");
  const auto taken = take();
  EXPECT_THAT(taken->copied, testing::Contains("minutes-2026-02-09.db"));
  ASSERT_TRUE(restore());
  EXPECT_TRUE(fs::exists(restored_ / "minutes-2026-02-09.db"));
}

TEST_F(Backups, VerifyFindsACopyThatHasGoneBadAndTakesItAgain) {
  three_days();
  ASSERT_TRUE(take());
  ASSERT_TRUE(take());  // now both days are kept
  flip_a_byte(to_ / "raw-2026-02-09.db", 5000);
  EXPECT_THAT(take()->kept, testing::Contains("raw-2026-02-09.db"));
  EXPECT_THAT(readings(take(kNoon + 24h * 10, true)->copied), ElementsAre("ghm.db", "raw-2026-02-09.db"));
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_temperatures(), days(0, 3));
}

TEST_F(Backups, ADayDamagedInTheFolderLeavesItsEarlierCopyAlone) {
  three_days();
  ASSERT_TRUE(take());
  std::ofstream(folder_ / "raw-2026-02-09.db", std::ios::binary) << std::string(8192, 'x');
  const auto taken = take();
  ASSERT_TRUE(taken) << taken.error().what;
  ASSERT_EQ(taken->damaged.size(), 1u);
  EXPECT_EQ(taken->damaged[0].name, "raw-2026-02-09.db");
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_temperatures(), days(0, 3));
}

TEST_F(Backups, ADayThatTheServerSetAsideKeepsItsFullCopyBesideTheNewOne) {
  three_days();
  ASSERT_TRUE(take());
  std::ofstream(folder_ / "raw-2026-02-09.db", std::ios::binary) << std::string(8192, 'x');
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon + 10s, {99, 300}));
  settle(kNoon + 24h * 5);
  store_.reset();
  ASSERT_TRUE(take());
  auto full = Db::open(to_ / "raw-2026-02-09.db.before-damage", Db::Mode::read_only);
  ASSERT_TRUE(full) << full.error().what;
  EXPECT_EQ((*full)->integer("select count(*) from chunks").value(), 1);
}

TEST_F(Backups, DaysThatRetentionDroppedStayInTheBackup) {
  three_days();
  ASSERT_TRUE(take());
  fs::remove(folder_ / "raw-2026-02-09.db");
  EXPECT_THAT(readings(take()->only_in_backup), ElementsAre("raw-2026-02-09.db"));
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_temperatures(), days(0, 3));
}

TEST_F(Backups, ABackupThatWasCutOffIsTheOldOneOrTheNewOne) {
  three_days();
  ASSERT_TRUE(take());
  const auto old = folder_.string() + "-old";
  fs::copy(to_, old);
  ASSERT_TRUE(open());
  ASSERT_TRUE(append("h:1", kNoon + 24h * 3, {73, 300}));
  store_.reset();
  ASSERT_TRUE(take());

  // Before its manifest was durable: drafts lie about, and count for nothing.
  fs::copy(to_ / "ghm.db", fs::path(old) / "ghm.db.new");
  ASSERT_TRUE(restore_backup(old, restored_));
  EXPECT_EQ(restored_temperatures(), days(0, 3));
  fs::remove_all(restored_);
  // After it, and before anything was renamed.
  fs::copy(to_ / "manifest.json", fs::path(old) / "manifest.json.new");
  const auto back = restore_backup(old, restored_);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(restored_temperatures(), days(0, 4));
  // The next backup ends it.
  ASSERT_TRUE(back_up({folder_, old}, kNoon + 24h * 10));
  EXPECT_FALSE(fs::exists(fs::path(old) / "ghm.db.new"));
  EXPECT_FALSE(fs::exists(fs::path(old) / "manifest.json.new"));
  fs::remove_all(old);
}

TEST_F(Backups, ARottenDayInTheBackupIsNamedSetAsideAndCostsThatDay) {
  three_days();
  ASSERT_TRUE(take());
  flip_a_byte(to_ / "raw-2026-02-09.db", 5000);
  const auto back = restore();
  ASSERT_TRUE(back) << back.error().what;
  ASSERT_EQ(back->damaged.size(), 1u);
  EXPECT_THAT(back->damaged[0].why, HasSubstr("raw-2026-02-09.db"));
  EXPECT_TRUE(fs::exists(restored_ / "raw-2026-02-09.db.damaged"));
  EXPECT_EQ(restored_temperatures(), days(1, 3));
}

TEST_F(Backups, RestoreRefusesWhatItMustNot) {
  three_days();
  ASSERT_TRUE(take());
  const auto manifest = read_file(to_ / "manifest.json").value();
  const auto refused = [&](Errc code, std::string_view words) {
    const auto back = restore();
    ASSERT_FALSE(back) << words;
    EXPECT_EQ(back.error().code, code) << back.error().what;
    EXPECT_THAT(back.error().what, HasSubstr(std::string(words)));
  };
  fs::create_directories(restored_);
  std::ofstream(restored_ / "precious.txt") << "mine";
  refused(Errc::conflict, "is not empty (precious.txt is there)");
  EXPECT_TRUE(fs::exists(restored_ / "precious.txt"));
  fs::remove_all(restored_);

  auto newer = manifest;
  newer.replace(newer.find("\"schema\": "), 11, "\"schema\": 99");
  ASSERT_TRUE(write_file_atomically(to_ / "manifest.json", newer));
  refused(Errc::conflict, "upgrade this program");
  ASSERT_TRUE(write_file_atomically(to_ / "manifest.json", manifest));
  flip_a_byte(to_ / "ghm.db", 5000);
  refused(Errc::corrupt, "nothing was restored");
  EXPECT_FALSE(fs::exists(restored_ / "ghm.db"));
  fs::remove(to_ / "manifest.json");
  refused(Errc::not_found, "holds no backup");
  fs::remove_all(to_);
  refused(Errc::not_found, "no such folder");
}

TEST_F(Backups, ARestoreThatWasCutOffIsRefusedByTheServerAndBegunAnew) {
  three_days();
  ASSERT_TRUE(take());
  fs::create_directories(restored_);
  std::ofstream(restored_ / kUnfinishedRestore) << "x";
  std::ofstream(restored_ / "ghm.db") << "half";
  const auto opened = SqliteStore::open(restored_, {}, Log::off());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("run `ghm restore` again"));
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_temperatures(), days(0, 3));
}

TEST_F(Backups, BackupRefusesWhatItMustNot) {
  const auto refused = [&](const BackupRequest& r, std::string_view words) {
    const auto taken = back_up(r, kNoon);
    ASSERT_FALSE(taken) << words;
    EXPECT_THAT(taken.error().what, HasSubstr(std::string(words)));
  };
  refused({folder_ / "none", to_}, "no such folder");
  refused({folder_, to_}, "is no data folder");
  three_days();
  refused({folder_, folder_}, "is the data folder itself");
  fs::create_directories(to_);
  std::ofstream(to_ / "holiday.jpg") << "mine";
  refused({folder_, to_}, "holds no backup of ghm but something else (holiday.jpg)");
  fs::remove(to_ / "holiday.jpg");
  ASSERT_TRUE(take());
  fs::copy(folder_, restored_);
  refused({restored_, to_}, "holds a backup of");
}

TEST_F(Backups, UnderLoadEverythingAcknowledgedBeforeIsInItOnce) {
  ASSERT_TRUE(open());
  std::atomic<int> acknowledged{0};
  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    for (int i = 0; !stop; ++i) {
      ASSERT_TRUE(append("h:1", kNoon + i * 10s, {static_cast<double>(i), 300}));
      acknowledged = i + 1;
      ASSERT_TRUE(i % 10 != 0 || store_->maintain(kNoon + i * 10s));
    }
  });
  while (acknowledged < 400) std::this_thread::yield();
  for (int round = 0; round < 8; ++round) {
    const auto least = static_cast<std::size_t>(acknowledged);
    const auto taken = take(kNoon);
    ASSERT_TRUE(taken) << taken.error().what;
    const auto most = static_cast<std::size_t>(acknowledged) + 1;
    ASSERT_TRUE(restore());
    const auto found = restored_temperatures();
    fs::remove_all(restored_);
    ASSERT_GE(found.size(), least) << round;
    ASSERT_LE(found.size(), most) << round;
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], (Point{kNoon + i * 10s, static_cast<double>(i)})) << round;
  }
  stop = true;
  writer.join();
  EXPECT_GT(store_->stats().sealed_chunks, 0u) << "nothing was sealed meanwhile";
}

TEST(BackupManifests, AnyTextIsAManifestOrARefusal) {
  const std::string sum(64, 'a');
  const auto with = [&](const std::string& files) {
    return R"({"ghm_backup":1,"schema":2,"made":"2026-02-09T00:00:00Z","files":[)" + files + "]}";
  };
  const auto file = [&](const std::string& name) {
    return R"({"name":")" + name + R"(","bytes":1,"sha256":")" + sum + R"(","copied":"2026-02-09T00:00:00Z"})";
  };
  ASSERT_TRUE(parse_manifest(with(file("ghm.db") + "," + file("raw-2026-02-09.db")), "m"));
  const std::pair<const char*, std::string> cases[] = {
      {"empty", ""},
      {"no JSON", "{"},
      {"something else", "[]"},
      {"no ghm.db", with(file("raw-2026-02-09.db"))},
      {"climbs out", with(file("ghm.db") + "," + file("../raw-2026-02-09.db"))},
      {"a path", with(file("ghm.db") + "," + file("/etc/raw-2026-02-09.db"))},
      {"no day", with(file("ghm.db") + "," + file("raw-2026-02-31.db"))},
      {"another file", with(file("ghm.db") + "," + file("admin.token"))},
      {"twice", with(file("ghm.db") + "," + file("ghm.db"))},
      {"short sum", with(R"({"name":"ghm.db","sha256":"aa","copied":"2026-02-09T00:00:00Z"})")},
      {"newer", R"({"ghm_backup":2})"},
  };
  for (const auto& [why, text] : cases) EXPECT_FALSE(parse_manifest(text, "m")) << why;
  const auto manifest = parse_manifest(with(file("ghm.db")), "m").value();
  EXPECT_EQ(parse_manifest(to_json(manifest), "m").value(), manifest);
}

TEST_F(Folder, MigrateSaysWhatItDoesAndRefusesANewerFolderAndABusyOne) {
  EXPECT_THAT(migrate_folder(folder_, false, Log::off()).error().what, HasSubstr("is no data folder"));
  ASSERT_TRUE(open());
  EXPECT_THAT(migrate_folder(folder_, false, Log::off()).error().what, HasSubstr("in use by process"));
  store_.reset();
  const auto current = migrate_folder(folder_, false, Log::off()).value();
  EXPECT_EQ(current.from, current.to);
  const auto set_version = [this](const std::string& more, int version) {
    auto db = Db::open(folder_ / "ghm.db", Db::Mode::create).value();
    ASSERT_TRUE(db->run(more + "pragma user_version = " + std::to_string(version)));
  };
  set_version("", 99);
  EXPECT_THAT(migrate_folder(folder_, true, Log::off()).error().what, HasSubstr("schema 99"));
  fs::remove_all(folder_);
  fs::create_directories(folder_);
  set_version(
      "create table records(kind text not null, key text not null, at integer not null, body text not null);"
      "create unique index records_by_key on records(kind, key); create index records_by_time on records(kind, at, key);",
      1);
  const auto planned = migrate_folder(folder_, true, Log::off()).value();
  EXPECT_EQ(planned.from, 1);
  EXPECT_FALSE(fs::exists(folder_ / "ghm.db.v1"));
  const auto done = migrate_folder(folder_, false, Log::off()).value();
  EXPECT_EQ(done.copy, folder_ / "ghm.db.v1");
  EXPECT_TRUE(fs::exists(done.copy));
  EXPECT_EQ(migrate_folder(folder_, true, Log::off())->from, done.to);
}

}  // namespace
}  // namespace ghm::sqlite
