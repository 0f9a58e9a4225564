#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"
#include "core/result.h"
#include "core/time.h"
#include "domain/store/record_store.h"

/// Access keys: `ghm_<id>_<secret>`, 256 random bits. The store keeps their SHA-256 alone (records of kind "key"), so a
/// stolen data folder opens nothing. A slow hash such as Argon2id is for what people choose; nobody guesses 256 bits.
namespace ghm::api {

/// The label of the key that the local command line uses.
inline constexpr std::string_view kLocalAdmin = "local command line";

struct Key {
  std::string id;  // 10 lower-case hex digits: safe to log, names the key in lists
  Role role = Role::viewer;
  std::string label;
  Timestamp created{};
  std::optional<Timestamp> revoked;
};

/// "viewer", "operator", "admin"; "none".
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

struct NewKey {
  Key key;
  std::string token;  // what the client sends; it can never be shown again
};
/// role: viewer, operator or admin. label: for whom, free text.
Result<NewKey> create_key(store::RecordStore& records, Role role, std::string_view label, Timestamp now);

/// The key that `token` belongs to; nullopt when there is none, the secret is wrong, or it was revoked. One look-up by
/// id; secrets are compared in constant time.
Result<std::optional<Key>> check_key(const store::RecordStore& records, std::string_view token);

/// All keys, revoked ones too, oldest first.
Result<std::vector<Key>> list_keys(const store::RecordStore& records);
/// Works from the next request on. not_found for an unknown id; revoking twice is fine.
Result<void> revoke_key(store::RecordStore& records, std::string_view id, Timestamp now);

/// Makes sure that `file` (mode 0600) holds the token of a valid admin key: the local command line's way in. A missing,
/// damaged or revoked one is replaced, and older keys of this kind are revoked.
Result<void> ensure_admin_token(store::RecordStore& records, const std::filesystem::path& file, Timestamp now);

/// Compares without telling by its time where two texts differ; lengths are no secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace ghm::api
