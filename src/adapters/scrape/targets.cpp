// Prometheus' file_sd and http_sd shape. JSON is read by the YAML parser too: JSON is YAML (1.2), and its nodes know their
// line, which makes every error say where.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>

#include "adapters/scrape/address.h"
#include "adapters/scrape/discovery.h"

namespace ghm::scrape {
namespace {

using telemetry::LabelMap;
using telemetry::ScrapeAccess;
using telemetry::Target;

constexpr std::size_t kMostTargets = 100'000;  // far above any fleet; aliases in YAML could make a small file huge

/// Ends the reading of a file; caught in parse_targets.
struct Wrong {
  int line;
  std::string what;
};

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

std::string text_of(const YAML::Node& node, const char* what) {
  if (!node.IsScalar()) throw Wrong{line_of(node), fmt::format("{}: expected a text", what)};
  return node.Scalar();
}

bool is_label_name(std::string_view name) {
  const auto fits = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

LabelMap read_labels(const YAML::Node& node) {
  LabelMap labels;
  if (node.IsNull()) return labels;
  if (!node.IsMap()) throw Wrong{line_of(node), "labels: expected a mapping such as {rack: R1}"};
  for (const auto& entry : node) {
    const auto name = text_of(entry.first, "labels");
    if (!is_label_name(name))
      throw Wrong{line_of(entry.first), fmt::format("labels: '{}' is no label name: expected letters, digits and _", name)};
    if (!labels.emplace(name, text_of(entry.second, "labels")).second)
      throw Wrong{line_of(entry.first), fmt::format("labels: '{}' stands twice", name)};
  }
  return labels;
}

/// The access of an entry: the group's own, or a copy with the scheme and path that Prometheus' meta labels ask for.
std::shared_ptr<const ScrapeAccess> access_for(const LabelMap& labels, const std::shared_ptr<const ScrapeAccess>& group, int line) {
  ScrapeAccess access = *group;
  if (const auto scheme = labels.find("__scheme__"); scheme != labels.end()) access.scheme = scheme->second;
  if (const auto path = labels.find("__metrics_path__"); path != labels.end()) access.metrics_path = path->second;
  if (access.scheme != "http" && access.scheme != "https")
    throw Wrong{line, fmt::format("labels: __scheme__ '{}': expected http or https", access.scheme)};
  if (!is_request_path(access.metrics_path))
    throw Wrong{line, fmt::format("labels: __metrics_path__ '{}': expected a path such as /metrics, without blanks", access.metrics_path)};
  return access == *group ? group : std::make_shared<const ScrapeAccess>(std::move(access));
}

struct Entry {
  std::vector<std::pair<int, std::string>> targets;  // line, text
  LabelMap labels;
  int labels_line = 0;
};

void read_addresses(const YAML::Node& list, Entry& out) {
  if (!list.IsSequence()) throw Wrong{line_of(list), "targets: expected a list such as [\"gpu-host-1:9400\"]"};
  for (const auto& t : list) {
    out.targets.emplace_back(line_of(t), text_of(t, "targets"));
    if (out.targets.size() > kMostTargets) throw Wrong{line_of(t), fmt::format("more than {} targets", kMostTargets)};
  }
}

Entry read_entry(const YAML::Node& node) {
  if (!node.IsMap())
    throw Wrong{line_of(node), "expected an entry such as {\"targets\": [\"gpu-host-1:9400\"], \"labels\": {\"rack\": \"R1\"}}"};
  Entry entry;
  bool targets = false, labels = false;
  for (const auto& pair : node) {
    const auto name = text_of(pair.first, "key");
    const int line = line_of(pair.first);
    if (name != "targets" && name != "labels") throw Wrong{line, fmt::format("unknown key '{}': expected targets and labels", name)};
    if (std::exchange(name == "targets" ? targets : labels, true)) throw Wrong{line, fmt::format("'{}' stands twice in one entry", name)};
    if (name == "targets") {
      read_addresses(pair.second, entry);
    } else {
      entry.labels = read_labels(pair.second);
      entry.labels_line = line;
    }
  }
  if (!targets) throw Wrong{line_of(node), "the entry has no targets"};
  return entry;
}

LabelMap merged(const LabelMap& group, const LabelMap& own) {
  LabelMap labels = own;
  labels.insert(group.begin(), group.end());
  std::erase_if(labels, [](const auto& l) { return l.first.starts_with("__"); });
  return labels;
}

void add_targets(const Entry& entry, const TargetGroup& group, std::vector<Target>& out) {
  const auto access = access_for(entry.labels, group.access, entry.labels_line);
  const auto labels = merged(group.labels, entry.labels);
  for (const auto& [line, text] : entry.targets) {
    auto address = normalize_address(text);
    if (!address) throw Wrong{line, address.error().what};
    out.push_back({std::move(*address), labels, access});
    if (out.size() > kMostTargets) throw Wrong{line, fmt::format("more than {} targets", kMostTargets)};
  }
}

std::vector<Target> read_list(const YAML::Node& list, const TargetGroup& group) {
  if (!list.IsSequence())
    throw Wrong{std::max(1, line_of(list)),
                "expected a list such as [{\"targets\": [\"gpu-host-1:9400\"], \"labels\": {\"rack\": \"R1\"}}]"};
  std::vector<Target> all;
  for (const auto& node : list) add_targets(read_entry(node), group, all);
  return all;
}

}  // namespace

Result<std::vector<Target>> parse_targets(std::string_view text, std::string_view file, const TargetGroup& group) {
  const auto wrong = [&](int line, const std::string& what) {
    return Error{Errc::invalid_input, fmt::format("{}:{}: {}", file, line, what)};
  };
  try {
    return read_list(YAML::Load(std::string(text)), group);
  } catch (const Wrong& w) {
    return wrong(w.line, w.what);
  } catch (const YAML::ParserException& e) {
    return wrong(e.mark.line + 1, fmt::format("not JSON or YAML ({})", e.msg));
  } catch (const std::exception& e) {
    return wrong(1, fmt::format("not JSON or YAML ({})", e.what()));
  }
}

}  // namespace ghm::scrape
