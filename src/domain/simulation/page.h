#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/simulation/board.h"

namespace ghm::simulation {

/// A GPU's labels as the exporter prints them, rendered once.
struct Labels {
  std::string gpu;   // gpu="0",UUID=…,DCGM_FI_DRIVER_VERSION="570.86.15"
  std::string link;  // ,gpu="0",gpu_uuid=…,hostname="n1"
};
/// `job`: what runs there; empty: no label.
Labels labels_of(const Board& b, std::string_view host, std::string_view job = {});

/// Appends the page of one host in the shape of dcgm-exporter 4.4: families of the GPU group in the order of field ids, then
/// those of the NVLink group; label-type fields (serial, VBIOS, driver) stand on every GPU sample. boards[i] has labels[i].
void render_page(std::span<const Board> boards, std::span<const Labels> labels, std::string& page);

}  // namespace ghm::simulation
