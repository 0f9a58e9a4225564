// The small tables are written anew each time, a finished day never again. What the export was asked for and which days are
// finished stands in .export.json.
#include "pipeline/archive_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "adapters/archive/byte_sink.h"
#include "adapters/archive/manifest.h"
#include "adapters/archive/rows.h"
#include "core/files.h"
#include "domain/telemetry/metric_catalogue.h"
#include "pipeline/archive_day.h"
#include "pipeline/archive_records.h"
#include "pipeline/ledger_records.h"

namespace ghm::pipeline {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using archive::ByteSink;

constexpr auto kDay = std::chrono::hours(24);
constexpr std::size_t kPage = 1000;

/// One export on its way.
class Export {
 public:
  Export(const ExportOptions& options, const fleet::Ledger& ledger, const ExportPorts& ports)
      : o_(options), ledger_(ledger), ports_(ports) {}

  Result<ExportReport> run() try {
    for (const auto step : {&Export::claim_folder, &Export::write_assets, &Export::write_events, &Export::write_failures,
                            &Export::write_telemetry, &Export::write_manifest}) {
      if (auto done = (this->*step)(); !done) return done.error();
      if (report_.was_there) break;
    }
    return std::move(report_);
  } catch (const fs::filesystem_error& e) {
    return Error{Errc::unavailable, fmt::format("{}: {}", o_.folder.string(), e.code().message())};
  }

 private:
  fs::path manifest_path() const { return o_.folder / "manifest.json"; }

  /// What tells two exports apart.
  std::string wish() const {
    const auto text = [](const std::optional<Timestamp>& t) { return t ? format_rfc3339(*t) : std::string(); };
    return Json{{"from", text(o_.from)}, {"to", text(o_.to)}, {"zstd", o_.zstd}}.dump();
  }

  Result<void> claim_folder() {
    if (!fs::exists(mark_path())) {
      if (fs::exists(o_.folder) && !fs::is_empty(o_.folder))
        return Error{Errc::conflict, fmt::format("{}: is not empty and no export of ours: choose a new folder", o_.folder.string())};
      fs::create_directories(o_.folder / "telemetry");
      mark_ = {{"wish", wish()}, {"days", Json::object()}};
      return write_mark();
    }
    const auto there = read_file(mark_path());
    if (!there) return there.error();
    mark_ = Json::parse(*there, nullptr, false);
    if (!mark_.is_object() || mark_.value("wish", "") != wish() || !mark_.contains("days"))
      return Error{Errc::conflict, fmt::format("{}: holds an export with other options: choose a new folder", o_.folder.string())};
    report_.was_there = fs::exists(manifest_path());
    return {};
  }

  fs::path mark_path() const { return o_.folder / ".export.json"; }
  Result<void> write_mark() const { return write_file_atomically(mark_path(), mark_.dump()); }

  bool wanted(Timestamp t) const { return (!o_.from || *o_.from <= t) && (!o_.to || t < *o_.to); }

  void note(const std::optional<Timestamp>& t) {
    if (!t) return;
    start_ = std::min(start_.value_or(*t), *t);
    end_ = std::max(end_.value_or(*t), *t);
  }

  Result<std::unique_ptr<ByteSink>> create(const std::string& name) const {
    return ByteSink::create(o_.folder / (name + (o_.zstd ? ".zst" : "")));
  }

  Result<void> put_table(const std::string& name, const std::string& text) const {
    auto sink = create(name);
    if (!sink) return sink.error();
    if (auto done = (*sink)->write(text); !done) return done;
    return (*sink)->finish();
  }

  Result<void> write_assets() {
    std::vector<fleet::Asset> stays;
    std::set<std::string> attributes;
    std::size_t simulated = 0;
    for (const auto& [id, board] : ledger_.boards()) {
      simulated += board.simulated;
      auto of_board = stays_of(board);
      if (!of_board) return of_board.error();
      for (auto& stay : *of_board) {
        for (const auto& [name, value] : stay.attributes) attributes.insert(name);
        note(stay.deployed_at);
        note(stay.retired_at);
        stays.push_back(std::move(stay));
      }
      ++report_.boards;
    }
    simulated_ = simulated > 0;
    if (simulated_ && simulated < report_.boards)
      report_.warnings.push_back(fmt::format("{} of {} boards are simulated: the whole archive is marked so", simulated, report_.boards));
    report_.stays = stays.size();
    const std::vector<std::string> names(attributes.begin(), attributes.end());
    auto text = archive::asset_header(names);
    for (const auto& stay : stays) archive::put_asset(text, stay, names);
    return put_table("assets.csv", text);
  }

  /// As inventories told; a board that none knows, or that stands elsewhere since, as its pages did.
  Result<std::vector<fleet::Asset>> stays_of(const fleet::Board& b) {
    auto stays = board_assets(ports_.records, b.id);
    if (!stays) return stays;
    if (b.asset != nullptr && std::ranges::find(*stays, *b.asset) == stays->end()) stays->push_back(*b.asset);
    auto slots = board_intervals(ports_.records, b.id, "slot");
    if (!slots) return slots.error();
    for (const auto& slot : *slots)
      if (!is_told(slot, *stays)) stays->push_back(stay_in(slot, b));
    if (stays->empty())
      stays->push_back(stay_in({b.id, "slot", {}, {{"host", b.host}, {"pci_bus_id", b.pci_bus_id}}, b.first_seen, {}}, b));
    for (auto& stay : *stays)
      if (stay.uuid.empty()) stay.uuid = archive_uuid(b);
    // Its readings go under the name that it has now, which must not be missing.
    const auto named = [&](const fleet::Asset& a) { return a.uuid == archive_uuid(b); };
    if (std::ranges::none_of(*stays, named)) {
      stays->push_back(stays->back());
      stays->back().uuid = archive_uuid(b);
    }
    return stays;
  }

  static std::string fact(const fleet::Interval& slot, const char* name) {
    const auto it = slot.facts.find(name);
    return it == slot.facts.end() ? std::string() : it->second;
  }

  static bool is_told(const fleet::Interval& slot, const std::vector<fleet::Asset>& stays) {
    return std::ranges::any_of(stays, [&](const fleet::Asset& a) {
      const bool overlaps = (!a.retired_at || slot.from <= *a.retired_at) && (!slot.to || a.deployed_at.value_or(slot.from) <= *slot.to);
      return overlaps && a.host == fact(slot, "host");
    });
  }

  static fleet::Asset stay_in(const fleet::Interval& slot, const fleet::Board& b) {
    fleet::Asset a;
    a.serial = b.serial;
    a.uuid = archive_uuid(b);
    a.model = b.model;
    a.host = fact(slot, "host");
    a.slot = fact(slot, "slot");
    a.pci_bus_id = fact(slot, "pci_bus_id");
    a.place = {fact(slot, "region"), fact(slot, "datacenter"), fact(slot, "rack")};
    if (a.place == fleet::Place{} && a.host == b.host) a.place = b.place;
    a.deployed_at = slot.from;
    a.retired_at = slot.to;
    return a;
  }

  template <class Take>
  Result<void> each_record(const char* kind, Take take) {
    for (std::string after;;) {
      auto page = ports_.records.scan(kind, "", after, kPage);
      if (!page) return page.error();
      for (const auto& r : *page)
        if (wanted(r.at))
          if (auto done = take(r); !done) return done;
      if (page->size() < kPage) return {};
      after = page->back().key;
    }
  }

  Result<void> write_events() {
    auto text = archive::event_header();
    auto done = each_record("event", [&](const store::Record& r) -> Result<void> {
      auto row = parse_event(r, ledger_);
      if (!row) return row.error();
      note(row->at);
      archive::put_event(text, *row);
      ++report_.events;
      return {};
    });
    return done ? put_table("events.csv", text) : done;
  }

  Result<void> write_failures() {
    auto text = archive::failure_header();
    auto done = each_record("failure", [&](const store::Record& r) -> Result<void> {
      const auto row = parse_failure(r);
      if (!row) return row.error();
      note(row->detected_at);
      archive::put_failure(text, *row);
      ++report_.failures;
      return {};
    });
    return done ? put_table("failures.csv", text) : done;
  }

  /// Boards that have readings, with all their series.
  std::vector<ArchiveDay::Board> boards_with_series() const {
    std::vector<ArchiveDay::Board> found;
    for (const auto& [id, board] : ledger_.boards()) {
      ArchiveDay::Board one{archive_uuid(board), {}};
      for (const auto& latest : ports_.telemetry.latest(id))
        if (is_exported(latest.series)) one.series.push_back(latest.series);
      if (!one.series.empty()) found.push_back(std::move(one));
    }
    return found;
  }

  static bool is_exported(const store::SeriesKey& s) {
    const auto* spec = telemetry::MetricCatalogue::built_in().find(s.metric);
    return spec != nullptr && spec->entity != telemetry::Entity::Kind::node;
  }

  Result<void> write_telemetry() {
    ArchiveDay day(ports_.telemetry, boards_with_series());
    if (!day.has_series()) return {};
    for (std::size_t i = 0; i < ports_.days.size(); ++i) {
      const TimeRange range{std::max(ports_.days[i], o_.from.value_or(Timestamp{})),
                            std::min(ports_.days[i] + kDay, o_.to.value_or(Timestamp::max()))};
      if (range.from < range.to)
        if (auto done = write_day(ports_.days[i], range, day, i); !done) return done;
    }
    report_.rows = day.rows();
    report_.cells = day.cells();
    return note_days();
  }

  Result<void> write_day(Timestamp start, TimeRange range, ArchiveDay& day, std::size_t number) {
    const auto name = format_rfc3339(start).substr(0, 10) + ".csv";
    if (mark_["days"].contains(name)) {
      ++report_.days_there;
      return {};
    }
    auto sink = create("telemetry/" + name);
    if (!sink) return sink.error();
    if (auto done = (*sink)->write(day.header()); !done) return done;
    day.begin();
    for (auto from = range.from; from < range.to; from += 1h) {
      if (auto done = day.write({from, std::min(from + 1h, range.to)}, **sink); !done) return done;
      ports_.progress(number * 24 + static_cast<std::size_t>((from - start) / 1h) + 1, ports_.days.size() * 24);
    }
    if (!day.first()) return {};  // nobody's readings: no table
    if (auto done = (*sink)->finish(); !done) return done;
    ++report_.days_written;
    mark_["days"][name] = {to_unix_ms(*day.first()), to_unix_ms(*day.last()), day.usual_step().count()};
    return write_mark();
  }

  /// From the marks, so that an export in two goes says what one in one go says.
  Result<void> note_days() try {
    for (const auto& [name, day] : mark_["days"].items()) {
      note(from_unix_ms(day.at(0).get<std::int64_t>()));
      note(from_unix_ms(day.at(1).get<std::int64_t>()));
      if (interval_ == 0ms) interval_ = std::chrono::milliseconds(day.at(2).get<std::int64_t>());
    }
    return {};
  } catch (const Json::exception& e) {
    return Error{Errc::corrupt, fmt::format("{}: {}: choose a new folder", mark_path().string(), e.what())};
  }

  Result<void> write_manifest() {
    archive::Manifest m;
    m.start = start_.value_or(Timestamp{});
    m.end = end_.value_or(m.start);
    m.interval = interval_;
    m.name = fs::weakly_canonical(o_.folder).filename().string();
    m.generator = fmt::format("ghm {}", GHM_VERSION);
    m.timezone = "UTC";
    m.simulated = simulated_;
    return write_file_atomically(manifest_path(), archive::format_manifest(m));
  }

  const ExportOptions& o_;
  const fleet::Ledger& ledger_;
  const ExportPorts& ports_;
  ExportReport report_;
  Json mark_;
  bool simulated_ = false;
  std::optional<Timestamp> start_, end_;
  std::chrono::milliseconds interval_{};
};

}  // namespace

Result<ExportReport> export_archive(const ExportOptions& options, const fleet::Ledger& ledger, const ExportPorts& ports) {
  return Export(options, ledger, ports).run();
}

}  // namespace ghm::pipeline
