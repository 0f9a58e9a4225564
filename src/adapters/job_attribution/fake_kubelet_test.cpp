// The fake kubelet itself; it stands in a _test file so that the product does not carry it.
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "adapters/job_attribution/fake_kubelet_for_test.h"

namespace ghm::job_attribution {
namespace {

struct Call {
  FakeKubelet::Answer answer;
  const FakeKubelet::Behaviour* behaviour = nullptr;
  std::string path, body;
  std::size_t sent = 0;
};

nghttp2_nv header(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
              std::size_t value_size, std::uint8_t, void* call) {
  if (std::string(reinterpret_cast<const char*>(name), name_size) == ":path")
    static_cast<Call*>(call)->path.assign(reinterpret_cast<const char*>(value), value_size);
  return 0;
}

ssize_t on_body(nghttp2_session* session, std::int32_t stream, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
                nghttp2_data_source*, void* call_) {
  auto& call = *static_cast<Call*>(call_);
  const auto size = std::min(room, call.body.size() - call.sent);
  std::memcpy(out, call.body.data() + call.sent, size);
  call.sent += size;
  if (call.sent < call.body.size()) return static_cast<ssize_t>(size);
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const std::string status = "grpc-status", text = "grpc-message";
  const nghttp2_nv trailers[] = {header(status, call.answer.grpc_status), header(text, call.answer.grpc_message)};
  nghttp2_submit_trailer(session, stream, trailers, std::size(trailers));
  return static_cast<ssize_t>(size);
}

void respond(nghttp2_session* session, std::int32_t stream, Call& call) {
  call.answer = (*call.behaviour)(call.path);
  if (call.answer.reset) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_INTERNAL_ERROR);
    return;
  }
  call.body.assign(5, '\0');
  for (int i = 0; i < 4; ++i) call.body[static_cast<std::size_t>(1 + i)] = static_cast<char>(call.answer.message.size() >> (24 - 8 * i));
  call.body += call.answer.message;
  const std::string status = ":status", ok = "200", type = "content-type", grpc = "application/grpc", code = "grpc-status",
                    text = "grpc-message";
  if (call.answer.trailers_only) {
    const nghttp2_nv headers[] = {header(status, ok), header(type, grpc), header(code, call.answer.grpc_status),
                                  header(text, call.answer.grpc_message)};
    nghttp2_submit_response(session, stream, headers, std::size(headers), nullptr);
    return;
  }
  const nghttp2_nv headers[] = {header(status, ok), header(type, grpc)};
  nghttp2_data_provider body{};
  body.read_callback = on_body;
  nghttp2_submit_response(session, stream, headers, std::size(headers), &body);
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* call) {
  const bool whole = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
  if (whole) respond(session, frame->hd.stream_id, *static_cast<Call*>(call));
  return 0;
}

bool send_all(nghttp2_session* session, int client, std::size_t piece) {
  const std::uint8_t* bytes = nullptr;
  for (auto size = nghttp2_session_mem_send(session, &bytes); size > 0; size = nghttp2_session_mem_send(session, &bytes))
    for (std::size_t sent = 0; sent < static_cast<std::size_t>(size);) {
      const auto n = ::send(client, bytes + sent, std::min(piece, static_cast<std::size_t>(size) - sent), MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
  return true;
}

bool readable(int file, const std::stop_token& stop) {
  constexpr int kMoment = 20;
  while (!stop.stop_requested()) {
    pollfd ready{file, POLLIN, 0};
    if (::poll(&ready, 1, kMoment) > 0) return true;
  }
  return false;
}

}  // namespace

FakeKubelet::FakeKubelet(std::filesystem::path socket, Behaviour behaviour) : path_(std::move(socket)), behaviour_(std::move(behaviour)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 4);
  thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
}

FakeKubelet::~FakeKubelet() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
  std::filesystem::remove(path_);
}

void FakeKubelet::serve(std::stop_token stop) {
  while (readable(listener_, stop)) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    talk(client, stop);
    ::close(client);
  }
}

void FakeKubelet::talk(int client, std::stop_token stop) {
  Call call;
  call.behaviour = &behaviour_;
  const auto first = behaviour_("");
  if (!first.raw.empty()) {
    std::array<char, 4096> question;
    if (readable(client, stop) && ::recv(client, question.data(), question.size(), 0) > 0)
      ::send(client, first.raw.data(), first.raw.size(), MSG_NOSIGNAL);
    return;
  }
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, &call);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  std::array<std::uint8_t, 4096> block;
  while (readable(client, stop)) {
    const auto size = ::recv(client, block.data(), block.size(), 0);
    if (size <= 0) break;
    if (first.says_nothing) continue;
    if (nghttp2_session_mem_recv(session, block.data(), static_cast<std::size_t>(size)) < 0 || !send_all(session, client, first.piece))
      break;
  }
  nghttp2_session_del(session);
}

}  // namespace ghm::job_attribution
