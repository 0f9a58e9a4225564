#include "api/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/files.h"

namespace ghm::api {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kKind = "key";
constexpr std::string_view kPrefix = "ghm_";
constexpr std::size_t kSecretBytes = 32;  // 256 bits
constexpr std::size_t kIdBytes = 5;
constexpr std::size_t kMostKeys = 10'000;

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr RoleName kRoles[] = {{Role::none, "none"}, {Role::viewer, "viewer"}, {Role::operator_, "operator"}, {Role::admin, "admin"}};

std::string hex(const unsigned char* bytes, std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", bytes[i]);
  return text;
}

Result<std::string> random_hex(std::size_t n) {
  std::array<unsigned char, kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(n)) != 1)
    return Error{Errc::unavailable, "the system's random generator gives nothing: no key can be made now"};
  return hex(bytes.data(), n);
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hex(digest.data(), digest.size());
}

store::Record to_record(const Key& key, const std::string& hash) {
  Json body = {{"role", to_string(key.role)}, {"label", key.label}, {"created", to_unix_ms(key.created)}, {"sha256", hash}};
  if (key.revoked) body["revoked"] = to_unix_ms(*key.revoked);
  return {std::string(kKind), key.id, key.created, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

struct StoredKey {
  Key key;
  std::string hash;
};

Result<StoredKey> parse(const store::Record& record) try {
  const Json body = Json::parse(record.body);
  StoredKey k;
  k.key.id = record.key;
  const auto role = parse_role(body.at("role").get<std::string>());
  if (!role) throw std::runtime_error("unknown role");
  k.key.role = *role;
  k.key.label = body.value("label", "");
  k.key.created = from_unix_ms(body.at("created").get<std::int64_t>());
  if (body.contains("revoked")) k.key.revoked = from_unix_ms(body.at("revoked").get<std::int64_t>());
  k.hash = body.at("sha256").get<std::string>();
  return k;
} catch (const std::exception& e) {
  return Error{Errc::corrupt, fmt::format("record key/{} cannot be read ({}): revoke the key and make a new one", record.key, e.what())};
}

// The id of "ghm_<id>_<secret>"; empty for any other text.
std::string_view id_of(std::string_view token) {
  if (!token.starts_with(kPrefix)) return {};
  token.remove_prefix(kPrefix.size());
  const auto end = token.find('_');
  return end == kIdBytes * 2 ? token.substr(0, end) : std::string_view();
}

std::string_view trimmed(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  return last == text.npos ? std::string_view() : text.substr(0, last + 1);
}

Result<bool> opens_as_admin(const store::RecordStore& records, const std::filesystem::path& file) {
  const auto text = read_file(file, 4096);
  if (!text) return false;
  const auto key = check_key(records, trimmed(*text));
  if (!key) return key.error();
  return *key && (*key)->role == Role::admin;
}

}  // namespace

std::string_view to_string(Role role) {
  return kRoles[static_cast<std::size_t>(role)].name;
}

std::optional<Role> parse_role(std::string_view text) {
  const auto found = std::ranges::find(kRoles, text, &RoleName::name);
  if (found == std::end(kRoles)) return std::nullopt;
  return found->role;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<NewKey> create_key(store::RecordStore& records, Role role, std::string_view label, Timestamp now) {
  const auto id = random_hex(kIdBytes);
  if (!id) return id.error();
  const auto secret = random_hex(kSecretBytes);
  if (!secret) return secret.error();
  NewKey made{{*id, role, std::string(label), now, {}}, fmt::format("{}{}_{}", kPrefix, *id, *secret)};
  const store::Record record = to_record(made.key, sha256(made.token));
  if (auto done = records.put({&record, 1}); !done) return done.error();
  return made;
}

Result<std::optional<Key>> check_key(const store::RecordStore& records, std::string_view token) {
  const auto id = id_of(token);
  if (id.empty()) return std::optional<Key>();
  const auto record = records.get(kKind, id);
  if (!record) return record.error();
  if (!*record) return std::optional<Key>();
  auto stored = parse(**record);
  if (!stored) return stored.error();
  const bool good = equal_in_constant_time(sha256(token), stored->hash) && !stored->key.revoked;
  return good ? std::optional(std::move(stored->key)) : std::nullopt;
}

Result<std::vector<Key>> list_keys(const store::RecordStore& records) {
  const auto found = records.scan(kKind, "", "", kMostKeys);
  if (!found) return found.error();
  std::vector<Key> keys;
  for (const auto& record : *found) {
    auto stored = parse(record);
    if (!stored) return stored.error();
    keys.push_back(std::move(stored->key));
  }
  std::ranges::sort(keys, {}, [](const Key& k) { return std::pair(k.created, k.id); });
  return keys;
}

Result<void> revoke_key(store::RecordStore& records, std::string_view id, Timestamp now) {
  const auto record = records.get(kKind, id);
  if (!record) return record.error();
  if (!*record) return Error{Errc::not_found, fmt::format("key {}: there is no such key; `ghm keys list` shows them", id)};
  auto stored = parse(**record);
  if (!stored) return stored.error();
  if (stored->key.revoked) return {};
  stored->key.revoked = now;
  const store::Record changed = to_record(stored->key, stored->hash);
  return records.put({&changed, 1});
}

Result<void> ensure_admin_token(store::RecordStore& records, const std::filesystem::path& file, Timestamp now) {
  const auto good = opens_as_admin(records, file);
  if (!good) return good.error();
  if (*good) {
    std::error_code ignored;  // another owner's file still works for who may read it
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
    return {};
  }
  const auto keys = list_keys(records);
  if (!keys) return keys.error();
  for (const Key& k : *keys)
    if (k.label == kLocalAdmin)
      if (auto done = revoke_key(records, k.id, now); !done) return done;
  const auto made = create_key(records, Role::admin, kLocalAdmin, now);
  if (!made) return made.error();
  return write_file_atomically(file, made->token + "\n", 0600);
}

}  // namespace ghm::api
