// What happened to a GPU, a host or a job, and why.
#include <fmt/format.h>

#include "api/params.h"
#include "api/route.h"
#include "services/why.h"

namespace ghm::api {
namespace {

constexpr std::size_t kMostDays = 3650, kLongestName = 512;
constexpr auto kFutureAllowed = 5min;

Result<services::WhyQuestion> read_question(const Call& call) {
  services::WhyQuestion q;
  const auto gpu = call.request.param("gpu"), host = call.request.param("host"), job = call.request.param("job");
  const auto named = std::array{&gpu, &host, &job};
  if (std::ranges::count_if(named, [](const auto* name) { return name->has_value() && !(*name)->empty(); }) != 1 ||
      std::ranges::any_of(named,
                          [](const auto* name) { return name->has_value() && ((*name)->empty() || (*name)->size() > kLongestName); }))
    return Error{Errc::invalid_input,
                 "gpu, host, job: expected one of them, with a name: why?gpu=1650224070113, why?host=gpu-host-7 or why?job=4711"};
  const auto days = number_param(call.request, "days", 7, 1, kMostDays);
  if (!days) return days.error();
  q.days = static_cast<int>(*days);
  if (call.request.param("at")) {
    const auto at = time_param(call.request, "at", call.now());
    if (!at) return at.error();
    if (*at > call.now() + kFutureAllowed || *at < Timestamp(std::chrono::days(kMostDays)))
      return Error{Errc::invalid_input, fmt::format("at: {}: expected a time in the past", format_rfc3339(*at))};
    q.at = *at;
  }
  q.host = host.value_or("");
  q.job = job.value_or("");
  if (!gpu) return q;
  const auto board = board_named(*call.fleet, *gpu);
  if (!board) return board.error();
  q.board = *board;
  return q;
}

}  // namespace

http::Response get_why(const Call& call) {
  const auto began = std::chrono::steady_clock::now();
  const auto question = read_question(call);
  if (!question) return problem_of(question.error());
  const auto facts = services::why_facts(call.world->records, call.world->telemetry, *call.fleet, *question, call.now());
  if (!facts) return problem_of(facts.error());
  auto answer = views::causal_answer(*facts);
  answer["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  return json_answer(answer);
}

}  // namespace ghm::api
