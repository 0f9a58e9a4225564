#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What small files of /sys and /proc say. Pure but for read_small() and KeptFile.
namespace ghm::host_facts {

/// The first `most` bytes of a file without trailing blanks; nullopt when it cannot be read. One open, one read, one close.
std::optional<std::string> read_small(const std::filesystem::path& path, std::size_t most = 4096);

/// A file of /sys that is read every round: it stays open, for finding it costs more than reading it. One that cannot be read, as of a
/// device that was taken away, is looked for anew the next time.
class KeptFile {
 public:
  explicit KeptFile(std::filesystem::path path) : path_(std::move(path)) {}
  KeptFile(KeptFile&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}
  KeptFile& operator=(KeptFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
  }
  ~KeptFile() { close(); }

  /// As read_small().
  std::optional<std::string> read(std::size_t most);

 private:
  void close();

  std::filesystem::path path_;
  int file_ = -1;
};

/// "32.0 GT/s PCIe" -> 5. nullopt for "Unknown" and speeds that no generation has.
/// Source: PCI Express Base Specification, rates of generations 1 to 6.
std::optional<unsigned> pcie_generation(std::string_view speed);

/// Lanes of a link that is up; nullopt for 0 (down), 63 and 255 (a device that no longer answers).
std::optional<unsigned> pcie_lanes(std::string_view width);

/// A file aer_dev_correctable, aer_dev_nonfatal or aer_dev_fatal: "BadTLP 3" a line, the last one "TOTAL_ERR_COR 3".
struct AerCounts {
  std::map<std::string, std::uint64_t> by_name;  // without the total; only those that are not 0
  std::uint64_t total = 0;
};
AerCounts read_aer(std::string_view text);

/// "Video BIOS: \t\t 96.00.74.00.01" lines of /proc/driver/nvidia/gpus/ADDRESS/information.
std::string information_value(std::string_view text, std::string_view key);

/// "570.86.15" from /proc/driver/nvidia/version; empty when it does not say.
std::string driver_version(std::string_view text);

/// Seconds since 1970 of the boot, from /proc/stat.
std::optional<std::int64_t> boot_seconds(std::string_view proc_stat);

/// A DMI string, or empty for what firmware writes when nobody filled it in ("To be filled by O.E.M.", "Default string", "0").
std::string dmi_value(std::string_view text);

}  // namespace ghm::host_facts
