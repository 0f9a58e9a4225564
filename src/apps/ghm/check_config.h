#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/ghm/cli.h"
#include "apps/ghm/config.h"

namespace ghm::app {

/// What this machine has for the configuration to fit into.
struct Room {
  std::uint64_t free_bytes = 0;       // on the file system of data_dir
  std::uint64_t open_file_limit = 0;  // the hard one: programs raise the soft limit to it
};

Room room_for(const Config& config);

/// Static and file targets, and what each http_sd URL answers now. A URL that does not answer is a sentence in `warnings`, for
/// `ghm serve` starts without it; a wrong file is an error.
Result<std::size_t> count_targets(const Config& config, std::vector<std::string>& warnings);

/// What `targets` exporters will need: {"config_ok","listen","data_dir","interval_s","targets","samples_per_second",
/// "disk_bytes_per_day","raw_days","tiers":[{"tier","days","bytes_per_day","bytes_at_retention"},…],"disk_bytes_at_retention",
/// "scratch_bytes","free_bytes","open_files_needed","open_file_limit","warnings":[…]}. Tiers are raw, 1m, 1h, 1d; the last is kept for ever
/// ("days": null) and priced for ten years. An estimate of 8 GPUs × 110 series per host, and of what a reading, and a bucket
/// of each tier, cost on a simulated fleet's pages (tests/contract/store_size_test.cpp), with a fifth on top. scratch_bytes: the sums that
/// scoring carries on while the server runs, beside the tiers. Warnings are sentences,
/// `known` ones first; none means that it fits.
nlohmann::ordered_json check_config(const Config& config, std::size_t targets, const Room& room,
                                    const std::vector<std::string>& known = {});

/// The same for people.
std::string check_config_text(const nlohmann::ordered_json& report);

}  // namespace ghm::app

namespace ghm::cli {

/// `ghm check-config FILE [--json]`: 0 when the configuration can be used (warnings included), 1 when it cannot; then
/// --json prints {"config_ok":false,"errors":["ghm.yaml:3: …"]}.
void add_check_config(CLI::App& app, Run& run);

}  // namespace ghm::cli
