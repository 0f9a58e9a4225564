// The agent's NVML child as a program of its own, for tests of the room: the agent runs itself instead.
#include "adapters/nvml/reader_main.h"

int main(int argc, char** argv) {
  return ghm::nvml::reader_main(argc, argv);
}
