// Whatever a name is made of, it is a name: kept to the byte, found by itself alone, over a restart.
#include "core/hostile_strings_for_test.h"

#include "adapters/sqlite/folder_for_test.h"

namespace ghm::sqlite {
namespace {

std::vector<std::string> keys_of(const std::vector<store::Record>& records) {
  std::vector<std::string> keys;
  for (const auto& r : records) keys.push_back(r.key);
  return keys;
}

TEST_F(Folder, RecordsKeepAnyStringToTheByte) {
  const auto names = hostile_strings();
  ASSERT_TRUE(open());
  std::vector<store::Record> records;
  for (const auto& name : names) records.push_back({"note", name, kNoon, name});
  for (const auto& name : names) records.push_back({name, "k", kNoon, name});  // as a kind
  ASSERT_TRUE(store_->put(records));
  ASSERT_TRUE(open());
  for (const auto& r : records) EXPECT_EQ(store_->get(r.kind, r.key).value(), r) << r.key.substr(0, 80);
  EXPECT_EQ(store_->scan("note", "", "", 1000).value().size(), names.size());
  for (const auto& prefix : names) {
    auto want = std::vector<std::string>();
    std::ranges::copy_if(names, std::back_inserter(want), [&](const auto& n) { return n.starts_with(prefix); });
    std::ranges::sort(want);
    EXPECT_EQ(keys_of(store_->scan("note", prefix, "", 1000).value()), want) << prefix.substr(0, 80);
  }
  for (const auto& name : names) EXPECT_TRUE(store_->erase("note", name).value()) << name.substr(0, 80);
  EXPECT_TRUE(store_->scan("note", "", "", 1000).value().empty());
  EXPECT_EQ(store_->get("'", "k").value()->body, "'") << "erasing took more than it was asked for";
}

TEST_F(Folder, AScanEndsWithItsPrefix) {
  ASSERT_TRUE(open());
  const std::string last = "\xff\xff";  // no string is greater than all that start with it
  for (const auto& key : {std::string("a"), std::string("a\xff"), std::string("b"), last, last + "x"})
    ASSERT_TRUE(store_->put(std::vector<store::Record>{{"note", key, kNoon, ""}}));
  EXPECT_EQ(keys_of(store_->scan("note", "a", "", 10).value()), (std::vector<std::string>{"a", "a\xff"}));
  EXPECT_EQ(keys_of(store_->scan("note", "a", "a", 10).value()), (std::vector<std::string>{"a\xff"}));
  EXPECT_EQ(keys_of(store_->scan("note", last, "", 10).value()), (std::vector<std::string>{last, last + "x"}));
  EXPECT_EQ(keys_of(store_->scan("note", last, last, 10).value()), (std::vector<std::string>{last + "x"}));
}

TEST_F(Folder, SourcesMayBeNamedAnything) {
  const auto names = hostile_strings();
  const auto append_all = [&](Timestamp at) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const RowBatch row{
          names[i],
          std::make_shared<const std::vector<SeriesKey>>(std::vector<SeriesKey>{{BoardId(i + 1), {}, telemetry::MetricId{150}}}),
          at,
          {static_cast<double>(i)}};
      ASSERT_TRUE(store_->append(std::span(&row, 1))) << names[i].substr(0, 80);
    }
  };
  ASSERT_TRUE(open());
  append_all(kNoon);
  ASSERT_TRUE(open());
  append_all(kNoon);  // the same rows of the same sources: nothing twice
  append_all(kNoon + 10s);
  settle(kNoon + 3h);
  ASSERT_TRUE(open());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto value = static_cast<double>(i);
    EXPECT_EQ(store_->read({BoardId(i + 1), {}, telemetry::MetricId{150}}, {kNoon, kNoon + 1h}).value(),
              (std::vector<Point>{{kNoon, value}, {kNoon + 10s, value}}))
        << names[i].substr(0, 80);
  }
  auto db = Db::open(folder_ / "ghm.db", Db::Mode::read_only).value();
  EXPECT_EQ(db->integer("select count(*) from sources").value(), static_cast<std::int64_t>(names.size()));
}

}  // namespace
}  // namespace ghm::sqlite
