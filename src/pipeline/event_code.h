#pragma once
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace ghm::pipeline {

/// The number of an Xid in an event's record; archives write it as text. 0: none.
template <class Json>
int event_code(const Json& body) {
  const auto code = body.find("code");
  if (code == body.end()) return 0;
  if (code->is_number_integer()) return code->template get<int>();
  return code->is_string() ? std::atoi(code->template get_ref<const std::string&>().c_str()) : 0;
}

}  // namespace ghm::pipeline
