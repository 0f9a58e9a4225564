#include "api/openapi.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cassert>
#include <charconv>
#include <optional>

#include "api/route.h"
#include "api/static_files.h"
#include "core/embedded.h"

namespace ghm::api {
namespace {

using views::Json;

template <class T>
std::optional<T> whole_number(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, value);
  return failed == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// from_chars alone would also take "inf" and "nan", which are words in YAML.
bool looks_like_a_number(const std::string& text) {
  return text.find_first_not_of("0123456789+-.eE") == text.npos && text.find_first_of("0123456789") != text.npos;
}

Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (!looks_like_a_number(text)) return text;
  if (const auto integer = whole_number<std::int64_t>(text)) return *integer;
  if (const auto real = whole_number<double>(text)) return *real;
  return text;
}

Json to_json(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      Json out = Json::object();
      for (const auto& entry : node) out[entry.first.Scalar()] = to_json(entry.second);
      return out;
    }
    case YAML::NodeType::Sequence: {
      Json out = Json::array();
      for (const auto& item : node) out.push_back(to_json(item));
      return out;
    }
    case YAML::NodeType::Scalar:
      // yaml-cpp tags what was quoted with "!".
      return node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str" ? Json(node.Scalar()) : plain_scalar(node.Scalar());
    default: return nullptr;
  }
}

}  // namespace

Result<std::string> yaml_to_json(std::string_view yaml, std::string_view file) try {
  return to_json(YAML::Load(std::string(yaml))).dump(-1, ' ', false, Json::error_handler_t::replace);
} catch (const YAML::Exception& e) {
  return Error{Errc::invalid_input, fmt::format("{}:{}: {}", file, e.mark.line + 1, e.msg)};
}

const std::string& openapi_json() {
  static const std::string text = [] {
    auto json = yaml_to_json(embedded::file("openapi.yaml"), "openapi.yaml");
    assert(json);  // it is part of this program, and a test reads it
    return std::move(*json);
  }();
  return text;
}

http::Response get_openapi(const Call&) {
  static const std::string etag = fmt::format("\"{:x}\"", std::hash<std::string>()(openapi_json()));
  http::Response r;
  r.headers.emplace_back("ETag", etag);
  r.static_headers = standard_headers(Caching::revalidate);
  r.static_body = openapi_json();
  return r;
}

}  // namespace ghm::api
