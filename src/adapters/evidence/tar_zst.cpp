// zstd is undone here and not by libarchive: that stops reading at the tar's end mark, and so would not see that a file's last
// bytes (the frame's checksum) are cut off or that something was added behind them.
#include "adapters/evidence/tar_zst.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "core/handle.h"

namespace ghm::evidence {
namespace {

using Writer = Handle<archive, archive_write_free>;
using Reader = Handle<archive, archive_read_free>;
using Entry = Handle<archive_entry, archive_entry_free>;
using Compressor = Handle<ZSTD_CCtx, ZSTD_freeCCtx>;
using Decompressor = Handle<ZSTD_DCtx, ZSTD_freeDCtx>;

constexpr int kLevel = 9;  // a third smaller than the default at a few MB, still in a fraction of a second
constexpr int kMostWindowLog = 27;

bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
}

la_ssize_t append(archive*, void* to, const void* bytes, std::size_t n) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), n);
  return static_cast<la_ssize_t>(n);
}

Error failed(archive* a) {
  const char* why = archive_error_string(a);
  return {Errc::unavailable, fmt::format("the archive cannot be written: {}", why != nullptr ? why : "no reason given")};
}

Result<void> write(archive* to, const Member& m, Timestamp at) {
  if (!is_plain(m.name)) return Error{Errc::invalid_input, fmt::format("'{}' is no name for a member of an archive", m.name)};
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), m.name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(m.bytes.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), to_unix_ms(at) / 1000, 0);
  if (archive_write_header(to, entry.get()) != ARCHIVE_OK) return failed(to);
  if (archive_write_data(to, m.bytes.data(), m.bytes.size()) != static_cast<la_ssize_t>(m.bytes.size())) return failed(to);
  return {};
}

Result<std::string> make_tar(std::span<const Member> members, Timestamp at) {
  std::string tar;
  const Writer to(archive_write_new());
  archive_write_set_format_ustar(to.get());
  archive_write_add_filter_none(to.get());
  if (archive_write_open2(to.get(), &tar, nullptr, append, nullptr, nullptr) != ARCHIVE_OK) return failed(to.get());
  for (const auto& m : members)
    if (auto done = write(to.get(), m, at); !done) return done.error();
  if (archive_write_close(to.get()) != ARCHIVE_OK) return failed(to.get());
  return tar;
}

struct Inflated {
  std::string bytes, trouble;
};

/// Exactly one frame: nothing missing, nothing behind it.
Inflated inflate(std::string_view packed) {
  const Decompressor from(ZSTD_createDCtx());
  ZSTD_DCtx_setParameter(from.get(), ZSTD_d_windowLogMax, kMostWindowLog);
  Inflated out;
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string block(ZSTD_DStreamOutSize(), '\0');
  for (std::size_t left = 1; left != 0;) {
    ZSTD_outBuffer to{block.data(), block.size(), 0};
    const auto before = in.pos;
    left = ZSTD_decompressStream(from.get(), &to, &in);
    if (ZSTD_isError(left)) return {std::move(out.bytes), fmt::format("the packed bytes are damaged ({})", ZSTD_getErrorName(left))};
    out.bytes.append(block.data(), to.pos);
    if (out.bytes.size() > kMostUnpacked) return {{}, fmt::format("it unpacks to more than {} MiB", kMostUnpacked >> 20)};
    if (left != 0 && in.pos == before && to.pos == 0) return {std::move(out.bytes), "the file is cut off"};
  }
  if (in.pos != in.size) out.trouble = fmt::format("{} bytes were added behind its end", in.size - in.pos);
  return out;
}

/// Empty, or why this entry is not taken.
std::string take(archive* from, archive_entry* entry, std::vector<Member>& members) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr || !is_plain(name)) return "it holds an entry with a name that no bundle has";
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
    return fmt::format("{} is no plain file in it", name);
  if (members.size() == kMostMembers) return fmt::format("it holds more than {} files", kMostMembers);
  Member m{name, {}};
  char block[1 << 15];
  for (;;) {
    const auto n = archive_read_data(from, block, sizeof block);
    if (n == 0) break;
    if (n < 0) return fmt::format("{} ends in the middle: the file is cut off or damaged", m.name);
    m.bytes.append(block, static_cast<std::size_t>(n));
    // A sparse entry may be much larger than the tar that holds it.
    if (m.bytes.size() > kMostUnpacked) return fmt::format("{} is larger than {} MiB", m.name, kMostUnpacked >> 20);
  }
  members.push_back(std::move(m));
  return {};
}

}  // namespace

Result<std::string> pack(std::span<const Member> members, Timestamp at) {
  auto tar = make_tar(members, at);
  if (!tar) return tar;
  const Compressor by(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(by.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(by.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(tar->size()), '\0');
  const auto n = ZSTD_compress2(by.get(), out.data(), out.size(), tar->data(), tar->size());
  if (ZSTD_isError(n)) return Error{Errc::unavailable, fmt::format("the archive cannot be packed: {}", ZSTD_getErrorName(n))};
  out.resize(n);
  return out;
}

Unpacked unpack_tar(std::string_view tar) {
  Unpacked out;
  const Reader from(archive_read_new());
  archive_read_support_format_tar(from.get());
  if (archive_read_open_memory(from.get(), tar.data(), tar.size()) != ARCHIVE_OK) return {{}, "it holds no tar archive"};
  std::size_t total = 0;
  for (archive_entry* entry = nullptr; out.trouble.empty();) {
    const int code = archive_read_next_header(from.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) out.trouble = "a header of its tar archive is damaged";
    else out.trouble = take(from.get(), entry, out.members);
    if (out.trouble.empty()) total += out.members.back().bytes.size();
    if (total > kMostUnpacked) out.trouble = fmt::format("it unpacks to more than {} MiB", kMostUnpacked >> 20);
  }
  return out;
}

Unpacked unpack(std::string_view bytes) {
  constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";
  if (!bytes.starts_with(kMagic)) return {{}, "it is no .tar.zst file"};
  const auto inflated = inflate(bytes);
  auto out = unpack_tar(inflated.bytes);
  if (!inflated.trouble.empty()) out.trouble = inflated.trouble;
  return out;
}

}  // namespace ghm::evidence
