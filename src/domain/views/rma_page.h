#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "domain/store/telemetry_store.h"

/// The page of an evidence bundle: what a person at the manufacturer's reads first.
namespace ghm::views {

using Json = nlohmann::ordered_json;

struct RmaChart {
  std::string name, unit;
  std::vector<store::Bucket> buckets;  // by time
};

struct RmaPage {
  Json evidence;                          // evidence.json, docs/repairs.md
  std::vector<std::string> kernel_lines;  // "TIME  text", oldest first
  std::vector<Json> snapshots;            // snapshot_view.h, the nearest to the fault first
  std::vector<RmaChart> charts;           // over `window`
  TimeRange window{};
  Timestamp fault{};
};

/// Text for HTML, in elements and in quoted attributes. Control characters become "?"; bytes that are no UTF-8 are spelt out.
std::string html_text(std::string_view text);

/// One document that needs nothing else: no script, no request, style and charts inside. Whatever the evidence holds is text.
std::string rma_page(const RmaPage& page);

}  // namespace ghm::views
