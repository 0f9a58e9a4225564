#include "core/embedded.h"

#include <algorithm>
#include <cassert>

namespace ghm::embedded {

std::string_view file(std::string_view path) {
  const auto& all = files();
  const auto found = std::find_if(all.begin(), all.end(), [&](const File& f) { return f.path == path; });
  assert(found != all.end());
  return found->bytes;
}

}  // namespace ghm::embedded
