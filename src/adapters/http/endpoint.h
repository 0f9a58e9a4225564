#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ghm::http {

/// Where "127.0.0.1:9480", "[::]:9480", ":9480" (everywhere, both families) or "name:9480" listens; a name may have several.
Result<std::vector<boost::asio::ip::tcp::endpoint>> parse_listen(const std::string& address);

/// One sentence for a bind that failed: what, where, who could be in the way, what to do.
Error why_not_listening(const std::string& address, unsigned short port, const boost::system::error_code& ec);

/// "127.0.0.1", also for ::ffff:127.0.0.1, which is how an IPv4 client looks on a socket of both families.
boost::asio::ip::address plain_address(const boost::asio::ip::address& a);

}  // namespace ghm::http
