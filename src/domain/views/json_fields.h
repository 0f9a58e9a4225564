#pragma once
#include <cstdint>
#include <string>

#include "domain/views/json_views.h"

/// Members of answers and records that may be missing or of another type: for views alone, which show what is there.
namespace ghm::views {

/// The member, or null where there is none. Valid as long as `j`.
inline const Json& at(const Json& j, const char* name) {
  static const Json none;
  const auto it = j.is_object() ? j.find(name) : j.end();
  return j.is_object() && it != j.end() ? *it : none;
}

/// Empty where it is no text.
inline std::string text(const Json& j, const char* name) {
  return at(j, name).is_string() ? at(j, name).get<std::string>() : std::string();
}

/// 0 where it is no number.
inline std::int64_t whole(const Json& j, const char* name) {
  return at(j, name).is_number() ? at(j, name).get<std::int64_t>() : 0;
}

}  // namespace ghm::views
