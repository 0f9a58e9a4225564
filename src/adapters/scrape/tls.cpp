#include "adapters/scrape/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <system_error>

namespace ghm::scrape {

// The socket under a session, as an OpenSSL BIO. OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that left
// would end the program with SIGPIPE.
struct TlsSession::Wire {
  int fd = -1;
  int error = 0;  // errno of the last failed call
  bool ended = false;

  static Wire& of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int n) {
    Wire& wire = of(bio);
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(wire.fd, into, static_cast<std::size_t>(n), 0);
    if (got == 0) wire.ended = true;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    else if (got < 0) wire.error = errno;
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* bytes, int n) {
    Wire& wire = of(bio);
    BIO_clear_retry_flags(bio);
    const auto sent = ::send(wire.fd, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    else if (sent < 0) wire.error = errno;
    return static_cast<int>(sent);
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return of(bio).ended;
    return command == BIO_CTRL_FLUSH;
  }

  static const BIO_METHOD* method() {
    static const Handle<BIO_METHOD, BIO_meth_free> made = [] {
      Handle<BIO_METHOD, BIO_meth_free> m(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "scraped socket"));
      BIO_meth_set_read(m.get(), read);
      BIO_meth_set_write(m.get(), write);
      BIO_meth_set_ctrl(m.get(), control);
      return m;
    }();
    return made.get();
  }
};

TlsSession::TlsSession() = default;
TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;

Result<TlsSession> TlsSession::open(SSL_CTX& context, int fd, const Url& url, const telemetry::ScrapeAccess& access) {
  TlsSession session;
  session.wire_ = std::make_unique<Wire>(Wire{fd});
  session.ssl_.reset(SSL_new(&context));
  SSL* ssl = session.ssl_.get();
  BIO* bio = ssl ? BIO_new(Wire::method()) : nullptr;
  if (!bio) return Error{Errc::unavailable, "no memory for TLS"};
  BIO_set_data(bio, session.wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  session.expected_name_ = access.server_name.empty() ? url.host : access.server_name;
  boost::system::error_code not_numeric;
  boost::asio::ip::make_address(session.expected_name_, not_numeric);
  if (!not_numeric) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), session.expected_name_.c_str());
  } else {
    SSL_set1_host(ssl, session.expected_name_.c_str());
    SSL_set_tlsext_host_name(ssl, session.expected_name_.c_str());
  }
  SSL_set_verify(ssl, access.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_set_connect_state(ssl);
  return session;
}

IoResult TlsSession::handshake() {
  ERR_clear_error();
  return result(SSL_do_handshake(ssl_.get()));
}

IoResult TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1u << 30)));
  return n > 0 ? IoResult{Io::done, static_cast<std::size_t>(n)} : result(n);
}

IoResult TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  const int n = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  return n > 0 ? IoResult{Io::done, static_cast<std::size_t>(n)} : result(n);
}

IoResult TlsSession::result(int returned) {
  if (returned > 0) return {};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return {Io::want_read};
    case SSL_ERROR_WANT_WRITE: return {Io::want_write};
    case SSL_ERROR_ZERO_RETURN: return {Io::ended};
    default: break;
  }
  error_ = ERR_peek_error();
  if (error_ == 0 && wire_->error == 0) return {Io::ended};
  return {Io::failed};
}

std::string TlsSession::why_not_trusted() const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the server's certificate is not for '{}': set tls_config.server_name to the name that stands in it",
                         expected_name_);
    case X509_V_ERR_CERT_HAS_EXPIRED: return "the server's certificate has expired: renew it";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "the server's certificate is not valid yet: check the clocks of both machines";
    default: break;
  }
  return fmt::format("the server's certificate is not trusted ({}): set tls_config.ca_file to the CA that signed it",
                     X509_verify_cert_error_string(verdict));
}

std::string TlsSession::why() const {
  if (ERR_GET_LIB(error_) == ERR_LIB_SSL) {
    const int reason = ERR_GET_REASON(error_);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return why_not_trusted();
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG)
      return "the server does not speak TLS on this port: set scheme to http or mend the port";
    // Alerts of the server are its reason codes plus 1000 (SSL_AD_REASON_OFFSET); these are about our certificate.
    for (const int about_us :
         {SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
          SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED, TLS13_AD_CERTIFICATE_REQUIRED, SSL_AD_HANDSHAKE_FAILURE})
      if (reason == SSL_AD_REASON_OFFSET + about_us)
        return fmt::format(
            "the server refused the client certificate or wants one ({}): set tls_config.cert_file and key_file to a pair that it accepts",
            ERR_reason_error_string(error_));
  }
  const char* words = error_ != 0 ? ERR_reason_error_string(error_) : nullptr;
  return fmt::format("TLS failed ({}): check the server's TLS settings",
                     words ? std::string(words) : std::generic_category().message(wire_->error));
}

namespace {

std::string openssl_words() {
  const char* words = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = words ? words : "unreadable";
  ERR_clear_error();
  return text;
}

Error bad_file(const char* key, const std::string& path, const char* expected) {
  return {Errc::invalid_input, fmt::format("tls_config.{} {}: {}: expected {}", key, path, openssl_words(), expected)};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const telemetry::ScrapeAccess& a) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* c = context.get();
  if (!c) return Error{Errc::unavailable, "no memory for TLS"};
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  // An exporter that closes without a TLS goodbye is common; whether the page is whole is told by HTTP.
  SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (a.ca_file.empty()) SSL_CTX_set_default_verify_paths(c);
  else if (SSL_CTX_load_verify_locations(c, a.ca_file.c_str(), nullptr) != 1) return bad_file("ca_file", a.ca_file, "PEM certificates");
  if (a.cert_file.empty()) return context;
  if (SSL_CTX_use_certificate_chain_file(c, a.cert_file.c_str()) != 1) return bad_file("cert_file", a.cert_file, "a PEM certificate");
  if (SSL_CTX_use_PrivateKey_file(c, a.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad_file("key_file", a.key_file, "the PEM private key of cert_file");
  return context;
}

}  // namespace

Result<std::shared_ptr<SSL_CTX>> TlsContexts::get(const telemetry::ScrapeAccess& a) {
  const FileStamp ca = stamp_of(a.ca_file), cert = stamp_of(a.cert_file), key = stamp_of(a.key_file);
  Made& made = made_[{a.ca_file, a.cert_file, a.key_file}];
  if (made.context && made.ca == ca && made.cert == cert && made.key == key) return made.context;
  auto context = make_context(a);
  if (!context) return context.error();
  made = {ca, cert, key, std::move(*context)};
  return made.context;
}

}  // namespace ghm::scrape
