#include "domain/simulation/fleet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "domain/simulation/birth.h"
#include "domain/simulation/catalogue.h"
#include "domain/simulation/faults.h"
#include "domain/simulation/links.h"
#include "domain/simulation/memory_errors.h"
#include "domain/simulation/page.h"
#include "domain/simulation/thermal.h"

namespace ghm::simulation {
namespace {

constexpr int kMostGpus = 1'000'000;
constexpr std::int64_t kFine = 120;   // seconds: a longer gap is crossed in coarse steps
constexpr std::int64_t kCoarse = 60;  // seconds of one
constexpr std::int64_t kSettle = 60;  // the last seconds of a gap are fine again, so that what is printed has settled

struct Pending {
  std::size_t board;
  Fault fault;
};

struct Host {
  HostPlace place;
  Surroundings around;
  std::vector<Board> boards;
  std::vector<Labels> labels;
  std::vector<Pending> pending;
  std::string job;          // that the labels name
  std::int64_t second = 0;  // state is of this Unix second; 0 before birth
};

std::int64_t second_of(Timestamp t) {
  return to_unix_ms(t) / 1000;
}

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace

struct Fleet::Impl {
  FleetPlan plan;
  Scenario scenario;
  std::vector<Host> hosts;
  std::map<std::uint64_t, double> stopped;  // jobs that stand still, until then

  void build(std::size_t number);
  void give_blemishes();
  void begin(Host& h, std::int64_t second);
  void step(Host& h, std::int64_t second, double dt);
  void run_to(Host& h, std::int64_t second);
  void share_stop(Surroundings& around, double t);
  void name_job(Host& h);
  std::optional<std::pair<std::size_t, std::size_t>> find(std::string_view gpu) const;
};

void Fleet::Impl::build(std::size_t number) {
  Host h;
  const auto hosts_in_all = static_cast<std::size_t>((plan.gpus + kGpusPerHost - 1) / kGpusPerHost);
  h.place = place_of(number, hosts_in_all, scenario.other_site);
  h.around = surroundings_of(plan.seed, number, scenario);
  const int here = std::min(kGpusPerHost, plan.gpus - static_cast<int>(number) * kGpusPerHost);
  for (int index = 0; index < here; ++index) {
    h.boards.push_back(board_of(plan.seed, number, index, scenario));
    h.labels.push_back(labels_of(h.boards.back(), h.place.host));
  }
  hosts.push_back(std::move(h));
}

// One board of each kind in every hundred or so, on boards of their own.
void Fleet::Impl::give_blemishes() {
  if (!scenario.blemishes) return;
  std::set<std::size_t> taken;
  const auto gpus = static_cast<std::size_t>(plan.gpus);
  for (std::size_t round = 0; round < (gpus + 48) / 96; ++round)
    for (int kind = 1; kind <= kBlemishes; ++kind) {
      auto gpu = hash_of(plan.seed, 401, round, kind) % gpus;
      while (!taken.insert(gpu).second) gpu = (gpu + 13) % gpus;
      blemish(hosts[gpu / kGpusPerHost].boards[gpu % kGpusPerHost], static_cast<Blemish>(kind));
    }
}

void Fleet::Impl::begin(Host& h, std::int64_t second) {
  constexpr double kLongAgo = 600;  // seconds: temperatures have settled
  h.second = second;
  for (auto& b : h.boards) draw_failures(b, scenario, static_cast<double>(second));
  step(h, second, kLongAgo);
}

void Fleet::Impl::step(Host& h, std::int64_t second, double dt) {
  const auto t = static_cast<double>(second);
  auto& around = h.around;
  if (second >= around.job.until && t >= around.busy_until) around.job = job_at(plan.seed, around.rack, around.number, second);
  for (auto& b : h.boards) {
    live_through(b, around, scenario, t);
    if (!b.xids.empty()) forget_old_xids(b, t);
    if (b.ill.frozen) continue;
    b.demand = t < around.idle_until ? Demand{} : demand_at(around.job, second, b.random);
    step_thermal(b, around, t, dt);
    step_memory(b, t, dt);
    step_links(b, t, dt);
  }
  if (plan.job_names) share_stop(around, t);
}

// A job that a fault stopped on one host stands still on the others too.
void Fleet::Impl::share_stop(Surroundings& around, double t) {
  constexpr double kForgotten = 86400;
  if (around.idle_until > t) {
    auto& until = stopped[around.job.id];
    until = std::max(until, around.idle_until);
  }
  if (const auto found = stopped.find(around.job.id); found != stopped.end() && found->second > t) around.idle_until = found->second;
  std::erase_if(stopped, [t](const auto& s) { return s.second < t - kForgotten; });
}

void Fleet::Impl::name_job(Host& h) {
  const bool stands = static_cast<double>(h.second) < h.around.idle_until;
  auto job = stands ? std::string() : name_of(h.around.job);
  if (job == h.job) return;
  h.job = std::move(job);
  for (std::size_t i = 0; i < h.boards.size(); ++i) h.labels[i] = labels_of(h.boards[i], h.place.host, h.job);
}

void Fleet::Impl::run_to(Host& h, std::int64_t second) {
  while (h.second < second) {
    const auto gap = second - h.second;
    const auto dt = gap > kFine ? std::min(kCoarse, gap - kSettle) : 1;
    h.second += dt;
    step(h, h.second, static_cast<double>(dt));
  }
}

std::optional<std::pair<std::size_t, std::size_t>> Fleet::Impl::find(std::string_view gpu) const {
  const auto n = number_in(gpu);
  if (n && *n < static_cast<std::size_t>(plan.gpus)) return std::pair(*n / kGpusPerHost, *n % kGpusPerHost);
  for (std::size_t h = 0; h < hosts.size(); ++h)
    for (std::size_t i = 0; i < hosts[h].boards.size(); ++i) {
      const auto& id = hosts[h].boards[i].id;
      if (gpu == id.serial || gpu == id.uuid || gpu == fmt::format("{}/{}", hosts[h].place.host, i)) return std::pair(h, i);
    }
  return std::nullopt;
}

Fleet::Fleet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Fleet::Fleet(Fleet&&) noexcept = default;
Fleet::~Fleet() = default;

Result<Fleet> Fleet::create(const FleetPlan& plan) {
  if (plan.gpus < 1 || plan.gpus > kMostGpus)
    return Error{Errc::invalid_input, fmt::format("{} GPUs: expected 1 to {}", plan.gpus, kMostGpus)};
  auto scenario = scenario_named(plan.scenario, plan.seed);
  if (!scenario) return scenario.error();
  auto impl = std::make_unique<Impl>();
  impl->plan = plan;
  impl->scenario = std::move(*scenario);
  const auto hosts = static_cast<std::size_t>((plan.gpus + kGpusPerHost - 1) / kGpusPerHost);
  impl->hosts.reserve(hosts);
  for (std::size_t n = 0; n < hosts; ++n) impl->build(n);
  impl->give_blemishes();
  return Fleet(std::move(impl));
}

std::size_t Fleet::hosts() const {
  return impl_->hosts.size();
}

const HostPlace& Fleet::place(std::size_t host) const {
  return impl_->hosts.at(host).place;
}

void Fleet::advance(std::size_t host, Timestamp now) {
  auto& h = impl_->hosts.at(host);
  const auto second = second_of(now);
  if (h.second == 0) impl_->begin(h, impl_->plan.start == Timestamp{} ? second : second_of(impl_->plan.start));
  for (const auto& p : std::exchange(h.pending, {})) strike_visibly(p.fault, h.boards[p.board], h.around, static_cast<double>(h.second));
  impl_->run_to(h, second);
  if (impl_->plan.job_names) impl_->name_job(h);
}

void Fleet::render(std::size_t host, std::string& page) const {
  const auto& h = impl_->hosts.at(host);
  render_page(h.boards, h.labels, page);
}

namespace {

double value_of(const Board& b, int field) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (b.ill.gone) return kNone;
  double sum = 0;
  for (const auto& f : link_families())
    if (f.field == field) {
      for (int link = 0; link < kMostLinks; ++link)
        if (b.links.up[static_cast<std::size_t>(link)]) sum += f.value(b, link);
      return sum;
    }
  const auto it = std::ranges::lower_bound(families(), field, {}, &Family::field);
  const bool is_there = it != families().end() && it->field == field && it->value != nullptr;
  return !is_there || (it->profiling && b.ill.profiling_blank) ? kNone : it->value(b);
}

}  // namespace

void Fleet::read(std::size_t host, std::span<const int> fields, std::vector<double>& values) const {
  values.clear();
  for (const auto& b : impl_->hosts.at(host).boards)
    for (const int field : fields) values.push_back(value_of(b, field));
}

Fleet Fleet::twin() const {
  return Fleet(std::make_unique<Impl>(*impl_));
}

PageFault Fleet::page_fault(std::size_t host) const {
  const auto& around = impl_->hosts.at(host).around;
  if (around.page_hangs) return PageFault::hang;
  return around.page_500 ? PageFault::http_500 : PageFault::none;
}

Result<std::string> Fleet::inject(std::string_view gpu, std::string_view fault, Timestamp) {
  const auto what = fault_named(fault);
  if (!what) return Error{Errc::invalid_input, fmt::format("fault '{}': expected one of {}", fault, fmt::join(fault_words(), ", "))};
  const auto found = impl_->find(gpu);
  if (!found)
    return Error{Errc::not_found,
                 fmt::format("GPU '{}': expected a serial number, a UUID, HOST/INDEX or a number below {}", gpu, impl_->plan.gpus)};
  auto& h = impl_->hosts[found->first];
  h.pending.push_back({found->second, *what});
  return fmt::format("GPU {} ({}/{}): {}", h.boards[found->second].id.serial, h.place.host, found->second, sentence_of(*what));
}

const std::vector<std::string_view>& Fleet::faults() {
  static const std::vector<std::string_view> words(fault_words().begin(), fault_words().end());
  return words;
}

const std::vector<std::string_view>& Fleet::scenarios() {
  return scenario_names();
}

}  // namespace ghm::simulation
