#include "api/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "api/keys.h"

namespace ghm::api {
namespace {

bool equal_but_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The name that the client used for this server, without the port.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_local_name(std::string_view host) {
  const auto name = host_name(host);
  return equal_but_case(name, "localhost") || name == "127.0.0.1" || name == "[::1]";
}

// `Authorization: Bearer …` or `X-Api-Key: …`; empty when there is neither.
std::string_view token_of(const http::Request& request) {
  constexpr std::string_view bearer = "bearer ";
  auto value = request.header("authorization");
  if (!equal_but_case(value.substr(0, bearer.size()), bearer)) return request.header("x-api-key");
  value.remove_prefix(bearer.size());
  const auto start = value.find_first_not_of(' ');
  return start == value.npos ? std::string_view() : value.substr(start);
}

http::Response unauthorized(std::string_view why) {
  auto r = http::problem(401, why);
  r.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"ghm\"");
  return r;
}

std::variant<Identity, http::Response> identify_by_key(std::string_view token, const store::RecordStore& keys) {
  const auto key = check_key(keys, token);
  if (!key) return http::problem(503, "Keys cannot be looked up now: " + key.error().what);
  if (!*key) return unauthorized("This key is not known, or it was revoked: `ghm keys list` shows the keys, `ghm keys create` makes one.");
  return Identity{(*key)->role, "key", (*key)->id};
}

// A certificate is no role: it opens ingest/* alone.
Identity identify_by_certificate(const http::Peer& peer) {
  Identity who;
  if (peer.certificate.empty()) return who;
  if (peer.certificate_trouble.empty()) who.auth = "certificate";
  who.trouble = peer.certificate_trouble;
  return who;
}

}  // namespace

std::variant<Identity, http::Response> identify(const http::Request& request, const AccessSettings& access,
                                                const store::RecordStore& keys) {
  if (const auto token = token_of(request); !token.empty()) return identify_by_key(token, keys);
  if (access.required || !access.loopback_listen || !request.peer.loopback) return identify_by_certificate(request.peer);
  if (is_local_name(request.header("host"))) return Identity{Role::viewer, "loopback", {}};
  return http::problem(
      403, fmt::format(
               "Without a key this server answers only to the names localhost, 127.0.0.1 and [::1], not to '{}', so that no web page can "
               "reach it under a name of its own: use one of these names, or send a key.",
               host_name(request.header("host"))));
}

std::variant<Identity, http::Response> identify_for_metrics(const http::Request& request, const AccessSettings& access,
                                                            const store::RecordStore& keys) {
  const auto token = token_of(request);
  if (!access.metrics_token.empty() && equal_in_constant_time(token, access.metrics_token))
    return Identity{Role::viewer, "metrics_token", {}};
  return identify(request, access, keys);
}

std::optional<http::Response> why_not_allowed(const Identity& who, Role needed) {
  if (who.role >= needed) return std::nullopt;
  if (who.role == Role::none) return unauthorized("This needs a key: send `Authorization: Bearer ghm_…`; `ghm keys create` makes one.");
  return http::problem(403, fmt::format("This needs the role {}, and the key has the role {}.", to_string(needed), to_string(who.role)));
}

std::optional<http::Response> why_not_ingest(const Identity& who) {
  if (who.auth == "loopback" || who.auth == "certificate") return std::nullopt;
  return who.role == Role::none && !who.trouble.empty() ? unauthorized(who.trouble) : why_not_allowed(who, Role::operator_);
}

}  // namespace ghm::api
