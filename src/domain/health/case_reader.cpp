#include "domain/health/case_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace ghm::health {
namespace {

// As much of the value as a sentence can hold.
std::string shown(const CaseJson& json) {
  constexpr std::size_t kMost = 40;
  if (json.is_discarded()) return "missing";
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  auto text = json.dump(-1, ' ', true, CaseJson::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

// A key as it stands; one with control characters, or very long, as a quoted JSON text, so that a path stays one line.
std::string shown_key(std::string_view key) {
  constexpr std::size_t kMost = 80;
  const bool is_plain = key.size() <= kMost && std::ranges::all_of(key, [](unsigned char c) { return c >= ' ' && c != 0x7f; });
  return is_plain ? std::string(key) : shown(CaseJson(std::string(key)));
}

}  // namespace

const CaseJson CaseReader::kNothing = CaseJson(CaseJson::value_t::discarded);

std::string Node::path() const {
  if (parent_ == nullptr) return "the case";
  const auto before = parent_->parent_ == nullptr ? std::string() : parent_->path();
  if (key_.data() == nullptr) return fmt::format("{}[{}]", before, index_);
  return before.empty() ? shown_key(key_) : fmt::format("{}.{}", before, shown_key(key_));
}

void CaseReader::complain(const Node& node, const char* expected) {
  if (error_) return;
  error_ = Error{Errc::invalid_input, fmt::format("{}: {}: {}: expected {}", file_, node.path(), shown(node.json()), expected)};
}

double CaseReader::number(const Node& node, double least, double most, const char* expected) {
  const double value = node.json().is_number() ? node.json().get<double>() : most + 1;
  if (node.json().is_number() && value >= least && value <= most) return value;
  complain(node, expected);
  return least;
}

std::string CaseReader::text(const Node& node, const char* expected) {
  if (node.json().is_string()) return node.json().get<std::string>();
  complain(node, expected);
  return {};
}

bool CaseReader::boolean(const Node& node, const char* expected) {
  if (node.json().is_boolean()) return node.json().get<bool>();
  complain(node, expected);
  return false;
}

void CaseReader::note_unknown(const Node& object, std::initializer_list<std::string_view> known, std::vector<std::string>& ignored) const {
  for (auto it = object.json().begin(); it != object.json().end(); ++it)
    if (std::ranges::find(known, it.key()) == known.end()) ignored.push_back(Node(*it, object, it.key()).path());
}

}  // namespace ghm::health
