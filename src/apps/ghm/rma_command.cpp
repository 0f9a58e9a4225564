#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "adapters/evidence/bundle.h"
#include "adapters/scrape/http_client.h"
#include "adapters/sqlite/sqlite_store.h"
#include "apps/ghm/cli.h"
#include "core/files.h"
#include "core/size_text.h"
#include "domain/views/gpu_query.h"
#include "domain/views/text_table.h"
#include "pipeline/ledger_records.h"
#include "pipeline/live_view.h"
#include "services/rma_evidence.h"

namespace ghm::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kKeepAll = 100 * 366;  // looking at a folder deletes nothing
constexpr std::size_t kMostFile = 256u << 20;

struct RmaOptions : ServerOptions {
  std::string serial, out, at, before = "72h", after = "6h", folder, file, key;
};

// ---- making one

struct Made {
  std::string bytes, file_name;
};

Result<Made> from_server(const RmaOptions& o) {
  auto path = fmt::format("{}/rma?before={}&after={}", gpu_path(o.serial), url_encode(o.before), url_encode(o.after));
  if (!o.at.empty()) path += "&at=" + url_encode(o.at);
  auto answer = get_bytes(o, path);
  if (!answer) return answer.error();
  fleet::Board named;
  named.serial = o.serial;
  return Made{std::move(*answer), services::rma_file_name(named)};
}

Result<services::RmaRequest> read_request(const RmaOptions& o, const views::FleetSnapshot& fleet) {
  services::RmaRequest q;
  const auto board = views::find_board(fleet, o.serial);
  if (!board) return Error{Errc::not_found, fmt::format("{}: there is no GPU '{}' in its ledger", o.folder, o.serial)};
  q.board = *board;
  for (const auto& [name, text, to] : {std::tuple{"--before", &o.before, &q.before}, {"--after", &o.after, &q.after}}) {
    const auto span = parse_duration(*text);
    if (!span || *span < 1min || *span > std::chrono::days(90))
      return Error{Errc::invalid_input, fmt::format("{}: '{}': expected a span such as 6h or 3d, from 1m to 90d", name, *text)};
    *to = *span;
  }
  if (o.at.empty()) return q;
  const auto at = parse_time(o.at);
  if (!at) return Error{at.error().code, "--at: " + at.error().what};
  q.at = *at;
  return q;
}

Result<Made> from_folder(const RmaOptions& o) {
  if (std::error_code none; !fs::exists(fs::path(o.folder) / "ghm.db", none))
    return Error{Errc::not_found, fmt::format("{}: no data folder of ghm: name yours with --data", o.folder)};
  auto store =
      sqlite::SqliteStore::open(o.folder, {.raw_days = kKeepAll, .minute_days = kKeepAll, .hour_days = kKeepAll}, Log::to_stderr("warn"));
  if (!store && store.error().code == Errc::conflict) store.error().what += "; ask that server itself with --server";
  if (!store) return store.error();
  const auto kept = pipeline::load_ledger(**store);
  if (!kept) return kept.error();
  const auto now = SystemClock().now();
  pipeline::LiveView view;
  view.restore(*kept, now);
  const auto fleet = view.current();
  const auto request = read_request(o, *fleet);
  if (!request) return request.error();
  const auto key = evidence::SigningKey::open_or_make(fs::path(o.folder) / "rma.key");
  if (!key) return key.error();
  auto bytes = services::rma_bundle({**store, **store, *fleet}, *request, *key, now);
  if (!bytes) return bytes.error();
  return Made{std::move(*bytes), services::rma_file_name(fleet->boards[request->board].board)};
}

Json members_json(const evidence::Verdict& v) {
  Json out = Json::array();
  for (const auto& m : v.members) out.push_back({{"name", m.name}, {"size", m.bytes.size()}});
  return out;
}

/// What evidence.json says is missing.
std::vector<std::string> missing_in(const evidence::Verdict& v) {
  const auto* file = v.find("evidence.json");
  const auto e = file != nullptr ? Json::parse(file->bytes, nullptr, false) : Json();
  std::vector<std::string> out;
  if (!e.is_object() || !e.contains("missing") || !e["missing"].is_array()) return out;
  for (const auto& m : e["missing"])
    if (m.is_string()) out.push_back(m.get<std::string>());
  return out;
}

int make(const RmaOptions& o) {
  if (o.serial.empty()) {
    fmt::print(stderr, "ghm: rma: which GPU? Give a serial number or UUID, as in: ghm rma 1650224070113 --out rma.tar.zst\n");
    return kWrongUsage;
  }
  const auto made = o.folder.empty() ? from_server(o) : from_folder(o);
  if (!made) return fail(made.error());
  const auto v = evidence::verify(made->bytes, nullptr);
  if (!v.intact()) return fail({Errc::corrupt, "what came is no whole evidence bundle (" + v.troubles[0] + "): try again"});
  const auto file = o.out.empty() ? made->file_name : o.out;
  if (auto done = write_file_atomically(file, made->bytes); !done) return fail(done.error());
  const auto missing = missing_in(v);
  if (o.json) {
    print_json({{"file", file},
                {"bytes", made->bytes.size()},
                {"fingerprint", v.fingerprint},
                {"members", members_json(v)},
                {"missing", missing}});
    return kDone;
  }
  fmt::print("{}: {}, {} files, signed with key {}\n", file, size_text(made->bytes.size()), v.members.size(), v.fingerprint);
  fmt::print("missing:\n");
  for (const auto& m : missing) fmt::print("  - {}\n", views::printable(m));
  return kDone;
}

// ---- checking one

Result<evidence::Verdict> check(const RmaOptions& o) {
  const auto bytes = read_file(o.file, kMostFile);
  if (!bytes) return bytes.error();
  if (o.key.empty()) return evidence::verify(*bytes, nullptr);
  const auto pem = read_file(o.key, 4096);
  if (!pem) return pem.error();
  const auto key = evidence::PublicKey::parse(*pem);
  if (!key) return Error{key.error().code, fmt::format("{}: {}", o.key, key.error().what)};
  return evidence::verify(*bytes, &*key);
}

std::string manifest_text(const evidence::Verdict& v, const char* name) {
  const auto found = v.manifest.is_object() ? v.manifest.find(name) : v.manifest.end();
  return v.manifest.is_object() && found != v.manifest.end() && found->is_string() ? views::printable(found->get<std::string>()) : "-";
}

int verify(const RmaOptions& o) {
  const auto v = check(o);
  if (!v) return fail(v.error());
  if (o.json) {
    print_json({{"file", o.file},
                {"intact", v->intact()},
                {"troubles", v->troubles},
                {"key_given", v->key_given},
                {"fingerprint", v->fingerprint},
                {"manifest", v->manifest}});
    return v->intact() ? kDone : kFailed;
  }
  for (const auto& t : v->troubles) fmt::print(stderr, "ghm: {}: {}\n", o.file, views::printable(t));
  if (!v->intact()) return kFailed;
  fmt::print("{}: intact, {} files\nGPU {}, made {} by {}\n", o.file, v->members.size(), manifest_text(*v, "gpu"),
             manifest_text(*v, "made_at"), manifest_text(*v, "made_by"));
  if (v->key_given) fmt::print("signed with the key that you gave, {}\n", v->fingerprint);
  else
    fmt::print(
        "signed with the bundle's own key, {}\nThat shows that it is whole, not who made it: get the site's key from the site, and give it "
        "with --key.\n",
        v->fingerprint);
  return kDone;
}

Result<Json> key_of(const RmaOptions& o) {
  if (o.folder.empty()) return get_json(o, "/api/v1/rma/key");
  if (std::error_code none; !fs::exists(fs::path(o.folder) / "ghm.db", none))
    return Error{Errc::not_found, fmt::format("{}: no data folder of ghm: name yours with --data", o.folder)};
  const auto key = evidence::SigningKey::open_or_make(fs::path(o.folder) / "rma.key");
  if (!key) return key.error();
  const auto shown = key->public_key();
  if (!shown) return shown.error();
  return Json{{"public_key", shown->pem()}, {"fingerprint", shown->fingerprint()}};
}

int show_key(const RmaOptions& o) {
  const auto key = key_of(o);
  if (!key) return fail(key.error());
  if (o.json) {
    print_json(*key);
    return kDone;
  }
  fmt::print("{}", key->value("public_key", std::string()));
  fmt::print(stderr, "fingerprint {}\n", key->value("fingerprint", std::string()));
  return kDone;
}

void add_verify(CLI::App& parent, const std::shared_ptr<RmaOptions>& o, Run& run) {
  auto* command = parent.add_subcommand("verify", "say whether a bundle is as it was signed, and which file in it is not; needs no server");
  command->add_option("FILE", o->file, "the bundle")->required();
  command->add_option("--key", o->key, "the site's public key, a PEM file as `ghm rma key` prints it");
  command->add_flag("--json", o->json, "one JSON document on standard output");
  command->footer("example: ghm rma verify rma-1650224070113.tar.zst --key site.pem");
  command->callback([&run, o] { run = [o] { return verify(*o); }; });
}

void add_key(CLI::App& parent, const std::shared_ptr<RmaOptions>& o, Run& run) {
  auto* command = parent.add_subcommand("key", "the public key that this site's bundles are checked with; made at first use");
  command->add_option("--data", o->folder, "a data folder, instead of a server");
  add_server_options(*command, *o);
  command->footer("example: ghm rma key > site.pem");
  command->callback([&run, o] { run = [o] { return show_key(*o); }; });
}

}  // namespace

void add_rma(CLI::App& app, Run& run) {
  auto* command =
      app.add_subcommand("rma", "evidence on a board for its manufacturer: a signed bundle, to be checked anywhere (docs/repairs.md)");
  command->require_subcommand(0, 1);
  auto o = std::make_shared<RmaOptions>();
  command->add_option("SERIAL", o->serial, "serial number or UUID");
  command->add_option("--out", o->out, "the file to write; rma-SERIAL.tar.zst where it is not given");
  command->add_option("--at", o->at, "when the fault was (RFC 3339 or Unix seconds); else the board's newest incident");
  command->add_option("--before", o->before, "how much of the time before the fault")->capture_default_str();
  command->add_option("--after", o->after, "... and after it")->capture_default_str();
  command->add_option("--data", o->folder, "a data folder that no server has open, instead of a server");
  add_server_options(*command, *o);
  command->footer("example: ghm rma 1650224070113 --out rma-1650224070113.tar.zst");
  command->callback([command, &run, o] {
    if (command->get_subcommands().empty()) run = [o] { return make(*o); };
  });
  add_verify(*command, o, run);
  add_key(*command, o, run);
}

}  // namespace ghm::cli
