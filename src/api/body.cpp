#include "api/body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ghm::api {

Body::Body(const http::Request& request) : Body(views::Json::parse(request.body, nullptr, false)) {}

Body::Body(views::Json object) : object_(std::move(object)) {
  if (object_.is_object()) return;
  complaints_.push_back("expected a JSON object");
  object_ = views::Json::object();
}

const views::Json* Body::find(const char* name) {
  asked_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Body::complain(const char* name, const char* expected) {
  complaints_.push_back(fmt::format("{}: expected {}", name, expected));
}

std::string Body::text(const char* name) {
  const auto before = complaints_.size();
  auto found = optional_text(name);
  if (found.empty() && complaints_.size() == before) complain(name, "a text");
  return found;
}

std::string Body::optional_text(const char* name) {
  constexpr std::size_t kLongest = 1000;
  const auto* found = find(name);
  if (found == nullptr) return {};
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kLongest) {
    complain(name, "a text of at most 1,000 bytes");
    return {};
  }
  return *found;
}

std::optional<Timestamp> Body::optional_time(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return std::nullopt;
  const auto text = found->is_number_integer() ? found->dump() : found->is_string() ? found->get<std::string>() : std::string();
  const auto at = parse_time(text);
  if (!at) {
    complain(name, "a time, RFC 3339 or Unix seconds");
    return std::nullopt;
  }
  return *at;
}

std::optional<double> Body::optional_number(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (found->is_number()) return found->get<double>();
  complain(name, "a number");
  return std::nullopt;
}

bool Body::flag(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return false;
  if (!found->is_boolean()) complain(name, "true or false");
  return *found == views::Json(true);
}

bool Body::required_flag(const char* name) {
  if (find(name) == nullptr) complain(name, "true or false");
  return flag(name);
}

std::optional<views::Json> Body::optional_object(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (found->is_object()) return *found;
  complain(name, "an object");
  return std::nullopt;
}

std::map<std::string, std::string> Body::texts(const char* name) {
  std::map<std::string, std::string> out;
  const auto* found = find(name);
  if (found == nullptr) return out;
  if (!found->is_object()) complain(name, "an object of texts");
  else
    for (const auto& [key, value] : found->items()) {
      if (value.is_string()) out[key] = value;
      else complain(name, "an object of texts");
    }
  return out;
}

std::vector<views::Json> Body::objects(const char* name, std::size_t most) {
  const auto* found = find(name);
  const bool good = found != nullptr && found->is_array() && found->size() <= most &&
                    std::ranges::all_of(*found, [](const views::Json& item) { return item.is_object(); });
  if (good) return {found->begin(), found->end()};
  complain(name, fmt::format("a list of at most {} objects", most).c_str());
  return {};
}

std::vector<std::string> Body::strings(const char* name, std::size_t most) {
  const auto* found = find(name);
  const auto is_text = [](const views::Json& item) { return item.is_string() && !item.get_ref<const std::string&>().empty(); };
  if (found != nullptr && found->is_array() && found->size() <= most && std::ranges::all_of(*found, is_text)) return *found;
  complain(name, fmt::format("a list of at most {} texts", most).c_str());
  return {};
}

Result<void> Body::finish() {
  for (const auto& [name, value] : object_.items())
    if (!asked_.contains(name)) complaints_.push_back(fmt::format("{}: not known; known are {}", name, fmt::join(asked_, ", ")));
  if (complaints_.empty()) return {};
  return Error{Errc::invalid_input, fmt::format("body: {}", fmt::join(complaints_, "; "))};
}

}  // namespace ghm::api
