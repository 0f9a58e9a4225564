#include "pipeline/archived_fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "adapters/archive/rows.h"

namespace ghm::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::array<std::string_view, 5> kKinds{"xid", "gpu_reset", "gpu_missing", "drain", "undrain"};

double seconds(const std::optional<Timestamp>& t, double otherwise) {
  return t ? to_unix_seconds(*t) : otherwise;
}

int number_of(std::string_view code) {
  int n = 0;
  std::from_chars(code.data(), code.data() + code.size(), n);
  return n;
}

class Reader {
 public:
  Reader(const archive::Folder& folder, ArchivedFleet& fleet) : folder_(folder), fleet_(fleet) {}

  Result<void> read() {
    if (auto done = each_row<fleet::Asset>(folder_.assets, [&](const auto& row, const auto&) { take(row); }); !done) return done;
    for (auto& b : fleet_.boards) b.from = std::max(b.from, to_unix_seconds(folder_.manifest.start));
    if (folder_.events)
      if (auto done = each_row<archive::EventRow>(*folder_.events, [&](const auto& row, const auto& at) { take(row, at); }); !done)
        return done;
    if (!folder_.failures) return {};
    auto done = each_row<archive::FailureRow>(*folder_.failures, [&](const auto& row, const auto& at) { take(row, at); });
    for (auto& b : fleet_.boards) std::ranges::sort(b.failures, {}, &ArchivedBoard::Failure::detected);
    return done;
  }

 private:
  template <class Row, class Take>
  Result<void> each_row(const archive::TableFile& file, Take take) {
    auto in = archive::ByteStream::open(file.path);
    if (!in) return in.error();
    auto table = archive::RowReader<Row>::open(file.name, std::move(*in), fleet_.warnings);
    if (!table) return table.error();
    for (;;) {
      auto row = table->next(fleet_.refusals);
      if (!row) return row.error();
      if (!*row) return {};
      take(**row, *table);
    }
  }

  void take(const fleet::Asset& a) {
    const auto [it, fresh] = fleet_.by_uuid.try_emplace(a.uuid, fleet_.boards.size());
    if (fresh) fleet_.boards.push_back({a.uuid, a.model, 0, ArchivedBoard::kNever, 0, {}, {}});
    auto& b = fleet_.boards[it->second];
    const auto [host, is_new] = hosts_.try_emplace(a.host, fleet_.hosts.size());
    if (is_new) fleet_.hosts.push_back(a.host);
    b.host = host->second;
    b.from = std::min(b.from, seconds(a.deployed_at, 0));
    b.until = std::max(b.until, seconds(a.retired_at, ArchivedBoard::kNever));
  }

  template <class Table>
  ArchivedBoard* board_of(const std::string& uuid, const Table& at) {
    const auto it = fleet_.by_uuid.find(uuid);
    if (it != fleet_.by_uuid.end()) return &fleet_.boards[it->second];
    fleet_.refusals.add("unknown_identity", at.file(), at.line(), fmt::format("gpu_uuid '{}' is not in assets.csv", uuid.substr(0, 60)));
    return nullptr;
  }

  void take(const archive::EventRow& row, const archive::RowReader<archive::EventRow>& at) {
    if (std::ranges::find(kKinds, row.kind) == kKinds.end()) return;
    const health::Event event{to_unix_seconds(row.at), row.kind, number_of(row.code)};
    if (!row.gpu_uuid.empty()) {
      if (auto* b = board_of(row.gpu_uuid, at)) b->events.push_back(event);
      return;
    }
    const auto host = hosts_.find(row.host);
    if (host == hosts_.end() || !row.kind.ends_with("drain")) return;
    for (auto& b : fleet_.boards)
      if (b.host == host->second) b.events.push_back(event);
  }

  void take(const archive::FailureRow& row, const archive::RowReader<archive::FailureRow>& at) {
    auto* b = board_of(row.gpu_uuid, at);
    if (b != nullptr) b->failures.push_back({to_unix_seconds(row.detected_at), seconds(row.resolved_at, ArchivedBoard::kNever)});
  }

  const archive::Folder& folder_;
  ArchivedFleet& fleet_;
  std::map<std::string, std::size_t, std::less<>> hosts_;
};

Error no_truth(const fs::path& folder) {
  return {Errc::not_found,
          fmt::format("{}: no failures.csv: expected the folder that `ghm simulate archive --truth` wrote", folder.string())};
}

}  // namespace

bool ArchivedBoard::in_service(double t) const {
  if (t <= from || t > until) return false;
  return std::ranges::none_of(failures, [&](const Failure& f) { return f.detected <= t && t < f.resolved; });
}

Result<ArchivedFleet> ArchivedFleet::read(const archive::Folder& folder) {
  ArchivedFleet fleet;
  if (auto done = Reader(folder, fleet).read(); !done) return done.error();
  return fleet;
}

Result<Signs> read_signs(const fs::path& truth) {
  const auto path = truth / "failures.csv";
  std::error_code failed;
  if (!fs::exists(path, failed)) return no_truth(truth);
  auto in = archive::ByteStream::open(path);
  if (!in) return in.error();
  auto table = archive::Table::open(path.string(), std::move(*in));
  if (!table) return table.error();
  constexpr archive::WantedColumn kWanted[] = {{"detected_at", true}, {"gpu_uuid", true}, {"sign_from", true}};
  std::vector<std::string> warnings;
  const auto places = archive::find_columns(path.string(), table->header(), kWanted, warnings, [](std::size_t, const std::string&) {});
  if (!places) return places.error();
  Signs signs;
  archive::Refusals refusals;
  for (;;) {
    const auto more = table->next(refusals);
    if (!more) return more.error();
    if (!*more) return signs;
    const auto cell = [&](int n) { return table->cell(static_cast<std::size_t>((*places)[static_cast<std::size_t>(n)])); };
    if (cell(2).empty()) continue;
    const auto until = archive::read_time(cell(0)), from = archive::read_time(cell(2));
    if (!from || !until) return Error{Errc::invalid_input, fmt::format("{}:{}: a time that is none", path.string(), table->line())};
    signs[std::string(cell(1))].push_back({to_unix_seconds(*from), to_unix_seconds(*until)});
  }
}

}  // namespace ghm::pipeline
