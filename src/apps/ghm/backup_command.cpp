#include "adapters/sqlite/backup.h"

#include <fmt/format.h>

#include <memory>

#include "apps/ghm/cli.h"
#include "apps/ghm/config.h"
#include "apps/ghm/progress.h"
#include "core/size_text.h"

namespace ghm::cli {
namespace {

constexpr std::uint64_t kBarStep = 1 << 20;

struct FolderOptions {
  std::string data_dir, config, other;  // other: --to or --from
  bool json = false, verify = false, dry_run = false;
};

/// Draws bytes as a bar.
class ByteBar {
 public:
  explicit ByteBar(std::string what) : what_(std::move(what)) {}
  void operator()(std::uint64_t done, std::uint64_t all) {
    if (!bar_) bar_ = std::make_shared<Progress>(what_, all / kBarStep);
    for (; drawn_ + kBarStep <= done; drawn_ += kBarStep) bar_->step();
  }

 private:
  const std::string what_;
  std::shared_ptr<Progress> bar_;  // std::function copies
  std::uint64_t drawn_ = 0;
};

Result<std::string> data_dir_of(const FolderOptions& o) {
  if (!o.data_dir.empty()) return o.data_dir;
  if (o.config.empty()) return app::Config{}.data_dir;
  const auto config = app::load_config(o.config);
  if (!config) return config.error();
  return config->data_dir;
}

Json troubles_json(const std::vector<sqlite::FileTrouble>& troubles) {
  auto all = Json::array();
  for (const auto& t : troubles) all.push_back({{"file", t.name}, {"why", t.why}});
  return all;
}

int backup(const FolderOptions& o) {
  const auto data_dir = data_dir_of(o);
  if (!data_dir) return fail(data_dir.error());
  const auto start = std::chrono::steady_clock::now();
  const auto done = sqlite::back_up({*data_dir, o.other, o.verify}, SystemClock().now(), ByteBar("copying"));
  if (!done) return fail(done.error());
  const double seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  if (o.json)
    print_json({{"data_dir", *data_dir},
                {"backup", o.other},
                {"schema", done->manifest.schema},
                {"made", format_rfc3339(done->manifest.made)},
                {"copied", done->copied},
                {"kept", done->kept},
                {"only_in_backup", done->only_in_backup},
                {"damaged", troubles_json(done->damaged)},
                {"bytes_copied", done->bytes_copied},
                {"seconds", seconds},
                {"not_copied", {"admin.token"}}});
  else
    fmt::print(
        "{} is backed up in {}: {} files copied ({}), {} closed days were there already, {:.1f} s\n"
        "admin.token is not copied: a server that starts on a restored folder makes a new one\n",
        *data_dir, o.other, done->copied.size(), size_text(static_cast<double>(done->bytes_copied)), done->kept.size(), seconds);
  for (const auto& t : done->damaged) fmt::print(stderr, "ghm: {} is not in this backup: {}\n", t.name, t.why);
  return done->damaged.empty() ? kDone : kFailed;
}

int restore(const FolderOptions& o) {
  const auto data_dir = data_dir_of(o);
  if (!data_dir) return fail(data_dir.error());
  const auto done = sqlite::restore_backup(o.other, *data_dir, ByteBar("restoring"));
  if (!done) return fail(done.error());
  if (o.json)
    print_json({{"backup", o.other},
                {"data_dir", *data_dir},
                {"made", format_rfc3339(done->manifest.made)},
                {"schema", done->manifest.schema},
                {"restored", done->restored},
                {"damaged", troubles_json(done->damaged)},
                {"bytes", done->bytes}});
  else
    fmt::print("{} holds what {} held on {}: {} files ({})\n", *data_dir, done->manifest.data_dir, format_rfc3339(done->manifest.made),
               done->restored.size(), size_text(static_cast<double>(done->bytes)));
  for (const auto& t : done->damaged) fmt::print(stderr, "ghm: {} is lost and set aside, all else is restored: {}\n", t.name, t.why);
  return done->damaged.empty() ? kDone : kFailed;
}

int migrate(const FolderOptions& o) {
  const auto data_dir = data_dir_of(o);
  if (!data_dir) return fail(data_dir.error());
  const auto done = sqlite::migrate_folder(*data_dir, o.dry_run, Log::to_stderr("warn"));
  if (!done) return fail(done.error());
  const bool needed = done->from < done->to;
  if (o.json)
    print_json({{"data_dir", *data_dir},
                {"from", done->from},
                {"to", done->to},
                {"migrated", needed && !o.dry_run},
                {"dry_run", o.dry_run},
                {"copy", done->copy.empty() ? Json(nullptr) : Json(done->copy.string())}});
  else if (!needed) fmt::print("{} has schema {}, which is this program's: nothing to do\n", *data_dir, done->from);
  else
    fmt::print("{} {} from schema {} to {}; ghm.db as it was {} {}\n", *data_dir, o.dry_run ? "would be migrated" : "is migrated",
               done->from, done->to, o.dry_run ? "would be kept as" : "is", done->copy.string());
  return kDone;
}

std::shared_ptr<FolderOptions> add_folder_options(CLI::App& command) {
  auto o = std::make_shared<FolderOptions>();
  auto* config = command.add_option("--config", o->config, "a server's configuration, for its data_dir");
  command.add_option("--data-dir", o->data_dir, "the server's data folder [./ghm-data]")->excludes(config);
  command.add_flag("--json", o->json, "one JSON document on standard output");
  return o;
}

}  // namespace

void add_backup(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("backup", "copy a data folder, while its server runs or not");
  auto o = add_folder_options(*command);
  command->add_option("--to", o->other, "the backup's folder; the next backup into it copies only what is new")->required();
  command->add_flag("--verify", o->verify, "read the closed days that are there already, too, and copy again what has gone bad");
  command->footer("example: ghm backup --config ghm.yaml --to /backup/ghm");
  command->callback([&run, o] { run = [o] { return backup(*o); }; });
}

void add_restore(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("restore", "put a backup into an empty data folder; exit 1 when a day of it was damaged");
  auto o = add_folder_options(*command);
  command->add_option("--from", o->other, "a folder that `ghm backup` made")->required();
  command->footer("example: ghm restore --from /backup/ghm --data-dir ./ghm-data");
  command->callback([&run, o] { run = [o] { return restore(*o); }; });
}

void add_migrate(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("migrate", "bring a data folder to this version, after a copy of ghm.db; a start does the same");
  auto o = add_folder_options(*command);
  command->add_flag("--dry-run", o->dry_run, "only say what would be done");
  command->footer("example: ghm migrate --data-dir ./ghm-data --dry-run");
  command->callback([&run, o] { run = [o] { return migrate(*o); }; });
}

}  // namespace ghm::cli
