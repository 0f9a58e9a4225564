#include "apps/ghm/cli.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "adapters/scrape/http_client.h"
#include "core/files.h"

namespace ghm::cli {

int fail(const Error& error) {
  fmt::print(stderr, "ghm: {}\n", error.what);
  return kFailed;
}

std::size_t terminal_width() {
  constexpr std::size_t kUsual = 160;
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

void print_json(const Json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.server, "the server to ask")->envname("GHM_SERVER")->capture_default_str();
  command.add_option("--key-file", options.key_file, "file with the access key, if the server wants one");
  command.add_option("--data-dir", options.data_dir, "the local server's data folder: its admin.token is the key where none is given")
      ->envname("GHM_DATA_DIR")
      ->capture_default_str();
  command.add_flag("--json", options.json, "one JSON document on standard output");
}

void list_by_default(CLI::App& command, ServerOptions& options, Run& run, std::function<int()> list) {
  command.require_subcommand(0, 1);
  add_server_options(command, options);
  command.callback([&command, &run, list = std::move(list)] {
    if (command.get_subcommands().empty()) run = list;
  });
}

namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

// The server's errors are problem documents whose `detail` is a sentence for people.
Error refused(const std::string& url, const scrape::HttpAnswer& answer) {
  const auto problem = Json::parse(answer.body, nullptr, false);
  const auto detail = problem.is_object() ? problem.value("detail", std::string()) : std::string();
  const Errc code = answer.status == 404                           ? Errc::not_found
                    : answer.status == 401 || answer.status == 403 ? Errc::unauthorized
                                                                   : Errc::unavailable;
  if (detail.empty()) return {code, fmt::format("{} answered {}: is this a ghm server?", url, answer.status)};
  return {code, detail};
}

std::string url_of(const ServerOptions& options, const std::string& path) {
  auto server = options.server;
  while (server.ends_with('/')) server.pop_back();
  return server + path;
}

constexpr auto kGetTime = 30s, kSendTime = 120s;

/// The body of a good answer.
Result<std::string> fetch(const ServerOptions& options, const char* method, const std::string& path, const std::string& key_file,
                          const std::string& body, const char* accept, std::chrono::milliseconds patience) {
  std::map<std::string, std::string> headers{{"Accept", accept}};
  if (!key_file.empty()) {
    auto key = read_file(key_file, 4096);
    if (!key) return key.error();
    headers["Authorization"] = "Bearer " + trimmed(*key);
  }
  if (!body.empty()) headers["Content-Type"] = "application/json";
  const auto url = url_of(options, path);
  auto answer = scrape::http_request(method, url, {}, headers, body, patience);
  if (!answer)
    return Error{answer.error().code, answer.error().what + "; start one with `ghm demo` or `ghm serve`, or name yours with --server"};
  if (answer->status != 200 && answer->status != 201) return refused(url, *answer);
  return std::move(answer->body);
}

Result<Json> ask(const ServerOptions& options, const char* method, const std::string& path, const std::string& key_file,
                 const std::string& body, std::chrono::milliseconds patience) {
  const auto answer = fetch(options, method, path, key_file, body, "application/json", patience);
  if (!answer) return answer.error();
  auto document = Json::parse(*answer, nullptr, false);
  if (document.is_discarded())
    return Error{Errc::corrupt, fmt::format("{} answered something that is not JSON: is this a ghm server?", url_of(options, path))};
  return document;
}

}  // namespace

Result<Json> get_json(const ServerOptions& options, const std::string& path) {
  return ask(options, "GET", path, options.key_file, "", kGetTime);
}

Result<std::string> get_bytes(const ServerOptions& options, const std::string& path) {
  return fetch(options, "GET", path, options.key_file, "", "*/*", kSendTime);
}

Result<Json> send_json(const ServerOptions& options, const char* method, const std::string& path, const Json& body) {
  auto key_file = options.key_file;
  const auto local = options.data_dir + "/admin.token";
  if (std::error_code ignored; key_file.empty() && std::filesystem::exists(local, ignored)) key_file = local;
  return ask(options, method, path, key_file, body.is_null() ? "" : body.dump(), kSendTime);
}

std::string gpu_path(std::string id) {
  if (const auto slash = id.rfind('/'); slash != id.npos) id[slash] = ':';
  return "/api/v1/gpus/" + url_encode(id);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') out += static_cast<char>(c);
    else out += fmt::format("%{:02X}", c);
  return out;
}

}  // namespace ghm::cli
