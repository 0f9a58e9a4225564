#include "adapters/job_attribution/kubelet_source.h"

namespace ghm::job_attribution {
namespace {

constexpr const char* kList = "/v1.PodResourcesLister/List";  // its request has no fields: an empty message
constexpr std::chrono::milliseconds kPatience{20};            // a kubelet answers in a few ms; one that does not is asked on later

}  // namespace

KubeletSource::KubeletSource(KubeletConfig config, ResolveDevice resolve) : config_(std::move(config)), resolve_(std::move(resolve)) {}

void KubeletSource::fail(const Error& error) {
  call_.reset();
  jobs_.reset();
  trouble_ = error.code == Errc::not_found ? std::string() : "kubelet: " + error.what;
}

void KubeletSource::start_if_due() {
  const auto now = Steady::now();
  if (call_ || now < next_) return;
  next_ = now + config_.interval;
  auto started = GrpcCall::start(config_.socket, kList, "", config_.limits);
  if (!started) return fail(started.error());
  call_ = std::move(*started);
}

void KubeletSource::step() {
  if (!call_) return;
  const auto answer = call_->step();
  if (!answer) return;
  if (!*answer) return fail(answer->error());
  call_.reset();
  auto jobs = read_pod_list(**answer, resolve_);
  if (!jobs) return fail(jobs.error());
  jobs_ = std::move(*jobs);
  trouble_.clear();
}

std::vector<transport::AgentEvent> KubeletSource::listen(Timestamp) {
  step();
  return {};
}

transport::SourceRound KubeletSource::collect(Timestamp) {
  start_if_due();
  step();
  if (call_) {
    call_->wait(kPatience);
    step();
  }
  transport::SourceRound round;
  round.jobs = jobs_;
  round.trouble = trouble_;
  return round;
}

}  // namespace ghm::job_attribution
