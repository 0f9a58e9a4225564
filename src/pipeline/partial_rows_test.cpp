#include "pipeline/partial_rows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "domain/telemetry/page.h"

namespace ghm::pipeline {
namespace {

const double kHole = telemetry::absent();
const Timestamp kNow = from_unix_ms(1'700'000'000'000);

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return x == y || (telemetry::is_absent(x) && telemetry::is_absent(y)); });
}

TEST(PartialRows, HolesAreFilledAndTheFirstValueStands) {
  const auto columns = std::make_shared<const std::vector<store::SeriesKey>>(3),
             others = std::make_shared<const std::vector<store::SeriesKey>>(3);
  std::vector<store::RowBatch> rows{{"a", columns, kNow, {1, kHole, kHole}},      {"b", columns, kNow, {7, 7, 7}},
                                    {"a", columns, kNow, {9, 2, kHole}},          {"a", others, kNow, {4, 4, 4}},
                                    {"a", columns, kNow + 1s, {5, kHole, kHole}}, {"a", columns, kNow, {kHole, 9, 3}}};
  join_partial_rows(rows);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(same(rows[0].values, {1, 2, 3}));
  EXPECT_EQ(rows[1].source, "b");
  EXPECT_EQ(rows[2].columns, others);
  EXPECT_EQ(rows[3].at, kNow + 1s);
  EXPECT_TRUE(same(rows[3].values, {5, kHole, kHole}));
}

}  // namespace
}  // namespace ghm::pipeline
