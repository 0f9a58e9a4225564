#pragma once
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

#include "adapters/http/server.h"
#include "core/result.h"

namespace ghm::http {

/// What the settings name, read: the server's own certificate and, with client_ca_file, who may show one of theirs. Null without a
/// certificate. invalid_input: a sentence that names the key and the file.
Result<std::shared_ptr<boost::asio::ssl::context>> open_tls(const ServerSettings& settings);

/// The certificate that a client showed in its handshake.
struct ClientCertificate {
  std::string name;      // its common name, printable ASCII; "?" when it has none
  std::string trouble;   // why it does not count, one sentence; empty: it is one of ours
  std::time_t ends = 0;  // it or one above it is no longer valid from then on
};

/// nullopt: the client showed none. After the handshake.
std::optional<ClientCertificate> certificate_of(SSL* session);

/// Tells whether a file that the settings name was written or replaced since the last look. Four stat calls.
class TlsFiles {
 public:
  explicit TlsFiles(const ServerSettings& settings);
  bool changed();

 private:
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0, written_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp_of(const std::string& path);

  std::array<std::string, 4> paths_;
  std::array<Stamp, 4> stamps_;
};

}  // namespace ghm::http
