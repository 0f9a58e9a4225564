#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "core/handle.h"

namespace ghm::scrape::test {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Handle<X509, X509_free>;

/// A folder that is gone at the end of the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ghm-scrape-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& file) const { return (path_ / file).string(); }

 private:
  std::filesystem::path path_;
};

/// A certificate and its key as PEM files NAME.crt and NAME.key in `folder`; valid from a day ago for `days`.
struct Identity {
  std::string cert_file, key_file;
  Key key;
  Certificate cert;
};

inline void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  X509_add_ext(cert, extension.get(), -1);
}

/// Signed by `issuer`, or by itself as a CA when there is none. `names`: "DNS:gpu-host-1,IP:127.0.0.1".
inline Identity make_identity(const TempFolder& folder, const std::string& name, const Identity* issuer, const std::string& names,
                              int days = 30) {
  static long serial = 0;
  Identity id{folder / (name + ".crt"), folder / (name + ".key"), Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* cert = id.cert.get();
  X509* signer = issuer ? issuer->cert.get() : cert;
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), -86'400 * 2);
  X509_gmtime_adj(X509_getm_notAfter(cert), 86'400L * days);
  X509_set_pubkey(cert, id.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(cert, X509_get_subject_name(signer));
  if (!issuer) add_extension(cert, signer, NID_basic_constraints, "critical,CA:TRUE");
  if (!names.empty()) add_extension(cert, signer, NID_subject_alt_name, names);
  X509_sign(cert, issuer ? issuer->key.get() : id.key.get(), EVP_sha256());
  const Handle<std::FILE, std::fclose> cert_out(std::fopen(id.cert_file.c_str(), "w")), key_out(std::fopen(id.key_file.c_str(), "w"));
  PEM_write_X509(cert_out.get(), cert);
  PEM_write_PrivateKey(key_out.get(), id.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return id;
}

/// What an exporter needs to speak TLS; with `client_ca` it wants a certificate from its clients.
inline boost::asio::ssl::context server_context(const Identity& id, const Identity* client_ca = nullptr) {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
  context.use_certificate_chain_file(id.cert_file);
  context.use_private_key_file(id.key_file, boost::asio::ssl::context::pem);
  if (client_ca) {
    context.load_verify_file(client_ca->cert_file);
    context.set_verify_mode(boost::asio::ssl::verify_peer | boost::asio::ssl::verify_fail_if_no_peer_cert);
  }
  return context;
}

}  // namespace ghm::scrape::test
