#include "adapters/nvml/board_book.h"

#include <gtest/gtest.h>

#include "adapters/nvml/frames.h"

namespace ghm::nvml {
namespace {

using namespace std::chrono_literals;
using telemetry::Entity;
using telemetry::MetricId;

constexpr Timestamp kNow{1'700'000'000'000ms};

BoardReport board(unsigned index, const std::string& uuid, abi::Code status = abi::kSuccess) {
  BoardReport b;
  b.index = index, b.uuid = uuid, b.status = status;
  b.serial = "16" + uuid, b.pci_bus_id = "00000000:1" + std::to_string(index) + ":00.0", b.model = "NVIDIA H100 80GB HBM3";
  if (status == abi::kSuccess) b.values = {{MetricId{150}, {}, 40.0 + index}, {MetricId{1508}, {Entity::Kind::nvlink, 3}, 1}};
  return b;
}

ReadRound round_of(std::vector<BoardReport> boards, std::string driver = "570.86.15") {
  ReadRound r;
  r.host.driver = std::move(driver);
  r.host.gpus = static_cast<unsigned>(boards.size());
  r.boards = std::move(boards);
  r.has_host = r.complete = true;
  return r;
}

std::vector<std::string> kinds(const transport::SourceRound& r) {
  std::vector<std::string> all;
  for (const auto& e : r.events) all.push_back(e.kind);
  return all;
}
using Kinds = std::vector<std::string>;

TEST(BoardBook, ReadingsHaveColumnsAndTheLayoutStays) {
  BoardBook book;
  const auto first = book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  ASSERT_TRUE(first.readings);
  const auto& layout = *first.readings->layout;
  ASSERT_EQ(layout.gpus.size(), 2u);
  EXPECT_EQ(layout.gpus[1].uuid, "B");
  EXPECT_EQ(layout.gpus[1].serial, "16B");
  EXPECT_EQ(layout.gpus[1].driver_version, "570.86.15");
  ASSERT_EQ(layout.table->series.size(), 4u);
  EXPECT_EQ(layout.table->series[0], (telemetry::PageSeries{0, {}, MetricId{150}, false}));
  EXPECT_EQ(layout.table->series[3], (telemetry::PageSeries{1, {Entity::Kind::nvlink, 3}, MetricId{1508}, false}));
  EXPECT_EQ(first.readings->values, (std::vector<double>{40, 1, 41, 1}));
  const auto second = book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  EXPECT_EQ(second.readings->layout, first.readings->layout);
  auto poorer = round_of({board(0, "A"), board(1, "B")});
  poorer.boards[0].values.clear();
  const auto third = book.take(poorer, kNow);
  EXPECT_EQ(third.readings->layout, first.readings->layout);
  EXPECT_TRUE(telemetry::is_absent(third.readings->values[0]));
  EXPECT_EQ(third.readings->values[2], 41);
}

TEST(BoardBook, ALostBoardIsToldOnceAndComesBack) {
  BoardBook book;
  book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  const auto lost = book.take(round_of({board(0, "A"), board(1, "B", abi::kGpuIsLost)}), kNow);
  EXPECT_EQ(kinds(lost), Kinds{"gpu_lost"});
  EXPECT_EQ(lost.events[0].gpu, (transport::GpuName{"B", "16B", "00000000:11:00.0"}));
  EXPECT_EQ(lost.readings->layout->gpus.size(), 1u);
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A"), board(1, "B", abi::kGpuIsLost)}), kNow)), Kinds{});
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A"), board(1, "B")}), kNow)), Kinds{"gpu_back"});
}

TEST(BoardBook, ALostBoardThatCannotSayItsNameIsTheOneAtItsIndex) {
  BoardBook book;
  book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  BoardReport nameless;
  nameless.index = 1, nameless.status = abi::kGpuIsLost;
  const auto lost = book.take(round_of({board(0, "A"), nameless}), kNow);
  EXPECT_EQ(kinds(lost), Kinds{"gpu_lost"});
  EXPECT_EQ(lost.events[0].gpu.uuid, "B");
  BoardBook fresh;
  const auto unnamed = fresh.take(round_of({nameless}), kNow);
  ASSERT_EQ(kinds(unnamed), Kinds{"gpu_lost"});
  EXPECT_TRUE(unnamed.events[0].gpu.is_host());
  EXPECT_EQ(unnamed.events[0].fields.at("index"), "1");
  EXPECT_EQ(kinds(fresh.take(round_of({nameless}), kNow)), Kinds{});
}

TEST(BoardBook, ABoardThatCannotBeOpenedIsToldWithItsCode) {
  BoardBook book;
  book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  BoardReport closed;
  closed.index = 1, closed.status = abi::kIrqIssue;
  const auto out = book.take(round_of({board(0, "A"), closed}), kNow);
  ASSERT_EQ(kinds(out), Kinds{"gpu_error"});
  EXPECT_EQ(out.events[0].text, "NVML cannot open the GPU: IRQ_ISSUE");
  EXPECT_EQ(out.events[0].gpu.uuid, "B");
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A"), board(1, "B")}), kNow)), Kinds{"gpu_back"});
}

TEST(BoardBook, UnpluggedAndPluggedWhileIndexesMove) {
  BoardBook book;
  book.take(round_of({board(0, "A"), board(1, "B"), board(2, "C")}), kNow);
  const auto gone = book.take(round_of({board(0, "A"), board(1, "C")}), kNow);
  EXPECT_EQ(kinds(gone), Kinds{"gpu_gone"});
  EXPECT_EQ(gone.events[0].gpu.uuid, "B");
  EXPECT_EQ(book.name_at(1).uuid, "C");
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A"), board(1, "C"), board(2, "D")}), kNow)), Kinds{"gpu_new"});
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A"), board(1, "C"), board(2, "D"), board(3, "B")}), kNow)), Kinds{"gpu_back"});
}

TEST(BoardBook, ABrokenRoundJudgesNobodyItDidNotReach) {
  BoardBook book;
  book.take(round_of({board(0, "A"), board(1, "B")}), kNow);
  auto broken = round_of({board(0, "A")});
  broken.host.gpus = 2, broken.complete = false;
  const auto out = book.take(broken, kNow);
  EXPECT_EQ(kinds(out), Kinds{});
  EXPECT_EQ(out.readings->layout->gpus.size(), 1u);
  EXPECT_FALSE(book.take(ReadRound{}, kNow).readings);
  auto skipped = round_of({board(0, "A"), board(1, "B", kSkipped)});
  EXPECT_EQ(kinds(book.take(skipped, kNow)), Kinds{});
}

TEST(BoardBook, NoGpusIsNoTroubleAndNoReadings) {
  BoardBook book;
  const auto out = book.take(round_of({}), kNow);
  EXPECT_FALSE(out.readings);
  EXPECT_EQ(out.trouble, "");
  EXPECT_TRUE(out.events.empty());
}

TEST(BoardBook, ADriverThatGoesAndComesBackAsAnother) {
  BoardBook book;
  book.take(round_of({board(0, "A")}), kNow);
  ReadRound down;
  down.has_host = down.complete = true;
  down.host.status = abi::kDriverNotLoaded, down.host.trouble = "nvmlInit_v2: DRIVER_NOT_LOADED";
  const auto gone = book.take(down, kNow);
  EXPECT_EQ(kinds(gone), Kinds{"nvml_unavailable"});
  EXPECT_EQ(gone.events[0].code, abi::kDriverNotLoaded);
  EXPECT_EQ(gone.trouble, "nvmlInit_v2: DRIVER_NOT_LOADED");
  EXPECT_EQ(kinds(book.take(down, kNow)), Kinds{});
  EXPECT_EQ(kinds(book.take(round_of({board(0, "A")}, "580.1"), kNow)), (Kinds{"nvml_back", "driver_changed"}));
}

TEST(BoardBook, AHostThatNeverHadADriverIsTroubleAndNoEvent) {
  BoardBook book;
  ReadRound none;
  none.has_host = none.complete = true;
  none.host.status = abi::kLibraryNotFound, none.host.trouble = "libnvidia-ml.so.1: not there";
  const auto out = book.take(none, kNow);
  EXPECT_TRUE(out.events.empty());
  EXPECT_EQ(out.trouble, "libnvidia-ml.so.1: not there");
}

TEST(BoardBook, TwoGpusWithOneSerialAreToldOnce) {
  BoardBook book;
  auto twins = round_of({board(0, "A"), board(1, "B"), board(2, "C")});
  twins.boards[0].serial = twins.boards[1].serial = "1655122001234";
  twins.boards[2].serial = "0";
  const auto out = book.take(twins, kNow);
  ASSERT_EQ(kinds(out), Kinds{"duplicate_serial"});
  EXPECT_EQ(out.events[0].text, "2 GPUs say that their serial number is 1655122001234: A, B");
  EXPECT_EQ(kinds(book.take(twins, kNow)), Kinds{});
  EXPECT_EQ(out.gpus[2].serial, "");
}

TEST(BoardBook, ResetRequiredIsAStateAndTheReadingsStay) {
  BoardBook book;
  book.take(round_of({board(0, "A")}), kNow);
  auto sick = round_of({board(0, "A")});
  sick.boards[0].status = abi::kResetRequired;
  const auto out = book.take(sick, kNow);
  EXPECT_EQ(kinds(out), Kinds{"gpu_reset_required"});
  EXPECT_TRUE(out.readings);
}

TEST(BoardBook, ProcessesCarryTheirGpusName) {
  BoardBook book;
  auto round = round_of({board(0, "A"), board(1, "B")});
  round.boards[1].processes = {{4711}, {4712}};
  book.take(round, kNow);
  ASSERT_EQ(book.processes().size(), 2u);
  EXPECT_EQ(book.processes()[0], (RunningProcess{{"B", "16B", "00000000:11:00.0"}, 4711}));
  auto broken = round_of({board(0, "A")});
  broken.complete = false;
  book.take(broken, kNow);
  EXPECT_EQ(book.processes().size(), 2u);
}

TEST(Frames, ComeOutAsTheyWentIn) {
  Frame frame{7, board(3, "A\xff")};
  std::get<BoardReport>(frame.what).processes = {{1}, {2}};
  const auto again = decode_frame(encode(frame));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->round, 7u);
  const auto& b = std::get<BoardReport>(again->what);
  EXPECT_EQ(b.uuid, "A\xff");
  EXPECT_EQ(b.values, std::get<BoardReport>(frame.what).values);
  EXPECT_EQ(b.processes.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<RoundEnd>(decode_frame(encode(Frame{8, RoundEnd{}}))->what));
  const auto host = decode_frame(encode(Frame{9, HostReport{abi::kDriverNotLoaded, "no", "1", "2", 4}}));
  EXPECT_EQ(std::get<HostReport>(host->what).gpus, 4u);
  const auto ask = decode_ask(encode(Ask{5, {"A"}, {"B", "C"}}));
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->skip, (std::vector<std::string>{"B", "C"}));
}

TEST(Frames, DamageIsRefused) {
  const auto whole = encode(Frame{7, board(3, "A")});
  for (std::size_t cut = 1; cut < whole.size(); ++cut) (void)decode_frame(std::string_view(whole).substr(0, cut));
  for (const char* bad : {"\xff\xff\xff", "\x08", "garbage"}) EXPECT_FALSE(decode_frame(bad));
  EXPECT_FALSE(decode_frame(""));
}

}  // namespace
}  // namespace ghm::nvml
