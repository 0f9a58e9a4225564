#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/evidence/member.h"
#include "core/result.h"
#include "core/time.h"

/// Members as one .tar.zst: what every system can open without us. The tar by libarchive, the packing by libzstd.
namespace ghm::evidence {

inline constexpr std::size_t kMostMembers = 64, kMostUnpacked = 256u << 20, kLongestName = 100;

/// Names must be plain and short (kLongestName). The same members at the same time give the same bytes.
Result<std::string> pack(std::span<const Member> members, Timestamp at);

/// What could be read, in order, and why no more could; `trouble` is empty when the file was whole. A file of another shape, a
/// cut or damaged one, entries that are no plain files, more than kMostMembers or kMostUnpacked bytes: all are troubles.
struct Unpacked {
  std::vector<Member> members;
  std::string trouble;
};
Unpacked unpack(std::string_view bytes);
/// The same of a tar that is not packed.
Unpacked unpack_tar(std::string_view tar);

}  // namespace ghm::evidence
