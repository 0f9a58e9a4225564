#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/evidence/member.h"
#include "adapters/evidence/signing.h"
#include "core/result.h"
#include "core/time.h"

/// An evidence bundle: files of evidence, manifest.json with the SHA-256 of each, manifest.sig (Ed25519 over the manifest's bytes) and
/// public_key.pem, as one .tar.zst. Whoever has the site's public key can tell, years later and without a network, that nothing
/// was changed; the formats are common, so that this needs no program of ours.
namespace ghm::evidence {

inline constexpr std::string_view kManifest = "manifest.json", kSignature = "manifest.sig", kPublicKey = "public_key.pem";

using Json = nlohmann::ordered_json;

/// Signs and packs. `about` is an object whose members open the manifest: what the bundle is of.
Result<std::string> seal(std::vector<Member> members, Json about, const SigningKey& key, Timestamp now);

/// What a look at a bundle found.
struct Verdict {
  std::vector<std::string> troubles;  // one sentence each, with the name of the member; empty: all is as it was signed
  bool key_given = false;             // the signature was checked with a key from elsewhere, not with the bundle's own
  std::string fingerprint;            // of the key that it was checked with; empty when there was none
  Json manifest;                      // null when it cannot be read
  std::vector<Member> members;        // what could be read, changed or not

  bool intact() const { return troubles.empty(); }
  const Member* find(std::string_view name) const;
};

/// `trusted`: the key of the site that is said to have signed; nullptr: the bundle's own, which shows that it is whole, but not who
/// made it. Bytes of any kind are welcome. O(size).
Verdict verify(std::string_view bytes, const PublicKey* trusted);
/// The same of members that were unpacked already; `trouble` as in Unpacked.
Verdict verify(std::vector<Member> members, const std::string& trouble, const PublicKey* trusted);

}  // namespace ghm::evidence
