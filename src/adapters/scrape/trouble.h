#pragma once
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/scrape/address.h"
#include "adapters/scrape/answer_reader.h"

/// What went wrong with a request, as one sentence each: where, what, and what to do.
namespace ghm::scrape {

enum class Stage { idle, finding, connecting, handshaking, sending, receiving };

/// Tells "too many open files" apart, which is this machine's trouble and not the target's.
std::string socket_trouble(const Url& url, const boost::system::error_code& ec);
std::string name_trouble(const Url& url, std::string_view resolver_says);
/// A connection that broke while a request or an answer was on its way.
std::string broken_trouble(const Url& url, const boost::system::error_code& ec, std::size_t received);
/// `within`: the whole time-out. `received`: bytes of the answer.
std::string late_trouble(const Url& url, Stage stage, std::chrono::milliseconds within, std::size_t received);
/// `state` is neither more nor done.
std::string answer_trouble(const Url& url, const AnswerReader& answer, std::size_t limit);
std::string gzip_trouble(const Url& url, bool too_long, std::size_t limit);
/// An answer other than 200: status, the first line of its body, and where a redirect points.
std::string status_trouble(const Url& url, int status, std::string_view body, std::string_view location);
/// An answer 200 that cannot be an exporter's page because its beginning is binary or HTML; empty when it can.
std::string page_trouble(const Url& url, std::string_view page);
/// "64 MiB", "1000 bytes".
std::string size_text(std::size_t bytes);

}  // namespace ghm::scrape
