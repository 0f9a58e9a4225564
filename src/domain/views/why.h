#pragma once
#include <cstddef>
#include <string>

#include "domain/views/json_views.h"

/// Why is this board as it is, and what to do first? Put together from what the API answers, so that a client of any version
/// and, one day, the server itself can ask it.
namespace ghm::views {

/// Answers of the API about one board; null where it could not be had.
struct WhyParts {
  Json gpu;      // GET gpus/{id}
  Json health;   // GET gpus/{id}/health
  Json history;  // GET gpus/{id}/health/history, 30 days
  Json events;   // GET gpus/{id}/events
  Json metrics;  // GET gpus/{id}/metrics?peers=1, the last hour
  Json story;    // GET fleet/story
};

/// {"as_of","gpu","verdict","score","class","risk","coverage","peers_median","waterfall","fell","unlike_peers","xids","events","anomalies",
/// "near","actions","unknown"}. `actions`: the first steps, the most certain first, each with its reason; `unknown`: what this
/// version cannot tell.
Json why_gpu(const WhyParts& parts);

/// The same for a terminal.
std::string why_text(const Json& why, std::size_t width);

}  // namespace ghm::views
