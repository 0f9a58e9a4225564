#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"

namespace ghm::cli {

/// What the command that was chosen does; its value is the exit code: 0 done, 1 failed.
using Run = std::function<int()>;
using Json = nlohmann::ordered_json;

inline constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2;

/// "ghm: <sentence>" on standard error; kFailed.
int fail(const Error& error);
/// One JSON document on standard output and nothing else.
/// Of standard output; 160 where that is no terminal.
std::size_t terminal_width();
void print_json(const Json& document);

/// A command that asks a running server: where it is and the key to it.
struct ServerOptions {
  std::string server = "http://127.0.0.1:9480";
  std::string key_file;
  std::string data_dir = "./ghm-data";  // where the key of a server on this machine lies, when no key_file is given
  bool json = false;
};
void add_server_options(CLI::App& command, ServerOptions& options);
/// `ghm incidents` alone is `ghm incidents list`: who asks in a hurry gets an answer.
void list_by_default(CLI::App& command, ServerOptions& options, Run& run, std::function<int()> list);
/// GET `path` ("/api/v1/fleet/summary") as JSON. The error is the server's own sentence, or why it cannot be reached.
Result<Json> get_json(const ServerOptions& options, const std::string& path);
/// GET of something that is no JSON, such as a bundle.
Result<std::string> get_bytes(const ServerOptions& options, const std::string& path);
/// POST, PUT or DELETE with a JSON body (null: none), with the key of the options, or the local server's own.
Result<Json> send_json(const ServerOptions& options, const char* method, const std::string& path, const Json& body);
/// The API's path of a GPU that is named by serial, UUID, HOST/SLOT or HOST:SLOT.
std::string gpu_path(std::string id);
/// A value as one query parameter or path segment.
std::string url_encode(std::string_view text);

// The commands, each in the file of its name; each declares its options and sets `run` when it is chosen.
void add_demo(CLI::App& app, Run& run);
void add_serve(CLI::App& app, Run& run);
void add_read(CLI::App& app, Run& run);
void add_status(CLI::App& app, Run& run);
void add_gpus(CLI::App& app, Run& run);
void add_gpu(CLI::App& app, Run& run);
void add_why(CLI::App& app, Run& run);
void add_import(CLI::App& app, Run& run);
void add_export(CLI::App& app, Run& run);
void add_score(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_check_config(CLI::App& app, Run& run);
void add_assets(CLI::App& app, Run& run);
void add_maintenance(CLI::App& app, Run& run);
void add_keys(CLI::App& app, Run& run);
void add_backup(CLI::App& app, Run& run);
void add_restore(CLI::App& app, Run& run);
void add_migrate(CLI::App& app, Run& run);
void add_quarantine(CLI::App& app, Run& run);
void add_incidents(CLI::App& app, Run& run);
void add_cases(CLI::App& app, Run& run);
void add_rma(CLI::App& app, Run& run);
void add_evaluate_causes(CLI::App& evaluate, Run& run);  // a part of `evaluate`
void add_version(CLI::App& app, Run& run);

}  // namespace ghm::cli
