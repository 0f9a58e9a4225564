#include "adapters/job_attribution/grpc_call.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/handle.h"

namespace ghm::job_attribution {
namespace {

constexpr std::size_t kPrefix = 5;  // a byte that says "compressed", four of the length

constexpr const char* kNotHttp2 = "what answers at the kubelet's socket does not speak HTTP/2";

Error failed(std::string what) {
  return {Errc::unavailable, std::move(what)};
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string with_prefix(const std::string& message) {
  std::string out(kPrefix, '\0');
  for (std::size_t i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(message.size() >> (24 - 8 * i));
  return out + message;
}

int connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  if (text.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  std::memcpy(address.sun_path, text.data(), text.size());
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return -1;
  if (::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return file;
  const int error = errno;  // a Unix socket is connected at once or not at all
  ::close(file);
  errno = error;
  return -1;
}

Error cannot_connect(const std::filesystem::path& path, int error) {
  const auto text = fmt::format("{}: {}", path.string(), std::strerror(error));
  if (error == ENOENT) return {Errc::not_found, text};
  if (error == EACCES || error == EPERM) return {Errc::unauthorized, text + ": the kubelet lets root alone ask"};
  return failed(text);
}

}  // namespace

// What the library calls back into. One stream, so there is no table of them.
struct GrpcCall::Session {
  Handle<nghttp2_session, nghttp2_session_del> http2;
  std::string request, answer, http_status, grpc_status, grpc_message;
  std::size_t sent = 0, most_bytes = 0;
  std::int32_t stream = -1;
  bool spoke = false;  // a frame has come: HTTP/2 begins with one
  bool closed = false, too_big = false;
  std::uint32_t reset_code = 0;
  std::string unsent;  // bytes that the socket did not take yet

  static ssize_t on_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                         void* self_) {
    auto& self = *static_cast<Session*>(self_);
    const auto size = std::min(room, self.request.size() - self.sent);
    std::memcpy(out, self.request.data() + self.sent, size);
    self.sent += size;
    if (self.sent == self.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name_, std::size_t name_size, const std::uint8_t* value_,
                       std::size_t value_size, std::uint8_t, void* self_) {
    constexpr std::size_t kMostText = 512;
    auto& self = *static_cast<Session*>(self_);
    const std::string_view name(reinterpret_cast<const char*>(name_), name_size);
    const std::string_view value(reinterpret_cast<const char*>(value_), std::min(value_size, kMostText));
    if (name == ":status") self.http_status = value;
    if (name == "grpc-status") self.grpc_status = value;
    if (name == "grpc-message") self.grpc_message = value;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame*, void* self) {
    static_cast<Session*>(self)->spoke = true;
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size, void* self_) {
    auto& self = *static_cast<Session*>(self_);
    if (self.answer.size() + size > self.most_bytes + kPrefix) return self.too_big = true, NGHTTP2_ERR_CALLBACK_FAILURE;
    self.answer.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t, std::uint32_t code, void* self_) {
    auto& self = *static_cast<Session*>(self_);
    self.closed = true, self.reset_code = code;
    return 0;
  }
};

GrpcCall::GrpcCall(int socket, Limits limits)
    : socket_(socket),
      limits_(limits),
      deadline_(std::chrono::steady_clock::now() + limits.timeout),
      session_(std::make_unique<Session>()) {}

GrpcCall::~GrpcCall() {
  ::close(socket_);
}

Result<std::unique_ptr<GrpcCall>> GrpcCall::start(const std::filesystem::path& path, std::string method, std::string message,
                                                  Limits limits) {
  const int socket = connect_to(path);
  if (socket < 0) return cannot_connect(path, errno);
  std::unique_ptr<GrpcCall> call(new GrpcCall(socket, limits));
  if (auto opened = call->open(std::move(method), std::move(message)); !opened) return opened.error();
  return call;
}

Result<void> GrpcCall::open(std::string method, std::string message) {
  auto& s = *session_;
  s.request = with_prefix(message);
  s.most_bytes = limits_.most_bytes;
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) return failed("no memory for an HTTP/2 session");
  const Handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del> owned(callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Session::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Session::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Session::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Session::on_close);
  nghttp2_session* raw = nullptr;
  if (nghttp2_session_client_new(&raw, callbacks, &s) != 0) return failed("no memory for an HTTP/2 session");
  s.http2.reset(raw);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  const nghttp2_nv headers[] = {header(":method", "POST"),
                                header(":scheme", "http"),
                                header(":path", method),
                                header(":authority", "localhost"),
                                header("te", "trailers"),
                                header("content-type", "application/grpc"),
                                header("user-agent", "ghm-agent/1.0")};
  nghttp2_data_provider body{};
  body.read_callback = Session::on_body;
  s.stream = nghttp2_submit_request(raw, nullptr, headers, std::size(headers), &body, nullptr);
  if (s.stream < 0) return failed(fmt::format("HTTP/2: {}", nghttp2_strerror(s.stream)));
  return {};
}

Result<void> GrpcCall::send() {
  auto& s = *session_;
  for (;;) {
    if (s.unsent.empty()) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(s.http2.get(), &bytes);
      if (size < 0) return failed(fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(size))));
      if (size == 0) return {};
      s.unsent.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    const auto taken = ::send(socket_, s.unsent.data(), s.unsent.size(), MSG_NOSIGNAL);
    if (taken < 0 && (errno == EAGAIN || errno == EPIPE)) return {};  // closed: what it said before stands in the socket
    if (taken < 0) return failed(fmt::format("the kubelet's socket: {}", std::strerror(errno)));
    s.unsent.erase(0, static_cast<std::size_t>(taken));
  }
}

Result<void> GrpcCall::receive() {
  auto& s = *session_;
  std::array<std::uint8_t, 16384> block;
  while (!s.closed) {
    const auto size = ::recv(socket_, block.data(), block.size(), 0);
    if (size < 0 && errno == EAGAIN) return {};
    if (size < 0) return failed(fmt::format("the kubelet's socket: {}", std::strerror(errno)));
    if (size == 0) return failed(s.spoke ? "the kubelet closed the connection before it had answered" : kNotHttp2);
    const auto used = nghttp2_session_mem_recv(s.http2.get(), block.data(), static_cast<std::size_t>(size));
    if (s.too_big) return failed(fmt::format("the kubelet's answer is larger than {} bytes", limits_.most_bytes));
    if (used < 0) return failed(kNotHttp2);
  }
  return {};
}

Result<std::string> GrpcCall::finish() const {
  const auto& s = *session_;
  if (s.reset_code != NGHTTP2_NO_ERROR) return failed(fmt::format("the kubelet broke the call off: HTTP/2 code {}", s.reset_code));
  if (s.http_status != "200") return failed(fmt::format("the kubelet answered HTTP {}, expected 200", s.http_status));
  if (s.grpc_status != "0") return failed(fmt::format("the kubelet answered gRPC status '{}': {}", s.grpc_status, s.grpc_message));
  if (s.answer.size() < kPrefix) return failed("the kubelet's answer has no message");
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) length = length << 8 | static_cast<unsigned char>(s.answer[i]);
  if (s.answer[0] != 0) return failed("the kubelet's answer is compressed, which was not asked for");
  if (s.answer.size() != kPrefix + length)
    return failed(fmt::format("the kubelet's message has {} bytes, its head says {}", s.answer.size() - kPrefix, length));
  return s.answer.substr(kPrefix);
}

std::optional<Result<std::string>> GrpcCall::step() {
  for (const auto work : {&GrpcCall::send, &GrpcCall::receive, &GrpcCall::send})  // what is received can want an answer
    if (auto done = (this->*work)(); !done) return Result<std::string>(done.error());
  if (session_->closed) return finish();
  if (std::chrono::steady_clock::now() < deadline_) return std::nullopt;
  return Result<std::string>(failed(fmt::format("the kubelet has not answered for {} ms", limits_.timeout.count())));
}

void GrpcCall::wait(std::chrono::milliseconds longest) const {
  pollfd ready{socket_, static_cast<short>(session_->unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  ::poll(&ready, 1, static_cast<int>(longest.count()));
}

}  // namespace ghm::job_attribution
