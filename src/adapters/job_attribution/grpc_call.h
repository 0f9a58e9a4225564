#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

struct nghttp2_session;

namespace ghm::job_attribution {

/// One unary gRPC call over a Unix socket, in steps that never block: HTTP/2 without TLS by libnghttp2, and gRPC's five bytes
/// before the message. Source: "gRPC over HTTP2" (grpc/doc/PROTOCOL-HTTP2.md). The connection is closed with the call.
class GrpcCall {
 public:
  struct Limits {
    std::chrono::milliseconds timeout{5000};
    std::size_t most_bytes = 4 << 20;  // of the answer
  };
  /// method: "/v1.PodResourcesLister/List". message: the request, encoded.
  /// not_found: no socket there. unauthorized: the socket may not be used. unavailable: nobody listens.
  static Result<std::unique_ptr<GrpcCall>> start(const std::filesystem::path& socket, std::string method, std::string message,
                                                 Limits limits);
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;
  ~GrpcCall();

  /// Does what can be done now; nullopt: not finished yet. The answer's message, or what kept it from coming. Once finished,
  /// not to be called again.
  std::optional<Result<std::string>> step();
  /// Waits at most that long for something to do.
  void wait(std::chrono::milliseconds longest) const;

 private:
  struct Session;
  GrpcCall(int socket, Limits limits);
  Result<void> open(std::string method, std::string message);
  Result<void> receive();
  Result<void> send();
  Result<std::string> finish() const;

  int socket_;
  Limits limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::unique_ptr<Session> session_;
};

}  // namespace ghm::job_attribution
