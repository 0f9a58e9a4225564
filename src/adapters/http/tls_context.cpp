// A client may show a certificate, and need not. One that does not count ends no handshake: an alert would tell its owner a word, and a
// browser with a foreign certificate could not even see the page. So the verdict is kept beside the connection, and whoever asks for
// something that a certificate would open gets a sentence. Only what was found without any fault counts.
#include "adapters/http/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/handle.h"

namespace ghm::http {
namespace {

using boost::system::error_code;
using TlsContext = boost::asio::ssl::context;
using Certificate = Handle<X509, X509_free>;

Error unusable(const std::string& key, const std::string& file, const std::string& why, const char* expected) {
  return {Errc::invalid_input, fmt::format("{}: {} cannot be used ({}): expected {} that the server may read", key, file, why, expected)};
}

Error own_error(const std::string& key, const std::string& file, const error_code& ec) {
  return unusable(key, file, ec.message(), "a PEM file");
}

Error client_error(const char* key, const std::string& file, const char* expected) {
  const char* words = ERR_reason_error_string(ERR_peek_last_error());
  const std::string why = words ? words : "nothing of that kind in it";
  ERR_clear_error();
  return unusable(key, file, why, expected);
}

// Where the first fault of a client's certificate is kept: the library itself keeps the last.
int fault_place() {
  static const int place = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return place;
}

int note_and_go_on(int fine, X509_STORE_CTX* checking) {
  auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checking, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto fault = static_cast<std::intptr_t>(X509_STORE_CTX_get_error(checking));
  if (fine == 0 && SSL_get_ex_data(session, fault_place()) == nullptr)
    SSL_set_ex_data(session, fault_place(), reinterpret_cast<void*>(fault));  // NOLINT(performance-no-int-to-ptr): the pointer is a number
  return 1;
}

long first_fault(SSL* session) {
  const auto noted = reinterpret_cast<std::intptr_t>(SSL_get_ex_data(session, fault_place()));
  return noted != 0 ? static_cast<long>(noted) : SSL_get_verify_result(session);
}

Result<void> read_client_authorities(SSL_CTX* context, const ServerSettings& s) {
  ERR_clear_error();
  constexpr const char* kExpected = "PEM certificates of CAs";
  if (SSL_CTX_load_verify_locations(context, s.client_ca_file.c_str(), nullptr) != 1)
    return client_error("tls.client_ca_file", s.client_ca_file, kExpected);
  auto* names = SSL_load_client_CA_file(s.client_ca_file.c_str());  // a browser that has none of theirs does not ask its user
  if (names == nullptr) return client_error("tls.client_ca_file", s.client_ca_file, kExpected);
  SSL_CTX_set_client_CA_list(context, names);
  if (s.client_crl_file.empty()) return {};
  auto* store = SSL_CTX_get_cert_store(context);
  auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, s.client_crl_file.c_str(), X509_FILETYPE_PEM) < 1)
    return client_error("tls.client_crl_file", s.client_crl_file, "PEM revocation lists");
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return {};
}

Result<void> take_client_certificates(SSL_CTX* context, const ServerSettings& s) {
  if (auto done = read_client_authorities(context, s); !done) return done;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_and_go_on);
  // A session that goes on would bring its old verdict along: each connection is judged anew.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  return {};
}

std::string common_name(X509* certificate) {
  auto* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "?";
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return "?";
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(std::min(size, 200)));
  OPENSSL_free(text);
  std::ranges::replace_if(
      name, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name;
}

std::time_t end_of(const X509* certificate) {
  std::tm end{};
  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1 ? ::timegm(&end) : 0;
}

std::string why_it_does_not_count(long fault, const std::string& name) {
  switch (fault) {
    case X509_V_OK: return {};
    case X509_V_ERR_CERT_HAS_EXPIRED: return fmt::format("The client certificate '{}' has expired: renew it.", name);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("The client certificate '{}' is not valid yet: check the clocks of both machines.", name);
    case X509_V_ERR_CERT_REVOKED: return fmt::format("The client certificate '{}' was revoked: give this client another one.", name);
    case X509_V_ERR_CRL_HAS_EXPIRED: return "The server's revocation list (tls.client_crl_file) has expired: put a newer one there.";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return fmt::format("The server's tls.client_crl_file has no revocation list of the CA that signed '{}': add it.", name);
    case X509_V_ERR_INVALID_PURPOSE:
      return fmt::format("The client certificate '{}' is not one for clients: its extended key usage must allow clientAuth.", name);
    default: break;
  }
  return fmt::format("The client certificate '{}' is not trusted ({}): use one that the server's tls.client_ca_file has signed.", name,
                     X509_verify_cert_error_string(fault));
}

}  // namespace

Result<std::shared_ptr<TlsContext>> open_tls(const ServerSettings& s) {
  if (s.cert_file.empty() && s.key_file.empty()) return std::shared_ptr<TlsContext>();
  if (s.cert_file.empty() || s.key_file.empty())
    return Error{Errc::invalid_input, "tls: cert_file and key_file go together: give both, or none"};
  auto context = std::make_shared<TlsContext>(TlsContext::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code ec;
  if (context->use_certificate_chain_file(s.cert_file, ec); ec) return own_error("tls.cert_file", s.cert_file, ec);
  if (context->use_private_key_file(s.key_file, TlsContext::pem, ec); ec) return own_error("tls.key_file", s.key_file, ec);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    ERR_clear_error();
    return Error{Errc::invalid_input, fmt::format("tls: the key in {} does not belong to the certificate in {}", s.key_file, s.cert_file)};
  }
  if (s.client_ca_file.empty()) return context;
  if (auto done = take_client_certificates(context->native_handle(), s); !done) return done.error();
  return context;
}

std::optional<ClientCertificate> certificate_of(SSL* session) {
  const Certificate shown(SSL_get1_peer_certificate(session));
  if (!shown) return std::nullopt;
  ClientCertificate out{common_name(shown.get()), {}, end_of(shown.get())};
  out.trouble = why_it_does_not_count(first_fault(session), out.name);
  const auto* chain = SSL_get0_verified_chain(session);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) out.ends = std::min(out.ends, end_of(sk_X509_value(chain, i)));
  return out;
}

TlsFiles::TlsFiles(const ServerSettings& s) : paths_{s.cert_file, s.key_file, s.client_ca_file, s.client_crl_file} {
  std::ranges::transform(paths_, stamps_.begin(), stamp_of);
}

TlsFiles::Stamp TlsFiles::stamp_of(const std::string& path) {
  struct stat s {};
  if (path.empty() || ::stat(path.c_str(), &s) != 0) return {};
  constexpr std::int64_t kNanos = 1'000'000'000;
  return {s.st_ino, s.st_size, s.st_mtim.tv_sec * kNanos + s.st_mtim.tv_nsec};
}

bool TlsFiles::changed() {
  const auto before = stamps_;
  std::ranges::transform(paths_, stamps_.begin(), stamp_of);
  return stamps_ != before;
}

}  // namespace ghm::http
