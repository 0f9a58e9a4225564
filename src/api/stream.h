#pragma once
#include <memory>
#include <string>
#include <vector>

#include "api/answer_cache.h"
#include "api/api.h"
#include "core/http.h"

namespace ghm::api {

struct Topic {
  std::string name;  // "summary", "cells", "gpu"
  std::string gpu;   // of "gpu": serial or UUID
};

/// What all streams of a server say about a snapshot, made once for all of them. The server's one thread.
class StreamData {
 public:
  explicit StreamData(std::shared_ptr<const World> world) : world_(std::move(world)) {}
  /// The JSON of a topic's event; empty when the board is not there any more. Valid until the next call.
  const std::string& of(const Topic& topic, const std::shared_ptr<const views::FleetSnapshot>& fleet);
  const World& world() const { return *world_; }

 private:
  std::shared_ptr<const World> world_;
  AnswerCache<std::string> kept_;
};

/// Events of the fleet for one client: a topic's event when the snapshot changed, at most one a second and topic, and a
/// comment when nothing was said for 15 s, so that proxies and clients see that the line lives. A client that reconnects
/// gets the present state at once; what it missed is past and not replayed.
std::shared_ptr<http::EventSource> make_fleet_stream(std::shared_ptr<StreamData> data, std::vector<Topic> topics);

}  // namespace ghm::api
