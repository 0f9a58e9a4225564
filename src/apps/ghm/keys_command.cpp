#include <fmt/format.h>

#include <memory>

#include "adapters/sqlite/sqlite_store.h"
#include "api/keys.h"
#include "apps/ghm/cli.h"

namespace ghm::cli {
namespace {

struct KeysOptions {
  std::string data_dir = "./ghm-data", role = "viewer", label, id;
  bool json = false;
};

/// The store itself: whoever may write the data folder may make keys. A server that runs holds the folder.
Result<std::unique_ptr<sqlite::SqliteStore>> open_store(const KeysOptions& o) {
  auto store = sqlite::SqliteStore::open(o.data_dir, {}, Log::to_stderr("warn"));
  if (!store && store.error().code == Errc::conflict) store.error().what += " (keys are made while the server is stopped)";
  return store;
}

Json key_json(const api::Key& k) {
  Json j{{"id", k.id}, {"role", api::to_string(k.role)}, {"label", k.label}, {"created", format_rfc3339(k.created)}, {"revoked", nullptr}};
  if (k.revoked) j["revoked"] = format_rfc3339(*k.revoked);
  return j;
}

int create(const KeysOptions& o) {
  auto store = open_store(o);
  if (!store) return fail(store.error());
  const auto made = api::create_key(**store, *api::parse_role(o.role), o.label, SystemClock().now());
  if (!made) return fail(made.error());
  auto j = key_json(made->key);
  j["token"] = made->token;
  if (o.json) print_json(j);
  else
    fmt::print("{}\nKeep it: it is not shown again. Send it as `Authorization: Bearer …`. Key {} ({}) can be revoked.\n", made->token,
               made->key.id, o.role);
  return kDone;
}

int list(const KeysOptions& o) {
  auto store = open_store(o);
  if (!store) return fail(store.error());
  const auto keys = api::list_keys(**store);
  if (!keys) return fail(keys.error());
  auto items = Json::array();
  for (const auto& k : *keys) {
    items.push_back(key_json(k));
    if (!o.json)
      fmt::print("{}  {:<8}  {}  {}{}\n", k.id, api::to_string(k.role), format_rfc3339(k.created), k.label, k.revoked ? "  (revoked)" : "");
  }
  if (o.json) print_json({{"items", items}});
  return kDone;
}

int revoke(const KeysOptions& o) {
  auto store = open_store(o);
  if (!store) return fail(store.error());
  if (auto done = api::revoke_key(**store, o.id, SystemClock().now()); !done) return fail(done.error());
  if (o.json) print_json({{"id", o.id}, {"revoked", true}});
  else fmt::print("key {} is revoked\n", o.id);
  return kDone;
}

CLI::App* add_action(CLI::App& parent, const std::shared_ptr<KeysOptions>& o, const char* name, const char* what, const char* example) {
  auto* action = parent.add_subcommand(name, what);
  action->add_option("--data-dir", o->data_dir, "the server's data folder")->capture_default_str();
  action->add_flag("--json", o->json, "one JSON document on standard output");
  action->footer(std::string("example: ") + example);
  return action;
}

}  // namespace

void add_keys(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("keys", "access keys of a server, made in its data folder");
  command->require_subcommand(1);
  command->footer("example: ghm keys create --data-dir ./ghm-data --role viewer --label grafana");
  auto o = std::make_shared<KeysOptions>();
  auto* make = add_action(*command, o, "create", "a new key; it is shown once", "ghm keys create --role operator --label night-shift");
  make->add_option("--role", o->role, "what it may do")->check(CLI::IsMember({"viewer", "operator", "admin"}))->capture_default_str();
  make->add_option("--label", o->label, "for whom it is");
  make->callback([&run, o] { run = [o] { return create(*o); }; });
  add_action(*command, o, "list", "all keys, without their secrets", "ghm keys list --json")->callback([&run, o] {
    run = [o] { return list(*o); };
  });
  auto* end = add_action(*command, o, "revoke", "a key opens nothing any more", "ghm keys revoke 1f2e3d4c5b");
  end->add_option("ID", o->id, "the key's id")->required();
  end->callback([&run, o] { run = [o] { return revoke(*o); }; });
}

}  // namespace ghm::cli
