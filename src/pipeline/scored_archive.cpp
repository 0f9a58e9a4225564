// Readings go into one Input per board, which is trimmed to what profiles need each time that it is scored: no copy of a month per
// score. Hosts are taken together, for their boards are each other's peers; where a whole fleet does not fit the memory, the
// archive is read once for each part of it.
#include "pipeline/scored_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "adapters/archive/telemetry_reader.h"
#include "domain/health/windows.h"
#include "domain/telemetry/model_catalogue.h"
#include "pipeline/archive_belief.h"

namespace ghm::pipeline {
namespace {

using health::kDay;
using health::kMonth;

constexpr std::array<std::string_view, 3> kOfPeers{"DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"};
constexpr std::string_view kFan = "DCGM_FI_DEV_FAN_SPEED";

/// What the profiles need of one metric, the longest window of any.
struct Wanted {
  double window = 0;  // seconds
  bool per_link = false;
};
using Wants = std::map<std::string, Wanted, std::less<>>;

Wants wants_of(const std::vector<const health::Profile*>& profiles) {
  Wants out;
  for (const auto* profile : profiles)
    for (const auto& need : health::needs(*profile)) {
      auto& w = out[std::string(need.metric)];
      w.window = std::max(w.window, Seconds(need.window).count());
      w.per_link = need.per_link;
    }
  return out;
}

/// A board while its life is read.
struct Live {
  std::size_t board = 0;
  health::Input input;
  std::vector<health::Series*> places;  // by column of the table that is read; nullptr: not wanted
};

struct LiveHost {
  std::vector<Live> boards;
  double last_answer = 0;
  std::vector<health::Interval> silent;
};

class Pass {
 public:
  Pass(const archive::Folder& folder, const ArchivedFleet& fleet, const ScoringPlan& plan, const Wants& wants,
       const std::function<void(const ScoredMoment&)>& take, ScoredCounts& counts)
      : folder_(folder),
        fleet_(fleet),
        plan_(plan),
        wants_(wants),
        take_(take),
        counts_(counts),
        interval_(Seconds(folder.manifest.interval).count()),
        step_(Seconds(plan.every).count()),
        begin_(to_unix_seconds(folder.manifest.start)),
        next_(begin_ + step_) {}

  void watch(std::size_t host, const std::vector<std::size_t>& boards) {
    auto& h = hosts_[host];
    h.last_answer = begin_;
    for (const auto b : boards) h.boards.push_back({b, new_input(fleet_.boards[b]), {}});
    for (auto& live : h.boards) lives_[fleet_.boards[live.board].uuid] = {&live, &h};
  }

  /// progress(bytes of the telemetry read).
  Result<void> read(const std::function<void(std::uint64_t)>& progress) {
    std::uint64_t before = 0;
    for (const auto& file : folder_.telemetry) {
      auto in = archive::ByteStream::open(file.path);
      if (!in) return in.error();
      std::vector<std::string> warnings;
      auto table = archive::TelemetryReader::open(file.name, std::move(*in), telemetry::MetricCatalogue::built_in(), warnings);
      if (!table) return table.error();
      if (auto done = read(*table, before, progress); !done) return done;
      progress(before += file.bytes);
    }
    for (const double end = to_unix_seconds(folder_.manifest.end); next_ <= end; next_ += step_) score_all(next_);
    return {};
  }

 private:
  health::Input new_input(const ArchivedBoard& b) const {
    health::Input in;
    const auto* model = telemetry::ModelCatalogue::built_in().find(b.model);
    in.interval_s = interval_;
    in.deployed_at = b.from;
    in.model = b.model;
    in.links_expected = model == nullptr ? 0 : model->nvlinks;
    for (const auto& [name, wanted] : wants_)
      if (!wanted.per_link) in.metrics[name].emplace();
    if (model != nullptr && !model->has_fan) in.metrics[std::string(kFan)] = std::nullopt;
    in.events = b.events;
    return in;
  }

  Result<void> read(archive::TelemetryReader& table, std::uint64_t before, const std::function<void(std::uint64_t)>& progress) {
    constexpr std::uint64_t kRowsBetween = 1 << 16;
    belief_.begin(table.columns());
    for (auto& [uuid, place] : lives_) find_places(table.columns(), *place.live);
    auto values = table.values();
    for (std::uint64_t rows = 0;; ++rows) {
      const auto more = table.next(counts_.refusals);
      if (!more) return more.error();
      if (!*more) return {};
      if (rows % kRowsBetween == 0) progress(before + table.bytes_of_file());
      const double at = to_unix_seconds(table.at());
      if (at <= next_ - step_ && next_ - step_ > begin_) {
        if (rows == 0) return out_of_order(table);
        counts_.refusals.add("out_of_order", table.file(), table.line(), "older than a time that was scored already");
        continue;
      }
      for (; at > next_; next_ += step_) score_all(next_);
      const auto it = lives_.find(table.gpu_uuid());
      if (it == lives_.end()) continue;
      values = table.values();
      belief_.check(it->second.live->input.model, values);
      note(*it->second.live, values, at);
      answered(*it->second.host, at);
    }
  }

  static Error out_of_order(const archive::TelemetryReader& table) {
    return {Errc::invalid_input,
            fmt::format("{}:{}: begins before the table in front of it ends: expected tables whose names are in order of time, such as one "
                        "for each day",
                        table.file(), table.line())};
  }

  // Which series each column of a table goes to.
  void find_places(const std::vector<archive::TelemetryColumn>& columns, Live& live) const {
    live.places.assign(columns.size(), nullptr);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& spec = *telemetry::MetricCatalogue::built_in().find(columns[c].metric);
      const auto wanted = wants_.find(spec.name);
      const bool of_link = columns[c].entity.kind == telemetry::Entity::Kind::nvlink;
      const bool of_board = columns[c].entity == telemetry::Entity{};
      if (wanted == wants_.end() || (wanted->second.per_link ? !of_link : !of_board)) continue;
      auto& series = live.input.metrics[of_link ? spec.name + "@" + to_string(columns[c].entity) : spec.name];
      if (of_link && !series) series.emplace();
      if (series) live.places[c] = &*series;
    }
  }

  static void note(Live& live, const std::vector<double>& values, double at) {
    for (std::size_t c = 0; c < values.size(); ++c) {
      auto* series = live.places[c];
      if (series != nullptr && !std::isnan(values[c]) && (series->empty() || series->back().at < at)) series->push_back({at, values[c]});
    }
  }

  // Nothing of the host for more than one reading: its source was silent from where the last reading no longer speaks.
  void answered(LiveHost& host, double at) const {
    constexpr double kMissed = 1.5;
    if (at - host.last_answer > kMissed * interval_) host.silent.push_back({spoken_for(host), at - 1});
    host.last_answer = std::max(host.last_answer, at);
  }
  double spoken_for(const LiveHost& host) const { return host.last_answer + std::max(60.0, interval_) - 1; }

  void score_all(double t) {
    for (auto& [number, host] : hosts_) score_host(host, t);
  }

  void score_host(LiveHost& host, double t) {
    std::erase_if(host.silent, [&](const health::Interval& i) { return i.to < t - kMonth - kDay; });
    auto silent = host.silent;
    if (t > spoken_for(host)) silent.push_back({spoken_for(host), t});
    for (auto& live : host.boards) trim(live, t);
    auto peers = peers_of(host, t);  // all but the first board; each board that was scored takes the place of the next
    health::Peer held = std::move(peers.front());
    peers.erase(peers.begin());
    for (std::size_t i = 0; i < host.boards.size(); ++i) {
      score_board(host.boards[i], t, silent, peers);
      if (i < peers.size()) std::swap(peers[i], held);
    }
  }

  void trim(Live& live, double t) const {
    for (auto& [name, series] : live.input.metrics) {
      if (!series || series->empty()) continue;
      const auto wanted = wants_.find(std::string_view(name).substr(0, name.find('@')));
      const double from = t - wanted->second.window;
      series->erase(series->begin(), std::ranges::lower_bound(*series, from, {}, &health::Reading::at));
    }
  }

  std::vector<health::Peer> peers_of(const LiveHost& host, double t) const {
    std::vector<health::Peer> out;
    for (const auto& live : host.boards) {
      auto& peer = out.emplace_back();
      peer.same_job = false;  // an archive does not tell jobs
      for (const auto name : kOfPeers) {
        const auto it = live.input.metrics.find(name);
        if (it == live.input.metrics.end() || !it->second) continue;
        const auto day = health::within(*it->second, t - kDay, t);
        peer.metrics[std::string(name)] = health::Series(day.begin(), day.end());
      }
    }
    return out;
  }

  void score_board(Live& live, double t, const std::vector<health::Interval>& silent, std::vector<health::Peer>& peers) {
    const auto& board = fleet_.boards[live.board];
    if (!board.in_service(t)) {
      if (t > board.from && t <= board.until) ++counts_.out_of_service;
      return;
    }
    live.input.t = t;
    live.input.source_silent = silent;
    live.input.peers.swap(peers);
    reports_.clear();
    for (const auto* profile : plan_.profiles) reports_.push_back(health::score(*profile, live.input));
    live.input.peers.swap(peers);
    ++counts_.moments;
    take_({live.board, t, reports_});
  }

  struct Place {
    Live* live;
    LiveHost* host;
  };
  const archive::Folder& folder_;
  const ArchivedFleet& fleet_;
  const ScoringPlan& plan_;
  const Wants& wants_;
  const std::function<void(const ScoredMoment&)>& take_;
  ScoredCounts& counts_;
  const double interval_, step_, begin_;
  double next_;
  std::map<std::size_t, LiveHost> hosts_;
  std::unordered_map<std::string_view, Place> lives_;
  ArchiveBelief belief_;
  std::vector<health::Report> reports_;
};

// Readings of one board over the windows that profiles need, with the room that a growing vector takes.
double bytes_of_board(const Wants& wants, double interval) {
  constexpr double kGrowth = 1.5, kLinks = 18;
  double readings = 0;
  for (const auto& [name, w] : wants) readings += w.window / interval * (w.per_link ? kLinks : 1);
  return kGrowth * sizeof(health::Reading) * readings;
}

using Hosts = std::vector<std::vector<std::size_t>>;  // the boards of each host of one model

// Boards of one model on one host stand together: peers are of the same model.
Hosts hosts_of(const ArchivedFleet& fleet) {
  std::map<std::pair<std::size_t, std::string>, std::vector<std::size_t>> by_host;
  for (std::size_t b = 0; b < fleet.boards.size(); ++b) by_host[{fleet.boards[b].host, fleet.boards[b].model}].push_back(b);
  Hosts out;
  for (auto& [host, boards] : by_host) out.push_back(std::move(boards));
  return out;
}

}  // namespace

Result<ScoredCounts> score_archive(const archive::Folder& folder, const ArchivedFleet& fleet, const ScoringPlan& plan,
                                   const std::function<void(const ScoredMoment&)>& take) {
  if (folder.manifest.interval <= 0ms || folder.telemetry.empty())
    return Error{Errc::invalid_input, fmt::format("{}: has no telemetry: there is nothing to score", folder.path.string())};
  const auto wants = wants_of(plan.profiles);
  const auto hosts = hosts_of(fleet);
  const double room = static_cast<double>(plan.most_bytes) / bytes_of_board(wants, Seconds(folder.manifest.interval).count());
  ScoredCounts counts;
  for (std::size_t done = 0; done < hosts.size(); ++counts.passes) {
    ScoredCounts of_pass;
    Pass pass(folder, fleet, plan, wants, take, of_pass);
    const auto first = done;
    for (double boards = 0; done < hosts.size(); ++done) {
      boards += static_cast<double>(hosts[done].size());
      if (done > first && boards > room) break;
      pass.watch(done, hosts[done]);
    }
    const auto share_before = static_cast<double>(first), share = static_cast<double>(done - first);
    const auto of_all = static_cast<double>(std::max<std::uint64_t>(folder.telemetry_bytes(), 1));
    const auto read = pass.read([&](std::uint64_t bytes) {
      plan.progress((share_before + share * static_cast<double>(bytes) / of_all) / static_cast<double>(hosts.size()));
    });
    if (!read) return read.error();
    counts.moments += of_pass.moments;
    counts.out_of_service += of_pass.out_of_service;
    if (counts.passes == 0) counts.refusals = std::move(of_pass.refusals);
  }
  return counts;
}

}  // namespace ghm::pipeline
