#pragma once
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "api/ui_assets.h"
#include "core/http.h"

namespace ghm::api {

/// How long an answer may be kept by whom.
enum class Caching { no_store, revalidate, immutable };

/// The header lines that every answer carries: only this origin's scripts, no sniffing, no referrer, no framing; and Caching.
std::string_view standard_headers(Caching caching);

/// True when If-None-Match names `etag`: the client has it already.
bool has_already(const http::Request& request, std::string_view etag);

/// The web UI's files. A page that is no file (/gpus/123) is the app's own: a browser that asks for it gets /index.html.
class StaticFiles {
 public:
  explicit StaticFiles(const std::vector<ui::Asset>& assets);
  /// Always an answer: the file, the app, a page that says the UI is not in this build, or 404.
  http::Response get(const http::Request& request) const;

 private:
  http::Response send(const http::Request& request, const ui::Asset& asset) const;
  std::map<std::string_view, const ui::Asset*> by_path_;
};

}  // namespace ghm::api
