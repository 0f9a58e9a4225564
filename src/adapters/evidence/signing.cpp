#include "adapters/evidence/signing.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/files.h"

namespace ghm::evidence {
namespace {

using Bio = Handle<BIO, BIO_free_all>;
using Context = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr std::size_t kMostPem = 4096, kSignature = 64, kRawKey = 32;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const unsigned char c : bytes) out += fmt::format("{:02x}", c);
  return out;
}

Bio reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_in(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

// A key with a pass phrase is not ours; OpenSSL would ask for it on the terminal.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Error broken(std::string_view what) {
  return {Errc::unavailable, fmt::format("OpenSSL could not {}: is its default provider there?", what)};
}

/// Puts `pem` where `file` is not yet; false when somebody was quicker.
Result<bool> put_new(const std::filesystem::path& file, std::string_view pem) {
  std::array<unsigned char, 8> any{};
  if (RAND_bytes(any.data(), any.size()) != 1) return broken("make random bytes");
  const std::filesystem::path draft = fmt::format("{}.{}", file.string(), hex({reinterpret_cast<const char*>(any.data()), any.size()}));
  if (auto done = write_file_atomically(draft, pem, 0600); !done) return done.error();
  // A link fails where a name is taken already, as a rename would not.
  const bool first = ::link(draft.c_str(), file.c_str()) == 0;
  const int why = errno;
  ::unlink(draft.c_str());
  if (!first && why != EEXIST) return Error{Errc::unavailable, fmt::format("{}: {}", file.string(), std::strerror(why))};
  return first;
}

Result<std::string> new_key_pem() {
  const Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const Bio out(BIO_new(BIO_s_mem()));
  if (!key || !out || PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return broken("make an Ed25519 key");
  return text_in(out.get());
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes_of(bytes), bytes.size(), digest.data());
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Result<PublicKey> PublicKey::parse(std::string_view pem) {
  const Error wrong{Errc::invalid_input, "no Ed25519 public key in PEM form: expected what `ghm rma key` prints"};
  if (pem.size() > kMostPem) return wrong;
  const auto in = reading(pem);
  Raw key(PEM_read_bio_PUBKEY(in.get(), nullptr, no_pass_phrase, nullptr));
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return wrong;
  return PublicKey(std::move(key));
}

bool PublicKey::has_signed(std::string_view bytes, std::string_view signature) const {
  if (signature.size() != kSignature) return false;
  const Context by(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(by.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(by.get(), bytes_of(signature), signature.size(), bytes_of(bytes), bytes.size()) == 1;
}

std::string PublicKey::fingerprint() const {
  std::string raw(kRawKey, '\0');
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) != 1) return {};
  return sha256_hex(std::string_view(raw).substr(0, size));
}

std::string PublicKey::pem() const {
  const Bio out(BIO_new(BIO_s_mem()));
  return PEM_write_bio_PUBKEY(out.get(), key_.get()) == 1 ? text_in(out.get()) : std::string();
}

Result<SigningKey> SigningKey::read(const std::filesystem::path& file) {
  auto pem = read_file(file, kMostPem);
  if (!pem) return pem.error();
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    return Error{Errc::unauthorized,
                 fmt::format("{}: others may read this signing key: chmod 600 it, or move it away for a new one", file.string())};
  const auto in = reading(*pem);
  Raw key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_pass_phrase, nullptr));
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519)
    return Error{Errc::corrupt, fmt::format("{}: holds no Ed25519 key: move it away, and a new one is made", file.string())};
  return SigningKey(std::move(key));
}

Result<SigningKey> SigningKey::open_or_make(const std::filesystem::path& file) {
  auto kept = read(file);
  if (kept || kept.error().code != Errc::not_found) return kept;
  const auto pem = new_key_pem();
  if (!pem) return pem.error();
  if (const auto made = put_new(file, *pem); !made) return made.error();
  return read(file);
}

Result<std::string> SigningKey::sign(std::string_view bytes) const {
  const Context by(EVP_MD_CTX_new());
  std::string signature(kSignature, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(by.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(by.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(bytes), bytes.size()) != 1)
    return broken("sign");
  return signature;
}

Result<PublicKey> SigningKey::public_key() const {
  const Bio out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(out.get(), key_.get()) != 1) return broken("write a public key");
  return PublicKey::parse(text_in(out.get()));
}

}  // namespace ghm::evidence
