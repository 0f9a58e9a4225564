#pragma once
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace ghm {

/// What a caller can do about a failure.
enum class Errc {
  invalid_input,  // mend the input; retrying the same is pointless
  not_found,      // it does not exist
  conflict,       // it exists already, or somebody else holds it
  unauthorized,   // another key or role is needed
  unavailable,    // try again later
  corrupt,        // stop and tell a person
};

struct Error {
  Errc code;
  std::string what;  // where, what was found, what was expected or what to do: one sentence
};

/// A value or the reason there is none; it cannot be dropped unread.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result() = default;
  Result(Error e) : tl::expected<T, Error>(tl::unexpect, std::move(e)) {}
};

}  // namespace ghm
