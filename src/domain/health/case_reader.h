#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ghm::health {

using CaseJson = nlohmann::json;

/// A value of the document and the way to it. Paths are chained on the stack and written out only when something is wrong.
class Node {
 public:
  explicit Node(const CaseJson& json) : json_(json) {}
  Node(const CaseJson& json, const Node& parent, std::string_view key) : json_(json), parent_(&parent), key_(key) {}
  Node(const CaseJson& json, const Node& parent, std::size_t index) : json_(json), parent_(&parent), index_(index) {}

  const CaseJson& json() const { return json_; }
  Node at(std::size_t index) const { return {json_[index], *this, index}; }
  /// "metrics.DCGM_FI_DEV_GPU_TEMP.runs[3][1]"; "the case" for the document itself.
  std::string path() const;

 private:
  const CaseJson& json_;
  const Node* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
};

/// Reads values and keeps the first complaint; after it, what it answers means nothing.
class CaseReader {
 public:
  explicit CaseReader(std::string_view file) : file_(file) {}

  double number(const Node& node, double least, double most, const char* expected);
  std::string text(const Node& node, const char* expected);
  bool boolean(const Node& node, const char* expected);
  void complain(const Node& node, const char* expected);
  const std::optional<Error>& error() const { return error_; }
  bool failed() const { return error_.has_value(); }

  /// Calls see(member) when the object has `key` and it is not null.
  template <class See>
  void member(const Node& object, const char* key, See see) {
    const auto found = object.json().find(key);
    if (!failed() && found != object.json().end() && !found->is_null()) see(Node(*found, object, found.key()));
  }
  /// A member that must be there: calls see(member).
  template <class See>
  void required(const Node& object, const char* key, const char* expected, See see) {
    if (failed()) return;
    const auto found = object.json().find(key);
    if (found == object.json().end()) return complain(Node(kNothing, object, key), expected);
    see(Node(*found, object, found.key()));
  }
  /// Calls see(element) for each.
  template <class See>
  void elements(const Node& array, const char* expected, See see) {
    if (!array.json().is_array()) return complain(array, expected);
    for (std::size_t i = 0; i < array.json().size() && !failed(); ++i) see(array.at(i));
  }
  /// Calls see(member) for each.
  template <class See>
  void members(const Node& object, const char* expected, See see) {
    if (!object.json().is_object()) return complain(object, expected);
    for (auto it = object.json().begin(); it != object.json().end() && !failed(); ++it) see(it.key(), Node(*it, object, it.key()));
  }
  bool is_object(const Node& node, const char* expected) {
    if (!node.json().is_object()) complain(node, expected);
    return !failed();
  }
  /// Notes the members that are none of `known`.
  void note_unknown(const Node& object, std::initializer_list<std::string_view> known, std::vector<std::string>& ignored) const;

 private:
  static const CaseJson kNothing;
  std::string_view file_;
  std::optional<Error> error_;
};

}  // namespace ghm::health
