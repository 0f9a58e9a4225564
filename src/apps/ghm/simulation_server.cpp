#include "apps/ghm/simulation_server.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace ghm::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostUnanswered = 4096;  // a client gives up long before that many of its requests wait
constexpr std::size_t kPageBytes = 320'000;

http::Response text(int status, std::string body) {
  http::Response r;
  r.status = status;
  r.content_type = "text/plain; charset=utf-8";
  r.body = std::move(body);
  return r;
}

http::Response json(const Json& document) {
  http::Response r;
  r.body = document.dump(-1, ' ', false, Json::error_handler_t::replace);
  return r;
}

bool is_local_host(std::string_view host) {
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) host = host.substr(0, colon);
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

struct Order {
  std::string gpu, fault;
};

std::string percent_decoded(std::string_view in) {
  std::string out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    unsigned value = 0;
    const bool escaped = in[i] == '%' && i + 2 < in.size() && std::isxdigit(static_cast<unsigned char>(in[i + 1])) &&
                         std::isxdigit(static_cast<unsigned char>(in[i + 2]));
    if (escaped) {
      value = static_cast<unsigned>(std::stoul(std::string(in.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
    out += escaped ? static_cast<char>(value) : in[i] == '+' ? ' ' : in[i];
  }
  return out;
}

std::string form_field(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const auto end = std::min(form.find('&'), form.size());
    const auto pair = form.substr(0, end);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return percent_decoded(pair.substr(name.size() + 1));
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return {};
}

std::string json_field(const Json& document, const char* name) {
  const auto it = document.find(name);
  if (it == document.end()) return {};
  return it->is_string() ? it->get<std::string>() : it->is_number_integer() ? it->dump() : std::string();
}

std::optional<Order> order_of(const std::string& body) {
  const auto document = Json::parse(body, nullptr, false);
  Order order;
  if (document.is_object()) order = {json_field(document, "gpu"), json_field(document, "fault")};
  else order = {form_field(body, "gpu"), form_field(body, "fault")};
  if (order.gpu.empty() || order.fault.empty()) return std::nullopt;
  return order;
}

int status_of(Errc code) {
  return code == Errc::not_found ? 404 : code == Errc::invalid_input ? 400 : 500;
}

}  // namespace

SimulationServer::SimulationServer(const simulation::FleetPlan& plan, simulation::Fleet fleet, unsigned short base_port)
    : fleet_(std::move(fleet)), base_port_(base_port), simulated_(fmt::format("{}/{}", plan.scenario, plan.seed)) {}

Result<std::unique_ptr<SimulationServer>> SimulationServer::start(boost::asio::io_context& io, const simulation::FleetPlan& plan,
                                                                  unsigned short base_port, Log log) {
  auto made = simulation::Fleet::create(plan);
  if (!made) return made.error();
  auto& fleet = *made;
  if (base_port == 0 || base_port + fleet.hosts() - 1 > 65535)
    return Error{Errc::invalid_input,
                 fmt::format("port {}: {} hosts need as many ports from there on, up to 65535", base_port, fleet.hosts())};
  raise_open_file_limit();
  std::unique_ptr<SimulationServer> server(new SimulationServer(plan, std::move(fleet), base_port));
  server->log_ = std::move(log);
  if (auto done = server->listen(io, server->log_); !done) return done.error();
  return server;
}

Result<void> SimulationServer::listen(boost::asio::io_context& io, const Log& log) {
  http::ServerSettings settings;
  settings.max_connections = 8 * fleet_.hosts() + 64;
  server_ = std::make_unique<http::Server>(
      io, settings, [this](const http::Request& q, http::Reply reply) { answer(q, std::move(reply)); }, log);
  for (std::size_t host = 0; host < fleet_.hosts(); ++host)
    if (auto port = server_->listen(fmt::format("127.0.0.1:{}", base_port_ + host)); !port) {
      server_->stop();
      return port.error();
    }
  return {};
}

void SimulationServer::stop() {
  server_->stop();
}

Result<void> SimulationServer::live_through(TimeRange past, std::chrono::milliseconds step, const std::vector<PastFault>& faults,
                                            const Seen& seen) {
  const auto all = targets();
  auto next_fault = faults.begin();
  std::string page;
  for (auto at = past.from; at < past.to; at += step) {
    for (; next_fault != faults.end() && next_fault->at <= at; ++next_fault)
      if (auto done = fleet_.inject(next_fault->gpu, next_fault->fault, at); !done) return done.error();
    for (std::size_t host = 0; host < all.size(); ++host) {
      fleet_.advance(host, at);
      if (fleet_.page_fault(host) != simulation::PageFault::none) continue;
      page.clear();
      fleet_.render(host, page);
      if (!seen(all[host], at, page)) return {};
    }
  }
  return {};
}

std::vector<telemetry::Target> SimulationServer::targets() const {
  const auto access = std::make_shared<const telemetry::ScrapeAccess>();
  std::vector<telemetry::Target> out;
  for (std::size_t host = 0; host < fleet_.hosts(); ++host) {
    const auto& place = fleet_.place(host);
    out.push_back({fmt::format("127.0.0.1:{}", base_port_ + host),
                   {{"host", place.host}, {"region", place.region}, {"datacenter", place.datacenter}, {"rack", place.rack}},
                   access});
  }
  return out;
}

void SimulationServer::answer(const http::Request& request, http::Reply reply) {
  const std::size_t host = request.peer.local_port - base_port_;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (host >= fleet_.hosts()) return reply(http::problem(404, "no simulated host listens here"));
  if (reads && request.path == "/metrics") return page(host, std::move(reply));
  if (host == 0 && reads && request.path == "/-/targets") return reply(target_list());
  if (host == 0 && request.method == "POST" && request.path == "/-/inject") return reply(inject(request));
  if (reads && request.path == "/") return reply(front_page(host));
  reply(http::problem(404, fmt::format("{} {}: there is GET /metrics, and on port {} GET /-/targets and POST /-/inject", request.method,
                                       request.path, base_port_)));
}

std::shared_ptr<std::string> SimulationServer::buffer() {
  const auto it = std::ranges::find_if(buffers_, [](const auto& b) { return b.use_count() == 1; });
  if (it == buffers_.end()) {
    buffers_.push_back(std::make_shared<std::string>());
    buffers_.back()->reserve(kPageBytes);
    return buffers_.back();
  }
  (*it)->clear();
  return *it;
}

void SimulationServer::page(std::size_t host, http::Reply reply) {
  fleet_.advance(host, clock_.now());
  const auto fault = fleet_.page_fault(host);
  if (fault == simulation::PageFault::hang) {
    if (unanswered_.size() >= kMostUnanswered) unanswered_.pop_front();
    unanswered_.push_back(std::move(reply));
    return;
  }
  auto r = text(200, {});
  if (fault == simulation::PageFault::http_500) {
    r = text(500, "internal server error\n");
  } else {
    auto to = buffer();
    fleet_.render(host, *to);
    r.shared_body = std::move(to);
  }
  r.headers.emplace_back("Ghm-Simulated", simulated_);
  reply(std::move(r));
}

http::Response SimulationServer::inject(const http::Request& request) {
  if (!request.peer.loopback || !is_local_host(request.header("host")))
    return http::problem(403, "faults are injected from this machine only, with Host localhost or 127.0.0.1");
  const auto order = order_of(request.body);
  if (!order)
    return http::problem(400, R"(expected {"gpu": "SERIAL, UUID, HOST/INDEX or number", "fault": "hbm_ue"}, or the same as a form)");
  auto sentence = fleet_.inject(order->gpu, order->fault, clock_.now());
  if (!sentence) return http::problem(status_of(sentence.error().code), sentence.error().what);
  log_.info("simulate.inject", {{"fault", order->fault}, {"what", *sentence}});
  return json({{"gpu", order->gpu}, {"fault", order->fault}, {"sentence", *sentence}});
}

http::Response SimulationServer::target_list() const {
  auto list = Json::array();
  for (const auto& t : targets()) list.push_back({{"targets", {t.address}}, {"labels", t.labels}});
  return json(list);
}

http::Response SimulationServer::front_page(std::size_t host) const {
  const auto& place = fleet_.place(host);
  return text(200,
              fmt::format("{}, rack {}: a simulated host ({}). Its exporter's page is at /metrics\n", place.host, place.rack, simulated_));
}

void raise_open_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace ghm::app
