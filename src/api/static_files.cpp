#include "api/static_files.h"

#include <algorithm>
#include <array>

namespace ghm::api {
namespace {

// frame-ancestors answers click-jacking; X-Frame-Options says the same to old browsers.
#define GHM_SECURITY_HEADERS                                                                                                    \
  "Content-Security-Policy: default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; " \
  "frame-ancestors 'none'\r\n"                                                                                                  \
  "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\nCross-Origin-Resource-Policy: "  \
  "same-origin\r\n"

struct MimeType {
  std::string_view ending, type;
};
constexpr MimeType kTypes[] = {{".html", "text/html; charset=utf-8"},
                               {".js", "text/javascript; charset=utf-8"},
                               {".css", "text/css; charset=utf-8"},
                               {".svg", "image/svg+xml"},
                               {".png", "image/png"},
                               {".ico", "image/x-icon"},
                               {".woff2", "font/woff2"},
                               {".json", "application/json"},
                               {".map", "application/json"},
                               {".txt", "text/plain; charset=utf-8"},
                               {".webmanifest", "application/manifest+json"}};

std::string_view type_of(std::string_view path) {
  const auto found = std::ranges::find_if(kTypes, [&](const MimeType& t) { return path.ends_with(t.ending); });
  return found == std::end(kTypes) ? std::string_view("application/octet-stream") : found->type;
}

constexpr std::string_view kNoUi =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>GPU Health Monitor</title>"
    "<h1>GPU Health Monitor</h1><p>This build has no web UI. The API is here: <a href=\"/docs\">/docs</a>.</p></html>";

bool wants_html(const http::Request& request) {
  return request.header("accept").find("text/html") != std::string_view::npos;
}

// "gzip;q=0" refuses it; everything subtler is asked by nobody.
bool takes_gzip(const http::Request& request) {
  const auto accepted = request.header("accept-encoding");
  const auto at = accepted.find("gzip");
  return at != accepted.npos && !accepted.substr(at).starts_with("gzip;q=0,") && accepted.substr(at) != "gzip;q=0";
}

http::Response page(std::string_view html) {
  http::Response r;
  r.content_type = "text/html; charset=utf-8";
  r.static_headers = standard_headers(Caching::revalidate);
  r.static_body = html;
  return r;
}

}  // namespace

std::string_view standard_headers(Caching caching) {
  switch (caching) {
    case Caching::no_store: return GHM_SECURITY_HEADERS "Cache-Control: no-store\r\n";
    case Caching::revalidate: return GHM_SECURITY_HEADERS "Cache-Control: no-cache\r\n";
    case Caching::immutable: return GHM_SECURITY_HEADERS "Cache-Control: public, max-age=31536000, immutable\r\n";
  }
  return {};
}

bool has_already(const http::Request& request, std::string_view etag) {
  const auto asked = request.header("if-none-match");
  return !etag.empty() && (asked == "*" || asked.find(etag) != asked.npos);
}

StaticFiles::StaticFiles(const std::vector<ui::Asset>& assets) {
  for (const auto& asset : assets) by_path_[asset.path] = &asset;
}

http::Response StaticFiles::get(const http::Request& request) const {
  const auto file = by_path_.find(request.path == "/" ? std::string_view("/index.html") : std::string_view(request.path));
  if (file != by_path_.end()) return send(request, *file->second);
  if (by_path_.empty() && request.path == "/") return page(kNoUi);
  const auto app = by_path_.find("/index.html");
  // A missing script must be a 404: HTML in its place is a riddle.
  if (app != by_path_.end() && wants_html(request) && !request.path.starts_with("/assets/")) return send(request, *app->second);
  return http::problem(404, "There is nothing at " + request.path + ": the API is below /api/v1, its description at /docs.");
}

http::Response StaticFiles::send(const http::Request& request, const ui::Asset& asset) const {
  http::Response r;
  r.content_type = type_of(asset.path);
  r.static_headers = standard_headers(asset.path.starts_with("/assets/") ? Caching::immutable : Caching::revalidate);
  const bool gzip = !asset.gzip.empty() && takes_gzip(request);
  std::string etag(asset.etag);
  if (gzip && etag.ends_with('"')) etag.insert(etag.size() - 1, "-gz");  // another encoding is another representation
  if (!asset.gzip.empty()) r.headers.emplace_back("Vary", "Accept-Encoding");
  if (!etag.empty()) r.headers.emplace_back("ETag", etag);
  if (has_already(request, etag)) {
    r.status = 304;
    return r;
  }
  if (gzip) r.headers.emplace_back("Content-Encoding", "gzip");
  r.static_body = gzip ? asset.gzip : asset.bytes;
  return r;
}

}  // namespace ghm::api
