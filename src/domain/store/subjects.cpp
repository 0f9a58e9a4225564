#include "domain/store/subjects.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace ghm::store {
namespace {

using Json = nlohmann::json;
using Subjects = std::vector<std::string>;

constexpr std::array<std::string_view, 4> kKinds = {"event", "incident", "interval", "open"};

std::string_view text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : std::string_view();
}

std::uint32_t board_of(const Json& object) {
  const auto found = object.find("board");
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint32_t>() : 0;
}

void add(Subjects& out, char letter, std::string_view name) {
  if (!name.empty()) out.push_back(letter + std::string(name));
}

void add_board(Subjects& out, std::uint32_t board) {
  if (board != 0) add(out, 'b', std::to_string(board));
}

void add_event(Subjects& out, const Json& body) {
  const auto board = board_of(body);
  const auto host = text(body, "host");
  add_board(out, board);
  add(out, 'h', host);
  if (board == 0) add(out, 'n', host);
}

void add_incident(Subjects& out, const Json& body) {
  const auto parts = body.find("parts");
  if (parts == body.end() || !parts->is_array()) return;
  for (const auto& p : *parts) {
    if (!p.is_object()) continue;
    add_board(out, board_of(p));
    add(out, 'h', text(p, "host"));
    if (board_of(p) == 0) add(out, 'n', text(p, "host"));
    add(out, 'j', text(p, "job"));
    add(out, 'r', text(p, "rack"));
  }
}

void add_interval(Subjects& out, const Json& body) {
  if (!body.is_object()) return;
  const auto kind = text(body, "kind");
  const auto value = text(body, "value");
  if (kind != "job" && kind != "pod") return;
  add(out, 'j', value);
  if (kind == "pod" && std::ranges::count(value, '/') == 2) add(out, 'j', value.substr(0, value.rfind('/')));
}

// Most intervals are no jobs': told without reading the body.
bool may_have_a_job(const Record& r) {
  return r.body.find("\"job\"") != r.body.npos || r.body.find("\"pod\"") != r.body.npos;
}

}  // namespace

std::string board_subject(telemetry::BoardId board) {
  return "b" + std::to_string(static_cast<std::uint32_t>(board));
}

std::string host_subject(std::string_view host) {
  return "h" + std::string(host);
}

std::string host_itself_subject(std::string_view host) {
  return "n" + std::string(host);
}

std::string job_subject(std::string_view job) {
  return "j" + std::string(job);
}

std::string rack_subject(std::string_view rack) {
  return "r" + std::string(rack);
}

bool has_subjects(std::string_view kind) {
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

std::span<const std::string_view> kinds_with_subjects() {
  return kKinds;
}

std::vector<std::string> subjects_of(const Record& record) {
  Subjects out;
  if (!has_subjects(record.kind)) return out;
  const bool intervals = record.kind == "interval" || record.kind == "open";
  if (intervals && !may_have_a_job(record)) return out;
  const auto body = Json::parse(record.body, nullptr, false);
  if (record.kind == "open" && body.is_array())
    for (const auto& one : body) add_interval(out, one);
  if (record.kind == "interval") add_interval(out, body);
  if (record.kind == "event" && body.is_object()) add_event(out, body);
  if (record.kind == "incident" && body.is_object()) add_incident(out, body);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace ghm::store
