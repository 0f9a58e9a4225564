#pragma once
#include <string>
#include <string_view>

#include "core/result.h"

namespace ghm::api {

/// A YAML document as JSON, keys in their order. Plain scalars are read by YAML 1.2's core schema (null, true, false,
/// numbers), quoted ones are strings. invalid_input with the line for a text that is no YAML.
Result<std::string> yaml_to_json(std::string_view yaml, std::string_view file);

/// The embedded openapi.yaml as JSON; made at the first call.
const std::string& openapi_json();

}  // namespace ghm::api
