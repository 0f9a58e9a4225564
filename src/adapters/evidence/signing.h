#pragma once
#include <openssl/evp.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/handle.h"
#include "core/result.h"

/// Ed25519 signatures (RFC 8032) by OpenSSL.
namespace ghm::evidence {

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// Who signed, for whoever checks.
class PublicKey {
 public:
  /// A PEM file's text ("-----BEGIN PUBLIC KEY-----"); invalid_input for anything else, and for a key of another kind.
  static Result<PublicKey> parse(std::string_view pem);

  bool has_signed(std::string_view bytes, std::string_view signature) const;
  /// SHA-256 of the key's 32 bytes, as 64 hex digits: short enough to be compared by eye or over the telephone.
  std::string fingerprint() const;
  std::string pem() const;

 private:
  using Raw = Handle<EVP_PKEY, EVP_PKEY_free>;
  explicit PublicKey(Raw key) : key_(std::move(key)) {}
  Raw key_;
};

/// The key that a site signs with; it stays on the server.
class SigningKey {
 public:
  /// Reads the key in `file`, or makes one there (mode 0600) when there is none; of two that make it at once, one's stands for both.
  /// unauthorized: others may read the file. corrupt: it holds no Ed25519 key.
  static Result<SigningKey> open_or_make(const std::filesystem::path& file);

  Result<std::string> sign(std::string_view bytes) const;  // 64 bytes
  Result<PublicKey> public_key() const;

 private:
  using Raw = Handle<EVP_PKEY, EVP_PKEY_free>;
  explicit SigningKey(Raw key) : key_(std::move(key)) {}
  static Result<SigningKey> read(const std::filesystem::path& file);
  Raw key_;
};

}  // namespace ghm::evidence
