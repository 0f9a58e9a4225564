#pragma once
#include <string>
#include <vector>

#include "domain/views/json_views.h"

/// What an agent wrote down at a fault, as people read it. Bodies are those of records of kind "evidence"; whatever they hold is fine.
namespace ghm::views {

/// One snapshot: {"id","at","host","gpu","sign","gpu_state","host_state","later","later_host"}, each of the last four a document of the
/// agent or null. Jobs are left out: whose work it was is nobody's business outside the site.
Json snapshot_document(const Json& sign, const Json& context, const Json& later, const Json& later_context);

/// "nvml: NVML says that the GPU is lost": what could not be read, by source.
std::vector<std::string> snapshot_missing(const Json& document);
/// The kernel's lines before and at the sign, and those that came a moment after.
std::vector<std::string> snapshot_lines(const Json& document);

/// For a terminal or an editor; printable ASCII and UTF-8 in lines.
std::string snapshot_text(const Json& document);
/// A part of a page.
std::string snapshot_html(const Json& document);

}  // namespace ghm::views
