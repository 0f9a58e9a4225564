#include "api/stream.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>

#include "api/params.h"
#include "api/route.h"
#include "domain/telemetry/metric_catalogue.h"

namespace ghm::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostTopics = 16;
constexpr auto kHeartbeat = 15s;
constexpr auto kBetweenEvents = 1s;
constexpr std::size_t kCellsHead = 24;
constexpr std::string_view kOpening = "retry: 3000\n\n";

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a zero byte
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::string dump(const views::Json& document) {
  return document.dump(-1, ' ', false, views::Json::error_handler_t::replace);
}

std::string cells_data(const views::FleetSnapshot& fleet) {
  const auto cells = views::fleet_cells(fleet, "health");
  const std::string_view bytes = cells ? std::string_view(*cells).substr(std::min(kCellsHead, cells->size())) : std::string_view();
  return dump({{"layout_version", views::layout_version(fleet)}, {"colour", "health"}, {"cells", base64(bytes)}});
}

// One of the signals of the GPU page, under whichever of its names the views list it.
bool is_signal(const store::Latest& latest) {
  const auto& catalogue = telemetry::MetricCatalogue::built_in();
  return latest.series.entity == telemetry::Entity{} && std::ranges::any_of(views::default_metrics(), [&](const std::string& name) {
           const auto* spec = catalogue.by_name(name);
           return spec != nullptr && spec->id == latest.series.metric;
         });
}

std::string gpu_data(const views::FleetSnapshot& fleet, std::size_t board, const store::TelemetryStore& telemetry) {
  auto latest = telemetry.latest(fleet.boards[board].board.id);
  std::erase_if(latest, [](const store::Latest& l) { return !is_signal(l); });
  return dump(views::gpu_detail(fleet, board, latest));
}

// Empty when the board is not there any more.
std::string data_of(const Topic& topic, const views::FleetSnapshot& fleet, const World& world) {
  if (topic.name == "summary") return dump(views::fleet_summary(fleet));
  if (topic.name == "cells") return cells_data(fleet);
  const auto board = board_named(fleet, topic.gpu);
  return board ? gpu_data(fleet, *board, world.telemetry) : std::string();
}

class FleetStream final : public http::EventSource {
 public:
  FleetStream(std::shared_ptr<StreamData> shared, std::vector<Topic> topics) : data_(std::move(shared)) {
    for (auto& topic : topics) lines_.push_back({std::move(topic), {}, {}});
  }

  std::optional<std::string> pull() override {
    const auto now = data_->world().clock.now();
    std::string out;
    if (!last_said_) out = kOpening;
    const auto fleet = data_->world().snapshot();
    for (Line& line : lines_) say(line, fleet, now, out);
    if (out.empty() && last_said_ && now - *last_said_ >= kHeartbeat) out = ": \n\n";
    if (!out.empty()) last_said_ = now;
    return out;
  }

 private:
  struct Line {
    Topic topic;
    std::optional<std::uint64_t> generation;  // last sent
    Timestamp at{};
  };

  void say(Line& line, const std::shared_ptr<const views::FleetSnapshot>& fleet, Timestamp now, std::string& out) const {
    // A clock that was set back must not silence a topic.
    const bool just_now = line.generation && now - line.at < kBetweenEvents && now >= line.at;
    if (line.generation == fleet->generation || just_now) return;
    line.generation = fleet->generation;
    line.at = now;
    const auto& data = data_->of(line.topic, fleet);
    if (!data.empty()) fmt::format_to(std::back_inserter(out), "id: {}\nevent: {}\ndata: {}\n\n", fleet->generation, line.topic.name, data);
  }

  std::shared_ptr<StreamData> data_;
  std::vector<Line> lines_;
  std::optional<Timestamp> last_said_;
};

Result<Topic> read_topic(const std::string& text, const views::FleetSnapshot& fleet) {
  constexpr std::string_view gpu = "gpu:";
  if (text == "summary" || text == "cells") return Topic{text, {}};
  if (!text.starts_with(gpu))
    return Error{Errc::invalid_input, fmt::format("topics: '{}': expected summary, cells or gpu:ID", text.substr(0, 80))};
  Topic topic{"gpu", text.substr(gpu.size())};
  if (const auto board = board_named(fleet, topic.gpu); !board) return board.error();
  return topic;
}

Result<std::vector<Topic>> read_topics(const Call& call) {
  std::vector<Topic> topics;
  for (const auto& text : split_list(call.request.param("topics").value_or("summary"))) {
    auto topic = read_topic(text, *call.fleet);
    if (!topic) return topic.error();
    topics.push_back(std::move(*topic));
  }
  if (topics.empty() || topics.size() > kMostTopics)
    return Error{Errc::invalid_input, fmt::format("topics: expected 1 to {} of summary, cells, gpu:ID, with commas between", kMostTopics)};
  return topics;
}

}  // namespace

const std::string& StreamData::of(const Topic& topic, const std::shared_ptr<const views::FleetSnapshot>& fleet) {
  const auto name = topic.name + ":" + topic.gpu;
  if (const auto* kept = kept_.find(fleet, name)) return *kept;
  return kept_.put(fleet, name, data_of(topic, *fleet, *world_));
}

std::shared_ptr<http::EventSource> make_fleet_stream(std::shared_ptr<StreamData> data, std::vector<Topic> topics) {
  return std::make_shared<FleetStream>(std::move(data), std::move(topics));
}

http::Response get_stream(const Call& call) {
  auto topics = read_topics(call);
  if (!topics) return problem_of(topics.error());
  http::Response r;
  r.content_type = "text/event-stream";
  r.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would gather events
  r.events = make_fleet_stream(call.streams, std::move(*topics));
  return r;
}

}  // namespace ghm::api
