#include "adapters/evidence/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "adapters/evidence/tar_zst.h"
#include "core/utf8.h"

namespace ghm::evidence {
namespace {

constexpr int kVersion = 1;
constexpr std::string_view kFormat = "ghm-rma";

struct Listed {
  std::uint64_t size = 0;
  std::string sha256;
};
using List = std::map<std::string, Listed>;

/// nullopt when the manifest is none of ours.
std::optional<List> read_list(const Json& manifest) {
  const auto members = manifest.is_object() ? manifest.find("members") : manifest.end();
  if (!manifest.is_object() || manifest.value("format", Json()) != kFormat || members == manifest.end() || !members->is_array())
    return std::nullopt;
  List list;
  for (const auto& m : *members) {
    if (!m.is_object() || !m.contains("name") || !m["name"].is_string() || !m.contains("size") || !m["size"].is_number_unsigned() ||
        !m.contains("sha256") || !m["sha256"].is_string())
      return std::nullopt;
    if (!list.emplace(m["name"].get<std::string>(), Listed{m["size"].get<std::uint64_t>(), m["sha256"].get<std::string>()}).second)
      return std::nullopt;
  }
  return list;
}

void compare(const List& list, Verdict& v) {
  std::set<std::string> found;
  for (const auto& m : v.members) {
    if (!found.insert(m.name).second) v.troubles.push_back(fmt::format("{} is there twice", m.name));
    if (m.name == kManifest || m.name == kSignature) continue;
    const auto listed = list.find(m.name);
    if (listed == list.end()) v.troubles.push_back(fmt::format("{} was added: the manifest does not list it", m.name));
    else if (m.bytes.size() != listed->second.size || sha256_hex(m.bytes) != listed->second.sha256)
      v.troubles.push_back(fmt::format("{} was changed: its SHA-256 is not the manifest's", m.name));
  }
  for (const auto& [name, listed] : list)
    if (!found.contains(name)) v.troubles.push_back(fmt::format("{} is missing", to_utf8(name)));
}

void check_signature(const Member& manifest, const PublicKey& key, const PublicKey* trusted, Verdict& v) {
  v.fingerprint = key.fingerprint();
  const auto* signature = v.find(kSignature);
  if (signature == nullptr) return v.troubles.push_back(fmt::format("{} is missing: nothing says who made this", kSignature));
  if (key.has_signed(manifest.bytes, signature->bytes)) return;
  const auto* own = v.find(kPublicKey);
  const auto other = own != nullptr ? PublicKey::parse(own->bytes) : Result<PublicKey>(Error{});
  if (trusted != nullptr && other && other->fingerprint() != v.fingerprint)
    return v.troubles.push_back(
        fmt::format("it was signed by another key: the bundle names {}, yours is {}", other->fingerprint(), v.fingerprint));
  v.troubles.push_back(fmt::format("{} is not what was signed: it or {} was changed", kManifest, kSignature));
}

void check_signature(const Member& manifest, const PublicKey* trusted, Verdict& v) {
  if (trusted != nullptr) return check_signature(manifest, *trusted, trusted, v);
  const auto* own = v.find(kPublicKey);
  if (own == nullptr) return v.troubles.push_back(fmt::format("{} is missing: give the site's key with --key", kPublicKey));
  const auto key = PublicKey::parse(own->bytes);
  if (!key) return v.troubles.push_back(fmt::format("{}: {}", kPublicKey, key.error().what));
  check_signature(manifest, *key, nullptr, v);
}

}  // namespace

const Member* Verdict::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

Result<std::string> seal(std::vector<Member> members, Json about, const SigningKey& key, Timestamp now) {
  const auto shown = key.public_key();
  if (!shown) return shown.error();
  members.push_back({std::string(kPublicKey), shown->pem()});
  Json manifest = {{"format", kFormat}, {"version", kVersion}};
  manifest.update(about);
  manifest["key"] = shown->fingerprint();
  auto& list = manifest["members"] = Json::array();
  for (const auto& m : members) list.push_back({{"name", m.name}, {"size", m.bytes.size()}, {"sha256", sha256_hex(m.bytes)}});
  auto text = manifest.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  auto signature = key.sign(text);
  if (!signature) return signature;
  members.insert(members.begin(), {{std::string(kManifest), std::move(text)}, {std::string(kSignature), std::move(*signature)}});
  return pack(members, now);
}

Verdict verify(std::vector<Member> members, const std::string& trouble, const PublicKey* trusted) {
  Verdict v;
  v.key_given = trusted != nullptr;
  v.members = std::move(members);
  if (!trouble.empty()) v.troubles.push_back(trouble);
  const auto* manifest = v.find(kManifest);
  if (manifest == nullptr) {
    v.troubles.push_back(fmt::format("{} is missing: nothing says what should be here", kManifest));
    return v;
  }
  check_signature(*manifest, trusted, v);
  v.manifest = Json::parse(manifest->bytes, nullptr, false);
  if (const auto list = read_list(v.manifest)) compare(*list, v);
  else v.troubles.push_back(fmt::format("{} is no manifest of an evidence bundle", kManifest));
  if (v.manifest.is_discarded()) v.manifest = nullptr;
  return v;
}

Verdict verify(std::string_view bytes, const PublicKey* trusted) {
  auto found = unpack(bytes);
  return verify(std::move(found.members), found.trouble, trusted);
}

}  // namespace ghm::evidence
