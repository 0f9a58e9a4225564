// What reads a bundle reads what anybody sends. Bytes are tried as a packed file and as the tar inside one, for a fuzzer does not
// find its way through a checksum. Nothing but what was really signed may pass, and never under a stranger's key.
#include <cstdint>
#include <cstdlib>

#include "adapters/evidence/bundle.h"
#include "adapters/evidence/tar_zst.h"

using namespace ghm::evidence;

namespace {

constexpr const char* kStranger =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAUTzKWNKqvTxAXrXK0GSmD1Ava/ue5ZU0moAVEye8rNc=\n-----END PUBLIC KEY-----\n";

void look(const Verdict& own, const Verdict& strange) {
  if (own.intact() && (own.fingerprint.empty() || !own.manifest.is_object() || own.find(kSignature) == nullptr)) std::abort();
  if (strange.intact()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto stranger = PublicKey::parse(kStranger);
  if (!stranger) std::abort();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  look(verify(bytes, nullptr), verify(bytes, &*stranger));
  const auto inside = unpack_tar(bytes);
  look(verify(inside.members, inside.trouble, nullptr), verify(inside.members, inside.trouble, &*stranger));
  return 0;
}
