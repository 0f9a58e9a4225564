#include "apps/ghm/cli.h"

#include <fmt/format.h>

#include <cstdio>

#include "adapters/scrape/http_client.h"
#include "core/files.h"

namespace ghm::cli {

int fail(const Error& error) {
  fmt::print(stderr, "ghm: {}\n", error.what);
  return kFailed;
}

void print_json(const Json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.server, "the server to ask")->envname("GHM_SERVER")->capture_default_str();
  command.add_option("--key-file", options.key_file, "file with the access key, if the server wants one");
  command.add_flag("--json", options.json, "one JSON document on standard output");
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

// The local server's own key. A file that is not there is no error: the server then says that it wants one.
constexpr const char* kLocalKey = "./ghm-data/admin.token";
constexpr auto kGetTime = 30s, kPostTime = 120s;

using Headers = std::map<std::string, std::string>;

Result<Json> ask(const char* method, const ServerOptions& options, const std::string& path, Headers headers, const std::string& body,
                 std::chrono::milliseconds patience) {
  headers["Accept"] = "application/json";
  auto server = options.server;
  while (server.ends_with('/')) server.pop_back();
  auto answer = scrape::http_request(method, server + path, {}, headers, body, patience);
  if (!answer)
    return Error{answer.error().code, answer.error().what + "; start one with `ghm demo` or `ghm serve`, or name yours with --server"};
  if (answer->status != 200) return refused(server + path, *answer);
  auto document = Json::parse(answer->body, nullptr, false);
  if (document.is_discarded())
    return Error{Errc::corrupt, fmt::format("{}{} answered something that is not JSON: is this a ghm server?", server, path)};
  return document;
}

Result<Headers> with_key(const std::string& file) {
  Headers headers;
  if (file.empty()) return headers;
  auto key = read_file(file, 4096);
  if (!key) return key.error();
  headers["Authorization"] = "Bearer " + trimmed(*key);
  return headers;
}

}  // namespace

Result<Json> get_json(const ServerOptions& options, const std::string& path) {
  auto headers = with_key(options.key_file);
  if (!headers) return headers.error();
  return ask("GET", options, path, std::move(*headers), "", kGetTime);
}

Result<Json> post_json(const ServerOptions& options, const std::string& path, const Json& body) {
  auto headers = with_key(options.key_file);
  if (!headers) return headers.error();
  if (options.key_file.empty())
    if (auto local = with_key(kLocalKey)) headers = std::move(local);
  (*headers)["Content-Type"] = "application/json";
  return ask("POST", options, path, std::move(*headers), body.dump(), kPostTime);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const unsigned char c : text)
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') out += static_cast<char>(c);
    else out += fmt::format("%{:02X}", c);
  return out;
}

}  // namespace ghm::cli
