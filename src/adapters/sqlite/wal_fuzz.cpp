// A store whose log (ghm.db-wal) is not what it was: it opens with a first part of what was acknowledged, bit for bit, or
// says that it is damaged. The input: 'E' and edits of 5 bytes each (a place, a byte); 'C' and a length, then edits; 'R' and
// a whole other log.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "adapters/sqlite/sqlite_store.h"
#include "core/files.h"

namespace {

namespace fs = std::filesystem;
using namespace ghm;
using namespace ghm::sqlite;

constexpr int kRows = 24, kFolded = 8;  // the first rows stand in ghm.db itself
constexpr Timestamp kStart = Timestamp(std::chrono::milliseconds(1'770'638'400'000));

const store::Columns& columns() {
  static const auto keys =
      std::make_shared<const std::vector<SeriesKey>>(std::vector<SeriesKey>{{BoardId{7}, {}, telemetry::MetricId{150}}});
  return keys;
}

void must(bool holds) {
  if (!holds) std::abort();
}

/// The folder as kill -9 leaves it.
struct Image {
  fs::path folder;
  std::string main, log;

  Image() {
    const auto in = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();  // syncing is not what is tried here
    std::string name = (in / "ghm-wal-fuzz-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    append(0, kFolded);
    auto store = append(kFolded, kRows);  // the close in between has folded the log into the file
    main = read_file(folder / "ghm.db").value();
    log = read_file(folder / "ghm.db-wal").value();
  }
  ~Image() { fs::remove_all(folder); }

  std::unique_ptr<SqliteStore> append(int from, int to) const {
    auto store = SqliteStore::open(folder, {}, Log::off());
    must(store.has_value());
    for (int i = from; i < to; ++i) {
      const RowBatch row{"h:1", columns(), kStart + i * 10s, {i + 0.5}};
      must((*store)->append(std::span(&row, 1)).has_value());
    }
    return std::move(*store);
  }
};

std::uint32_t number(const std::uint8_t* bytes) {
  std::uint32_t n = 0;
  std::memcpy(&n, bytes, sizeof n);
  return n;
}

std::string edited(std::string log, const std::uint8_t* data, std::size_t size) {
  const char mode = static_cast<char>(*data++);
  --size;
  if (mode == 'R') return {reinterpret_cast<const char*>(data), size};
  if (mode == 'C' && size >= 4) {
    log.resize(number(data) % (log.size() + 1));
    data += 4;
    size -= 4;
  }
  for (; size >= 5 && !log.empty(); data += 5, size -= 5) log[number(data) % log.size()] = static_cast<char>(data[4]);
  return log;
}

void write(const fs::path& path, const std::string& bytes) {
  must((std::ofstream(path, std::ios::binary) << bytes).good());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Image image;
  if (size == 0) return 0;
  fs::remove(image.folder / "ghm.db-shm");
  write(image.folder / "ghm.db", image.main);
  write(image.folder / "ghm.db-wal", edited(image.log, data, size));
  auto store = SqliteStore::open(image.folder, {}, Log::off());
  if (!store) {
    must(store.error().code == Errc::corrupt);
    return 0;
  }
  const auto found = (*store)->read((*columns())[0], {Timestamp{}, kStart + std::chrono::hours(1)});
  if (!found) {
    must(found.error().code == Errc::corrupt);
    return 0;
  }
  must(found->size() >= kFolded && found->size() <= kRows);
  for (std::size_t i = 0; i < found->size(); ++i)
    must((*found)[i] == Point{kStart + static_cast<int>(i) * 10s, static_cast<double>(i) + 0.5});
  return 0;
}
