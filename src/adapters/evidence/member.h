#pragma once
#include <string>

namespace ghm::evidence {

/// A file of a bundle: a plain name without folders, and its bytes.
struct Member {
  std::string name, bytes;
  friend bool operator==(const Member&, const Member&) = default;
};

}  // namespace ghm::evidence
