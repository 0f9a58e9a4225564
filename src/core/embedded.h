#pragma once
#include <string_view>
#include <vector>

/// Files carried inside the binary (data/, openapi.yaml), so that one executable is the whole product.
namespace ghm::embedded {

struct File {
  std::string_view path;  // relative to the source tree: "data/metrics.csv"
  std::string_view bytes;
};
const std::vector<File>& files();

/// The bytes of `path`; a path that was not embedded is a bug and ends the program.
std::string_view file(std::string_view path);

}  // namespace ghm::embedded
