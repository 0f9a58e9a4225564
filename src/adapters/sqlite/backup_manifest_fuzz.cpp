#include <cstdlib>

#include "adapters/sqlite/backup_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::sqlite;
  const auto manifest = parse_manifest({reinterpret_cast<const char*>(data), size}, "manifest.json");
  if (!manifest) return 0;
  for (const auto& f : manifest->files)
    if (f.name.find('/') != f.name.npos || (f.name != kMainFile && !day_of_file(f.name))) std::abort();  // it would leave the folder
  const auto again = parse_manifest(to_json(*manifest), "manifest.json");
  if (!again || again->files.size() != manifest->files.size()) std::abort();
  return 0;
}
