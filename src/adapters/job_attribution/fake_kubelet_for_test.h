#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace ghm::job_attribution {

/// A kubelet's PodResources service on a Unix socket: HTTP/2 without TLS, one call after the other, in a thread of its own.
class FakeKubelet {
 public:
  struct Answer {
    std::string message = {};  // of the gRPC answer
    std::string grpc_status = "0", grpc_message = {};
    bool trailers_only = false;   // an error without a body, as gRPC servers send it
    std::string raw = {};         // instead of HTTP/2: these bytes, and the end
    bool says_nothing = false;    // accepts, and that is all
    bool reset = false;           // RST_STREAM
    std::size_t piece = 1 << 20;  // bytes per write
  };
  /// Asked with the path of each call, ":path".
  using Behaviour = std::function<Answer(const std::string& path)>;

  FakeKubelet(std::filesystem::path socket, Behaviour behaviour);
  ~FakeKubelet();
  FakeKubelet(const FakeKubelet&) = delete;
  FakeKubelet& operator=(const FakeKubelet&) = delete;

 private:
  void serve(std::stop_token stop);
  void talk(int client, std::stop_token stop);

  std::filesystem::path path_;
  Behaviour behaviour_;
  int listener_ = -1;
  std::jthread thread_;
};

}  // namespace ghm::job_attribution
