#include "adapters/http/endpoint.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <charconv>

namespace ghm::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Error unreadable(const std::string& address) {
  return {Errc::invalid_input, fmt::format("listen: {}: expected HOST:PORT, for example 127.0.0.1:9480, [::]:9480 or :9480", address)};
}

Result<std::vector<tcp::endpoint>> resolve(const std::string& address, const std::string& host, unsigned short port) {
  asio::io_context io;
  error_code ec;
  const auto found = tcp::resolver(io).resolve(host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty())
    return Error{Errc::invalid_input,
                 fmt::format("listen: {}: the name {} has no address ({}): use an address of this machine", address, host, ec.message())};
  std::vector<tcp::endpoint> all;
  for (const auto& entry : found) all.push_back(entry.endpoint());
  return all;
}

}  // namespace

Result<std::vector<tcp::endpoint>> parse_listen(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return unreadable(address);
  unsigned short port = 0;
  const char* end = address.data() + address.size();
  const auto [stop, failed] = std::from_chars(address.data() + colon + 1, end, port);
  if (failed != std::errc() || stop != end) return unreadable(address);
  std::string host = address.substr(0, colon);
  if (host.empty() || host == "*") return std::vector{tcp::endpoint(tcp::v6(), port)};
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos) return unreadable(address);
  error_code ec;
  const auto ip = asio::ip::make_address(host, ec);
  if (!ec) return std::vector{tcp::endpoint(ip, port)};
  return resolve(address, host, port);
}

Error why_not_listening(const std::string& address, unsigned short port, const error_code& ec) {
  if (ec == asio::error::address_in_use)
    return {Errc::conflict,
            fmt::format(
                "listen: {}: port {} is taken, perhaps by another ghm: stop that program (`ss -ltnp 'sport = :{}'` names it) or listen on "
                "another port",
                address, port, port)};
  if (ec == asio::error::access_denied)
    return {Errc::unauthorized,
            fmt::format("listen: {}: port {} needs privileges: take a port above 1023, or give the program CAP_NET_BIND_SERVICE", address,
                        port)};
  if (ec.value() == EADDRNOTAVAIL)
    return {Errc::invalid_input,
            fmt::format("listen: {}: this machine has no such address: take one that `ip addr` shows, or :{} for all", address, port)};
  return {Errc::unavailable, fmt::format("listen: {}: {}", address, ec.message())};
}

asio::ip::address plain_address(const asio::ip::address& a) {
  if (a.is_v6() && a.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
  return a;
}

}  // namespace ghm::http
