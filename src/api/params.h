#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/http.h"
#include "core/result.h"
#include "core/time.h"

/// Query parameters to values. Errors are invalid_input and name the parameter, what was found and what was expected.
namespace ghm::api {

/// `known`: names with spaces between. A name that is not known, or given twice, is an error: a misspelt filter that is
/// ignored would answer another question.
Result<void> check_params(const http::Request& request, std::string_view known);

Result<std::size_t> number_param(const http::Request& request, const std::string& name, std::size_t otherwise, std::size_t least,
                                 std::size_t most);
/// "true" or "false"; nullopt when absent.
Result<std::optional<bool>> bool_param(const http::Request& request, const std::string& name);
/// RFC 3339 or Unix seconds.
Result<Timestamp> time_param(const http::Request& request, const std::string& name, Timestamp otherwise);
/// `start` and `end`, RFC 3339 or Unix seconds: without them from `otherwise` before `end`, until `now`. At most `longest`.
Result<TimeRange> range_param(const http::Request& request, Timestamp now, std::chrono::milliseconds otherwise, std::chrono::days longest);
/// "A,B" to its parts, empty ones left out.
std::vector<std::string> split_list(std::string_view text);

}  // namespace ghm::api
