#include "services/snapshots.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "domain/views/snapshot_view.h"
#include "pipeline/snapshot_records.h"

namespace ghm::services {
namespace {

using ::testing::ElementsAre, ::testing::HasSubstr, ::testing::IsEmpty, ::testing::SizeIs;
using Json = nlohmann::ordered_json;

const Timestamp kFault = from_unix_ms(1'800'000'000'000);

struct Site : ::testing::Test {
  Site() {
    board.id = fleet::BoardId{11};
    board.serial = "1650001";
    board.uuid = "GPU-1";
    board.pci_bus_id = "00000000:65:00.0";
    board.host = "h1";
  }
  void put(store::Record r) { ASSERT_TRUE(store.put(std::array{std::move(r)})); }
  void part(const std::string& id, const char* kind, Timestamp at, transport::GpuName gpu, const fleet::Board* of, const std::string& body,
            const std::string& host = "h1") {
    put(pipeline::evidence_record({id, at, kind, std::move(gpu), body}, host, of, at, fmt::format("{}", ++n)));
  }
  /// A whole snapshot of the board.
  void snapshot(const std::string& id, Timestamp at) {
    part(id, "context", at, {}, nullptr, R"({"sources":{"kernel_log":{"lines":["line of )" + id + R"("]}}})");
    part(id, "sign", at, {"GPU-1", "", ""}, &board, R"({"sign":{"kind":"xid","code":79}})");
    part(id, "later", at, {"GPU-1", "", ""}, &board, R"({"sources":{"nvml":{"facts":{"of":")" + id + R"("}}}})");
    part(id, "later", at, {}, nullptr, R"({"sources":{"kernel_log":{"lines":["later of )" + id + R"("]}}})");
  }
  SnapshotsFound found() { return *board_snapshots(store, board, "h1", {kFault - 72h, kFault + 6h}, kFault); }
  store::Record incident(const Json& parts) {
    const Json body = {{"id", 1}, {"opened", to_unix_ms(kFault)}, {"last", to_unix_ms(kFault + 10s)}, {"parts", parts}};
    return {"incident", "0000000001", kFault, body.dump()};
  }

  memory::MemoryStore store;
  fleet::Board board;
  int n = 0;
};

TEST_F(Site, PartsComeTogetherAgain) {
  snapshot("boot-k7", kFault);
  snapshot("boot-k9", kFault + 1h);
  const auto all = found();
  ASSERT_THAT(all.documents, SizeIs(2));
  const auto& d = all.documents[0];
  EXPECT_EQ(d["id"], "boot-k7") << "the nearest to the fault first";
  EXPECT_EQ(d["gpu"]["serial"], "1650001");
  EXPECT_THAT(views::snapshot_lines(d), ElementsAre("line of boot-k7", "later of boot-k7"));
  EXPECT_EQ(d["later"]["sources"]["nvml"]["facts"]["of"], "boot-k7");
  EXPECT_THAT(views::snapshot_missing(d), IsEmpty());
}

TEST_F(Site, OthersAndOtherTimesAreNotTold) {
  fleet::Board other = board;
  other.id = fleet::BoardId{12};
  other.serial = "1650002";
  part("a", "sign", kFault, {"", "1650002", ""}, &other, "{}");
  part("b", "sign", kFault - 100h, {"", "1650001", ""}, &board, "{}");
  part("c", "sign", kFault, {"", "1650002", ""}, nullptr, "{}");
  part("d", "sign", kFault, {}, nullptr, "{}", "h1/else");
  EXPECT_THAT(found().documents, IsEmpty());
  part("e", "sign", kFault, {}, nullptr, R"({"sign":{"kind":"sxid"}})");
  part("f", "sign", kFault, {"", "", "0000:65:00"}, nullptr, "{}");
  EXPECT_THAT(found().documents, SizeIs(2)) << "of its host, and of its address before the ledger knew it";
}

TEST_F(Site, ABundleHoldsTheNearest) {
  for (int i = 0; i < 60; ++i) snapshot("s" + std::to_string(i), kFault - 60h + i * 1h);
  const auto all = found();
  EXPECT_THAT(all.documents, SizeIs(8));
  EXPECT_FALSE(all.all);
  EXPECT_EQ(all.documents[0]["id"], "s59");
}

TEST_F(Site, WhatIsNoDocumentIsKeptAsItIs) {
  part("x", "sign", kFault, {"GPU-1", "", ""}, &board, "no json \xff");
  const auto all = found();
  ASSERT_THAT(all.documents, SizeIs(1));
  EXPECT_THAT(all.documents[0].dump(), HasSubstr("no json"));
}

TEST_F(Site, AnIncidentNamesItsEvidence) {
  snapshot("boot-k7", kFault + 1s);
  part("host", "sign", kFault, {}, nullptr, "{}");
  part("late", "sign", kFault + 5h, {"GPU-1", "", ""}, &board, "{}");
  const auto told = *incident_snapshots(store, incident({{{"board", 11}, {"host", "h1"}}, {{"board", 12}, {"host", "h1"}}}));
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0], (Json{{"at", format_rfc3339(kFault)}, {"gpu", nullptr}, {"host", "h1"}, {"id", "host"}}));
  EXPECT_EQ(told[1], (Json{{"at", format_rfc3339(kFault + 1s)}, {"gpu", "1650001"}, {"host", "h1"}, {"id", "boot-k7"}}));
  EXPECT_THAT(*incident_snapshots(store, {"incident", "1", kFault, "no json"}), IsEmpty());
}

TEST_F(Site, WhyThereIsNone) {
  EXPECT_THAT(why_no_snapshot(*host_agents(store, "h1"), kFault, {}), HasSubstr("no agent has been heard"));
  put({"agent", "aa/h1", kFault, R"({"host":"h1","version":"0.1","since":")" + format_rfc3339(kFault + 1h) + R"("})"});
  EXPECT_THAT(why_no_snapshot(*host_agents(store, "h1"), kFault, {}), HasSubstr("the fault came before the agent"));
  put({"agent", "bb/h1", kFault, R"({"host":"h1","version":"0.1","since":")" + format_rfc3339(kFault - 1h) + R"("})"});
  EXPECT_THAT(why_no_snapshot(*host_agents(store, "h1"), kFault, {}), HasSubstr("(version 0.1) is too old"));
  put({"host_facts", "h1", kFault, R"({"host":"h1","facts":{"snapshots":"1"}})"});
  EXPECT_THAT(why_no_snapshot(*host_agents(store, "h1"), kFault, {}), HasSubstr("saw no sign"));
  EXPECT_THAT(why_no_snapshot(*host_agents(store, "h1"), kFault, {"2027: the spool was full"}), HasSubstr("the spool was full"));
  put({"agent", "cc/h1", kFault, R"({"host":"h1","version":"0.0"})"});
  EXPECT_FALSE(host_agents(store, "h1")->since) << "a record of an older server does not say";
}

}  // namespace
}  // namespace ghm::services
