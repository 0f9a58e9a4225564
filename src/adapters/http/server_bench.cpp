// One client over loopback: what a request costs in head, parser, handler call and two system calls. For many clients
// at once use wrk.
#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>
#include <vector>

#include "adapters/http/request_reader.h"
#include "adapters/http/server.h"

namespace ghm::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

const std::string kBrowserGet =
    "GET /api/v1/fleet/summary HTTP/1.1\r\nHost: localhost:9480\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB\r\nSec-Fetch-Mode: cors\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)\r\n\r\n";

void BM_ReadRequest(benchmark::State& state) {
  RequestReader reader({});
  for (auto _ : state) {
    std::size_t used = 0;
    benchmark::DoNotOptimize(reader.read(kBrowserGet, used));
    reader.reset();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ReadRequest);

// Bursts of pipelined requests, each answered with a shared body of 2 kB.
void BM_Pipelined(benchmark::State& state) {
  const auto body = std::make_shared<const std::string>(2048, 'x');
  asio::io_context io(1);
  std::size_t head = 0;
  Server server(
      io, {},
      [&](const Request&, Reply reply) {
        Response r;
        r.shared_body = body;
        reply(std::move(r));
      },
      Log::off());
  const auto port = server.listen("127.0.0.1:0").value();
  std::jthread loop([&] { io.run(); });
  asio::io_context client_io;
  tcp::socket client(client_io);
  client.connect({asio::ip::address_v4::loopback(), port});
  const auto burst = static_cast<std::size_t>(state.range(0));
  std::string requests;
  for (std::size_t n = 0; n < burst; ++n) requests += kBrowserGet;
  asio::write(client, asio::buffer(kBrowserGet));
  std::string first;
  while ((head = first.find("\r\n\r\n")) == first.npos) asio::read(client, asio::dynamic_buffer(first), asio::transfer_at_least(1));
  const std::size_t answer = head + 4 + body->size();
  if (first.size() < answer) asio::read(client, asio::dynamic_buffer(first), asio::transfer_exactly(answer - first.size()));
  std::vector<char> answers(burst * answer);
  for (auto _ : state) {
    asio::write(client, asio::buffer(requests));
    asio::read(client, asio::buffer(answers));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(burst));
  client.close();
  server.stop();
}
BENCHMARK(BM_Pipelined)->Arg(1)->Arg(16)->UseRealTime();

}  // namespace
}  // namespace ghm::http
