#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/http.h"
#include "core/result.h"
#include "core/time.h"
#include "domain/views/json_views.h"

namespace ghm::api {

/// Reads the members of a JSON object that a request carries. What is wrong is gathered and told at once by finish();
/// members that nobody asked for are wrong too: a misspelt one that is ignored would do something else.
class Body {
 public:
  explicit Body(const http::Request& request);
  explicit Body(views::Json object);

  /// Required, not empty.
  std::string text(const char* name);
  /// Empty when absent or null; so are the others.
  std::string optional_text(const char* name);
  std::optional<Timestamp> optional_time(const char* name);
  std::optional<double> optional_number(const char* name);
  bool flag(const char* name);
  /// Required: it must be said.
  bool required_flag(const char* name);
  std::optional<views::Json> optional_object(const char* name);
  /// An object of texts.
  std::map<std::string, std::string> texts(const char* name);

  /// Required: at most `most` texts, none empty.
  std::vector<std::string> strings(const char* name, std::size_t most);
  /// Required: at most `most` objects.
  std::vector<views::Json> objects(const char* name, std::size_t most);

  Result<void> finish();

 private:
  const views::Json* find(const char* name);
  void complain(const char* name, const char* expected);

  views::Json object_;
  std::set<std::string> asked_;
  std::vector<std::string> complaints_;
};

}  // namespace ghm::api
