#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "adapters/archive/byte_sink.h"
#include "adapters/archive/byte_stream.h"
#include "adapters/archive/folder.h"
#include "core/files.h"

namespace ghm::archive {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "ghm-archive-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(folder_); }
  void put(const std::string& name, std::string_view bytes) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  void pack(const std::string& name, std::string_view bytes) {
    auto sink = ByteSink::create(folder_ / name).value();
    ASSERT_TRUE(sink->write(bytes));
    ASSERT_TRUE(sink->finish());
  }
  Result<std::string> unpack(const std::string& name) {
    auto in = ByteStream::open(folder_ / name);
    if (!in) return in.error();
    std::string all(1000, '\0'), out;
    for (;;) {
      const auto n = (*in)->read(all);
      if (!n) return n.error();
      if (*n == 0) return out;
      out.append(all, 0, *n);
    }
  }
  fs::path folder_;
};

constexpr std::string_view kManifest = R"({"format":"fleet-archive","version":1,"start":0,"end":1,"interval_s":0})";

TEST_F(Files, PlainAndPackedTablesReadAlike) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ",x\n";
  for (const std::string name : {"a.csv", "a.csv.zst"}) {
    auto sink = ByteSink::create(folder_ / name).value();
    ASSERT_TRUE(sink->write(text));
    EXPECT_FALSE(fs::exists(folder_ / name)) << "not before it is whole";
    ASSERT_TRUE(sink->finish());
    EXPECT_EQ(unpack(name).value(), text);
    EXPECT_FALSE(fs::exists(folder_ / (name + ".part")));
  }
  EXPECT_LT(fs::file_size(folder_ / "a.csv.zst"), text.size() / 2);
}

TEST_F(Files, AnAbandonedDraftGoes) {
  ASSERT_TRUE(ByteSink::create(folder_ / "a.csv").value()->write("x"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Files, FramesFollowEachOther) {
  pack("a.csv.zst", "one\n");
  pack("b.csv.zst", "two\n");
  put("ab.csv.zst", read_file(folder_ / "a.csv.zst").value() + read_file(folder_ / "b.csv.zst").value());
  EXPECT_EQ(unpack("ab.csv.zst").value(), "one\ntwo\n");
}

TEST_F(Files, WhatIsCutOffOrNoZstdIsOneSentence) {
  pack("a.csv.zst", std::string(100'000, 'x') + "y");
  const auto bytes = read_file(folder_ / "a.csv.zst").value();
  put("cut.csv.zst", bytes.substr(0, bytes.size() - 3));
  EXPECT_THAT(unpack("cut.csv.zst").error().what, HasSubstr("cut.csv.zst: cannot be unpacked as zstd: it ends in the middle"));
  put("no.csv.zst", "time,gpu_uuid\n");
  EXPECT_THAT(unpack("no.csv.zst").error().what, HasSubstr("cannot be unpacked as zstd"));
}

// A frame header that asks for a window of 2 GiB: nine bytes that must not allocate it.
TEST_F(Files, AWindowThatIsTooLargeIsRefused) {
  put("bomb.csv.zst", std::string("\x28\xB5\x2F\xFD\x00\xA8", 6) + std::string("\x01\x00\x00", 3));
  EXPECT_THAT(unpack("bomb.csv.zst").error().what, HasSubstr("cannot be unpacked as zstd"));
}

TEST_F(Files, AFolderIsAnArchiveOrSaysWhatIsMissing) {
  EXPECT_THAT(Folder::open(folder_ / "none").error().what, HasSubstr("no such folder"));
  EXPECT_THAT(Folder::open(folder_).error().what, HasSubstr("manifest.json is missing"));
  put("manifest.json", kManifest);
  EXPECT_THAT(Folder::open(folder_).error().what, HasSubstr("assets.csv is missing"));
  put("assets.csv", "gpu_uuid,model,host\n");
  put("telemetry/b.csv", "");
  put("telemetry/a.csv", "");
  put("telemetry/notes.txt", "");
  pack("events.csv.zst", "time,kind\n");
  const auto f = Folder::open(folder_).value();
  EXPECT_EQ(f.name, folder_.filename().string());
  ASSERT_EQ(f.telemetry.size(), 2u);
  EXPECT_EQ(f.telemetry[0].name, "telemetry/a.csv");
  EXPECT_EQ(f.events->name, "events.csv.zst");
  EXPECT_FALSE(f.failures);
  EXPECT_EQ(Folder::open(folder_)->identity, f.identity);
  put("telemetry/a.csv", "time\n");
  EXPECT_NE(Folder::open(folder_)->identity, f.identity);
  put("events.csv", "time,kind\n");
  EXPECT_THAT(Folder::open(folder_).error().what, HasSubstr("are both there"));
}

}  // namespace
}  // namespace ghm::archive
