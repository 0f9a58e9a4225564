#pragma once
#include <optional>
#include <string>
#include <variant>

#include "api/api.h"
#include "core/http.h"
#include "domain/store/record_store.h"

/// Who asks, and may they.
namespace ghm::api {

struct Identity {
  Role role = Role::none;
  std::string auth = "none";  // "loopback", "key", "metrics_token", "certificate" or "none"
  std::string key_id;         // empty without a key
  std::string trouble = {};   // why a client certificate that was shown does not count
};

/// Who sends this request, or the answer that turns it away: 401 for a key that does not open, 403 for a browser that was
/// led here under a foreign name (DNS rebinding), 503 when keys cannot be looked up. Without a key, on a loopback listen
/// in mode `auto`, a loopback peer that calls the server localhost, 127.0.0.1 or [::1] is a viewer.
std::variant<Identity, http::Response> identify(const http::Request& request, const AccessSettings& access, const store::RecordStore& keys);

/// Like identify(), and the metrics token opens as a viewer.
std::variant<Identity, http::Response> identify_for_metrics(const http::Request& request, const AccessSettings& access,
                                                            const store::RecordStore& keys);

/// nullopt: go on. 401 when there is no identity, 403 when its role is too small.
std::optional<http::Response> why_not_allowed(const Identity& who, Role needed);

/// Who may send readings (ingest/*): an operator, and without a key whoever is admitted from this machine or shows a certificate that
/// tls.client_ca_file signed. Such a certificate opens nothing else.
std::optional<http::Response> why_not_ingest(const Identity& who);

}  // namespace ghm::api
