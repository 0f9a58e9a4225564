#pragma once
#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "adapters/scrape/address.h"
#include "adapters/scrape/watched_file.h"
#include "core/handle.h"
#include "core/result.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

/// What a call that must not block came to.
enum class Io { done, want_read, want_write, ended, failed };
struct IoResult {
  Io io = Io::done;
  std::size_t n = 0;  // bytes, when done
};

/// One TLS client session over a connected, non-blocking socket that somebody else owns. TLS 1.2 or newer; the server's
/// certificate is checked against the CAs and for its name, unless insecure_skip_verify. OpenSSL works on the socket itself
/// (no buffers in between), and gives its own ones back while a connection idles.
class TlsSession {
 public:
  static Result<TlsSession> open(SSL_CTX& context, int fd, const Url& url, const telemetry::ScrapeAccess& access);
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;

  IoResult handshake();
  IoResult read(std::span<char> into);
  IoResult write(std::string_view bytes);
  /// After Io::failed: what is wrong and what to do, without the place.
  std::string why() const;

 private:
  struct Wire;
  TlsSession();
  IoResult result(int returned);
  std::string why_not_trusted() const;

  std::unique_ptr<Wire> wire_;
  Handle<SSL, SSL_free> ssl_;
  unsigned long error_ = 0;  // OpenSSL's, of the last failure
  std::string expected_name_;
};

/// One SSL_CTX for all targets with the same files, made again when one of the files changed.
class TlsContexts {
 public:
  /// The error names the file and what is wrong with it.
  Result<std::shared_ptr<SSL_CTX>> get(const telemetry::ScrapeAccess& access);

 private:
  using Files = std::tuple<std::string, std::string, std::string>;  // ca, cert, key
  struct Made {
    FileStamp ca, cert, key;
    std::shared_ptr<SSL_CTX> context;
  };
  std::map<Files, Made> made_;
};

}  // namespace ghm::scrape
