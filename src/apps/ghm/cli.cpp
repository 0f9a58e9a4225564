#include "apps/ghm/cli.h"

#include <fmt/format.h>

#include <cstdio>


namespace ghm::cli {

int fail(const Error& error) {
  fmt::print(stderr, "ghm: {}\n", error.what);
  return kFailed;
}

void print_json(const Json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace ghm::cli
