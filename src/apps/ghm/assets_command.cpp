#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "adapters/archive/rows.h"
#include "apps/ghm/cli.h"
#include "domain/views/text_table.h"

namespace ghm::cli {
namespace {

constexpr std::size_t kTogether = 1000;  // assets per request

struct AssetsOptions : ServerOptions {
  std::string file, search;
  bool simulated = false;
  int limit = 50;
};

void set_text(Json& out, const char* name, const std::string& value) {
  if (!value.empty()) out[name] = value;
}

void set_time(Json& out, const char* name, const std::optional<Timestamp>& at) {
  if (at) out[name] = format_rfc3339(*at);
}

Json item(const fleet::Asset& a) {
  Json out = {{"model", a.model}, {"host", a.host}};
  set_text(out, "serial", a.serial);
  set_text(out, "gpu_uuid", a.uuid);
  set_text(out, "slot", a.slot);
  set_text(out, "pci_bus_id", a.pci_bus_id);
  set_text(out, "region", a.place.region);
  set_text(out, "datacenter", a.place.datacenter);
  set_text(out, "rack", a.place.rack);
  set_text(out, "batch", a.batch);
  set_time(out, "manufactured_at", a.manufactured_at);
  set_time(out, "deployed_at", a.deployed_at);
  set_time(out, "retired_at", a.retired_at);
  set_time(out, "warranty_until", a.warranty_until);
  if (a.purchase_price_usd) out["purchase_price_usd"] = *a.purchase_price_usd;
  if (!a.attributes.empty()) out["attributes"] = a.attributes;
  return out;
}

/// What became of a file's rows so far.
struct Imported {
  std::size_t accepted = 0, new_boards = 0, refused = 0;
  Json named = Json::array();  // refused rows with file, line and reason; the first few of each reason
};

/// Rows that wait to be sent, with the lines they stand in.
struct Waiting {
  Json items = Json::array();
  std::vector<std::uint64_t> lines;
};

Result<void> send(const AssetsOptions& o, Waiting waiting, Imported& so_far) {
  if (waiting.items.empty()) return {};
  const auto answer = send_json(o, "POST", "/api/v1/assets", {{"items", std::move(waiting.items)}, {"simulated", o.simulated}});
  if (!answer) return answer.error();
  so_far.accepted += answer->value("accepted", std::size_t{0});
  so_far.new_boards += answer->value("new_boards", std::size_t{0});
  so_far.refused += (*answer)["refused"].size();
  for (const auto& r : (*answer)["refused"])
    so_far.named.push_back(
        fmt::format("{}:{}: {}", o.file, waiting.lines.at(r["item"].get<std::size_t>()), r["reason"].get<std::string>()));
  return {};
}

Result<Imported> import_file(const AssetsOptions& o) {
  auto bytes = archive::ByteStream::open(o.file);
  if (!bytes) return bytes.error();
  std::vector<std::string> warnings;
  auto rows = archive::RowReader<fleet::Asset>::open(o.file, std::move(*bytes), warnings);
  if (!rows) return rows.error();
  for (const auto& w : warnings) fmt::print(stderr, "ghm: {}\n", w);
  Imported imported;
  archive::Refusals refusals;
  Waiting waiting;
  for (;;) {
    auto asset = rows->next(refusals);
    if (!asset) return asset.error();
    if (*asset) {
      waiting.items.push_back(item(**asset));
      waiting.lines.push_back(rows->line());
    }
    if (*asset && waiting.items.size() < kTogether) continue;
    if (auto done = send(o, std::exchange(waiting, {}), imported); !done) return done.error();
    if (!*asset) break;
  }
  for (const auto& named : refusals.named) imported.named.push_back(named);
  for (const auto& [reason, count] : refusals.counts) imported.refused += count;
  return imported;
}

int import_assets(const AssetsOptions& o) {
  const auto done = import_file(o);
  if (!done) return fail(done.error());
  if (o.json) {
    print_json({{"accepted", done->accepted}, {"new_boards", done->new_boards}, {"refused", done->refused}, {"refused_rows", done->named}});
  } else {
    fmt::print("{} assets taken, {} boards are new, {} rows refused\n", done->accepted, done->new_boards, done->refused);
    for (const auto& r : done->named) fmt::print(stderr, "ghm: {}\n", r.get<std::string>());
  }
  return done->accepted == 0 && done->refused > 0 ? kFailed : kDone;
}

std::string assets_text(const Json& list) {
  views::TextTable table({{"ID", false, 9},
                          {"MODEL", false, 5},
                          {"HOST", false, 8},
                          {"RACK", false, 4},
                          {"SERVICE", false, 7},
                          {"WARRANTY", false, 3},
                          {"BATCH", false, 2}});
  for (const auto& a : list.at("items")) {
    const auto& inventory = a.at("inventory");
    const auto text = [](const Json& in, const char* key) {
      return in.is_object() && in.value(key, Json()).is_string() ? views::printable(in[key].get<std::string>()) : std::string("-");
    };
    table.add({text(a, "id"), text(a, "model"), text(a, "host"), text(a, "rack"), a.value("in_service", false) ? "in service" : "out",
               text(inventory, "warranty_until"), text(inventory, "batch")});
  }
  return table.text(120);
}

int list_assets(const AssetsOptions& o) {
  auto path = fmt::format("/api/v1/assets?limit={}", o.limit);
  if (!o.search.empty()) path += "&q=" + url_encode(o.search);
  const auto list = get_json(o, path);
  if (!list) return fail(list.error());
  if (o.json) print_json(*list);
  else fmt::print("{}", assets_text(*list));
  return kDone;
}

}  // namespace

void add_assets(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("assets", "the inventory: which boards there are, where, since when, under what warranty");
  command->require_subcommand(1);
  command->footer("example: ghm assets import assets.csv");
  auto o = std::make_shared<AssetsOptions>();
  auto* import = command->add_subcommand("import", "take a CSV of boards into the running server's ledger; the same again changes nothing");
  import
      ->add_option("FILE", o->file,
                   "assets.csv or .csv.zst, columns as docs/archive.md says: gpu_uuid, model, host, and what else is known")
      ->required();
  import->add_flag("--simulated", o->simulated, "these boards are not real");
  add_server_options(*import, *o);
  import->footer("example: ghm assets import assets.csv --server http://127.0.0.1:9480");
  import->callback([&run, o] { run = [o] { return import_assets(*o);
};
}  // namespace ghm::cli
);
auto* list = command->add_subcommand("list", "boards with what the inventory says of them");
list->add_option("--limit", o->limit, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
list->add_option("--search", o->search, "part of a serial, UUID, host, rack, model or batch");
add_server_options(*list, *o);
list->footer("example: ghm assets list --search R07 --json");
list->callback([&run, o] { run = [o] { return list_assets(*o); }; });
}

}  // namespace ghm::cli
