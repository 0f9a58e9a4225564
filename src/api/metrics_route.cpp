// GET gpus/{id}/metrics: series over time, downsampled. What is asked for is bounded before anything is read: series,
// points and range, so that one request cannot keep the store busy for long.
#include <fmt/format.h>

#include <algorithm>

#include "api/params.h"
#include "api/route.h"
#include "domain/telemetry/metric_catalogue.h"
#include "services/peer_bands.h"

namespace ghm::api {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kMostSeries = 32;
constexpr std::int64_t kMostPoints = 2000;
constexpr std::int64_t kGoodPoints = 600;  // about as many as a chart has pixels to tell apart
constexpr std::chrono::days kLongestRange{400};
constexpr milliseconds kSteps[] = {1s, 2s, 5s, 10s, 15s, 30s, 1min, 2min, 5min, 10min, 15min, 30min, 1h, 2h, 3h, 6h, 12h, 24h, 48h};

struct Wanted {
  store::SeriesKey series;
  std::string name, unit;
};

Error bad(std::string what) {
  return {Errc::invalid_input, std::move(what)};
}

// "DCGM_FI_DEV_GPU_TEMP", any of its spellings, "NAME@nvlink4", "NAME_L4".
Result<Wanted> find_series(const std::string& text, telemetry::BoardId board) {
  const auto at = text.find('@');
  const auto* metric = telemetry::MetricCatalogue::built_in().by_name(text.substr(0, at));
  if (metric == nullptr)
    return bad(fmt::format("metrics: '{}' is not a metric that this server knows: GET /api/v1/meta lists them", text.substr(0, 80)));
  Wanted wanted{{board, {}, metric->id}, metric->name, metric->unit};
  if (at != text.npos) {
    const auto entity = telemetry::parse_entity(text.substr(at + 1));
    if (!entity) return bad(fmt::format("metrics: '{}': {}", text.substr(0, 80), entity.error().what));
    wanted.series.entity = *entity;
    wanted.name += "@" + to_string(*entity);
  } else if (metric->link >= 0) {
    wanted.series.entity = {telemetry::Entity::Kind::nvlink, static_cast<std::uint16_t>(metric->link)};
  }
  return wanted;
}

Result<std::vector<Wanted>> find_all_series(const http::Request& request, telemetry::BoardId board) {
  const auto asked = request.param("metrics");
  const auto names = asked ? split_list(*asked) : views::default_metrics();
  if (names.empty()) return bad("metrics: expected at least one name");
  if (names.size() > kMostSeries) return bad(fmt::format("metrics: {} series: at most {} in one request", names.size(), kMostSeries));
  std::vector<Wanted> all;
  for (const auto& name : names) {
    auto one = find_series(name, board);
    if (!one) return one.error();
    const bool fresh = std::ranges::find(all, one->name, &Wanted::name) == all.end();
    if (fresh) all.push_back(std::move(*one));
  }
  return all;
}

milliseconds refresh_of(const views::FleetSnapshot& fleet, const std::string& host) {
  const auto found = std::ranges::find(fleet.hosts, host, [](const views::HostView& h) { return h.host.name; });
  return found == fleet.hosts.end() ? milliseconds(10s) : found->host.interval;
}

// Not finer than the source's own interval: buckets between readings would be gaps that are none.
milliseconds choose_interval(TimeRange range, milliseconds refresh) {
  const auto least = std::max<milliseconds>((range.to - range.from) / kGoodPoints, refresh);
  const auto step = std::ranges::find_if(kSteps, [&](milliseconds s) { return s >= least; });
  return step == std::end(kSteps) ? kSteps[std::size(kSteps) - 1] : *step;
}

Result<milliseconds> read_interval(const http::Request& request, TimeRange range, milliseconds refresh) {
  const auto text = request.param("interval");
  if (!text) return choose_interval(range, refresh);
  const bool bare = !text->empty() && text->find_first_not_of("0123456789") == text->npos;
  const auto interval = parse_duration(bare ? *text + "s" : *text);
  if (!interval || *interval < 1s || *interval > std::chrono::days(30))
    return bad(fmt::format("interval: '{}': expected a span such as 30s or 5m, from 1s to 30d", text->substr(0, 80)));
  if (const auto points = (range.to - range.from) / *interval; points > kMostPoints)
    return bad(fmt::format("interval: {} over this range is {} points: at most {}; ask for a longer interval or a shorter range",
                           format_duration(*interval), points, kMostPoints));
  return *interval;
}

// "1" and "true", "0" and "false".
Result<bool> bool_or_1(const http::Request& request, const std::string& name) {
  const auto text = request.param(name);
  if (!text || *text == "0" || *text == "false") return false;
  if (*text == "1" || *text == "true") return true;
  return bad(fmt::format("{}: '{}': expected 1 or 0", name, text->substr(0, 80)));
}

std::vector<store::SeriesKey> keys_of(const std::vector<Wanted>& wanted) {
  std::vector<store::SeriesKey> keys;
  for (const auto& w : wanted) keys.push_back(w.series);
  return keys;
}

Result<void> add_peers(const Call& call, std::size_t board, const std::vector<Wanted>& wanted, TimeRange range, milliseconds interval,
                       std::vector<views::MetricColumn>& columns) {
  auto bands = services::peer_bands(call.world->telemetry, *call.fleet, board, keys_of(wanted), range, interval);
  if (!bands) return bands.error();
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].peers = std::move((*bands)[i]);
  return {};
}

}  // namespace

http::Response get_gpu_metrics(const Call& call) {
  const auto index = board_named(*call.fleet, call.id);
  if (!index) return problem_of(index.error());
  const auto& board = call.fleet->boards[*index].board;
  const auto series = find_all_series(call.request, board.id);
  if (!series) return problem_of(series.error());
  const auto range = range_param(call.request, call.now(), 1h, kLongestRange);
  if (!range) return problem_of(range.error());
  const auto interval = read_interval(call.request, *range, refresh_of(*call.fleet, board.host));
  if (!interval) return problem_of(interval.error());
  const auto peers = bool_or_1(call.request, "peers");
  if (!peers) return problem_of(peers.error());
  auto buckets = call.world->telemetry.aggregate_many(keys_of(*series), *range, *interval);
  if (!buckets) return problem_of(buckets.error());
  std::vector<views::MetricColumn> columns;
  for (std::size_t i = 0; i < series->size(); ++i) {
    const auto& wanted = (*series)[i];
    const bool counter = windows::counting_of(wanted.series.metric) != windows::Counting::none;
    columns.push_back({wanted.name, wanted.unit, std::move((*buckets)[i]), counter});
  }
  if (*peers)
    if (auto done = add_peers(call, *index, *series, *range, *interval, columns); !done) return problem_of(done.error());
  return json_answer(views::gpu_metrics(board, *range, *interval, columns, call.fleet->as_of));
}

}  // namespace ghm::api
