#pragma once

namespace ghm::nvml {

/// The word after the program's name that makes it the NVML reader.
inline constexpr const char* kReaderWord = "nvml-reader";
/// Where the agent puts the two ends in the child.
inline constexpr int kReaderSocket = 3, kReaderProgress = 4;

/// The life of the child: `ghm-agent nvml-reader LIBRARY`, started by the agent and by nobody else. Ends when the agent does.
int reader_main(int argc, const char* const* argv);

}  // namespace ghm::nvml
