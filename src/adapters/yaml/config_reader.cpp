#include "adapters/yaml/config_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "adapters/yaml/nearest_key.h"
#include "core/time.h"

namespace ghm::config {
namespace {

using std::chrono::milliseconds;

struct Complaint {
  int line;
  std::string text;
};

struct Page {
  std::string file;
  std::vector<Complaint> complaints;
  void add(int line, const std::string& path, const std::string& what) {
    complaints.push_back({line, fmt::format("{}:{}: {}{}{}", file, line, path, path.empty() ? "" : ": ", what)});
  }
};

int line_of(const YAML::Node& node) {
  return std::max(0, node.Mark().line) + 1;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 100;
  std::string out(text.substr(0, kMost));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return "'" + out + (text.size() > kMost ? "…'" : "'");
}

std::string kind_of(const YAML::Node& node) {
  if (node.IsSequence()) return "a list";
  return node.IsMap() ? "a mapping" : "a text";
}

}  // namespace

struct Reader::Impl {
  std::shared_ptr<Page> page;
  std::string path;  // "scrape.groups[0]"
  int line = 1;      // of the mapping itself
  struct Entry {
    int line;
    YAML::Node value;
  };
  std::map<std::string, Entry> entries;
  std::set<std::string> asked;

  Impl(std::shared_ptr<Page> p, std::string where, int at) : page(std::move(p)), path(std::move(where)), line(at) {}

  std::string path_of(const std::string& key) const { return key.empty() ? path : path.empty() ? key : path + "." + key; }
  void complain(int at, const std::string& key, const std::string& what) { page->add(at, path_of(key), what); }

  void take(const YAML::Node& node) {
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsMap()) return complain(line_of(node), "", fmt::format("expected a mapping of keys, found {}", kind_of(node)));
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        complain(line_of(pair.first), "", "expected a key, found " + kind_of(pair.first));
        continue;
      }
      const auto key = pair.first.Scalar();
      const auto [known, fresh] = entries.try_emplace(key, Entry{line_of(pair.first), pair.second});
      if (!fresh) complain(line_of(pair.first), key, fmt::format("stands twice, first in line {}", known->second.line));
    }
  }

  /// The key's value; null when it is absent or empty.
  const Entry* ask(const std::string& key) {
    asked.insert(key);
    const auto found = entries.find(key);
    if (found == entries.end() || found->second.value.IsNull()) return nullptr;
    return &found->second;
  }

  std::optional<std::string> scalar(const std::string& key, int& at) {
    const Entry* entry = ask(key);
    if (!entry) return std::nullopt;
    at = entry->line;
    if (entry->value.IsScalar()) return entry->value.Scalar();
    complain(at, key, fmt::format("expected one value, found {}", kind_of(entry->value)));
    return std::nullopt;
  }

  template <class Number>
  void number(const std::string& key, Number& out, Number min, Number max, const char* what) {
    int at = 0;
    const auto text = scalar(key, at);
    if (!text) return;
    const auto value = number_of<Number>(*text);
    if (value && *value >= min && *value <= max) out = *value;
    else complain(at, key, fmt::format("{}: expected {} from {} to {}", quoted(*text), what, min, max));
  }

  void unknown_keys() {
    for (const auto& [key, entry] : entries) {
      if (asked.contains(key)) continue;
      const auto hint = nearest_key(key, asked);
      complain(entry.line, key.substr(0, 100), hint.empty() ? "unknown key" : fmt::format("unknown key: did you mean {}?", hint));
    }
  }
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

Reader::Reader(std::string_view yaml, std::string_view file) : impl_(std::make_unique<Impl>(std::make_shared<Page>(), "", 1)) {
  impl_->page->file = file;
  try {
    impl_->take(YAML::Load(std::string(yaml)));
  } catch (const YAML::ParserException& e) {
    impl_->page->add(e.mark.line + 1, "", fmt::format("not YAML: {}", e.msg));
  } catch (const std::exception& e) {
    impl_->page->add(1, "", fmt::format("not YAML: {}", e.what()));
  }
}

void Reader::text(const std::string& key, std::string& out) {
  int at = 0;
  if (auto value = impl_->scalar(key, at)) out = std::move(*value);
}

void Reader::choice(const std::string& key, std::string& out, const std::vector<std::string>& allowed) {
  int at = 0;
  const auto value = impl_->scalar(key, at);
  if (!value) return;
  if (std::ranges::find(allowed, *value) != allowed.end()) out = *value;
  else impl_->complain(at, key, fmt::format("{}: expected one of {}", quoted(*value), fmt::join(allowed, ", ")));
}

void Reader::boolean(const std::string& key, bool& out) {
  int at = 0;
  const auto value = impl_->scalar(key, at);
  if (!value) return;
  if (*value == "true" || *value == "false") out = *value == "true";
  else impl_->complain(at, key, fmt::format("{}: expected true or false", quoted(*value)));
}

void Reader::integer(const std::string& key, std::int64_t& out, std::int64_t min, std::int64_t max) {
  impl_->number(key, out, min, max, "a whole number");
}

void Reader::real(const std::string& key, double& out, double min, double max) {
  impl_->number(key, out, min, max, "a number");
}

void Reader::duration(const std::string& key, milliseconds& out, milliseconds min, milliseconds max) {
  int at = 0;
  const auto text = impl_->scalar(key, at);
  if (!text) return;
  if (number_of<double>(*text) && *text != "0")
    return impl_->complain(at, key, fmt::format("{}: a duration needs a unit: {}s, or ms, m, h, d", quoted(*text), *text));
  const auto value = parse_duration(*text);
  if (!value) return impl_->complain(at, key, fmt::format("{}: expected a duration such as 500ms, 10s, 5m or 1h30m", quoted(*text)));
  if (*value < min || *value > max)
    return impl_->complain(at, key, fmt::format("{}: expected {} to {}", quoted(*text), format_duration(min), format_duration(max)));
  out = *value;
}

void Reader::texts(const std::string& key, std::vector<std::string>& out) {
  const auto* entry = impl_->ask(key);
  if (!entry) return;
  if (!entry->value.IsSequence()) return impl_->complain(entry->line, key, "expected a list such as [a, b]");
  out.clear();
  for (const auto& item : entry->value) {
    if (item.IsScalar()) out.push_back(item.Scalar());
    else
      impl_->complain(line_of(item), key,
                      fmt::format("expected a list of texts, found {} in it", item.IsNull() ? "an empty entry" : kind_of(item)));
  }
}

void Reader::labels(const std::string& key, std::vector<std::pair<std::string, std::string>>& out) {
  const auto* entry = impl_->ask(key);
  if (!entry) return;
  if (!entry->value.IsMap()) return impl_->complain(entry->line, key, "expected a mapping such as {rack: R1}");
  std::set<std::string> seen;
  for (const auto& pair : entry->value) {
    if (!pair.first.IsScalar() || !pair.second.IsScalar()) {
      impl_->complain(line_of(pair.first), key, "expected a text for each name");
      continue;
    }
    const auto name = pair.first.Scalar();
    if (!seen.insert(name).second) impl_->complain(line_of(pair.first), fmt::format("{}.{}", key, name), "stands twice");
    std::erase_if(out, [&](const auto& label) { return label.first == name; });
    out.emplace_back(name, pair.second.Scalar());
  }
}

void Reader::section(const std::string& key, const std::function<void(Reader&)>& read) {
  const auto* entry = impl_->ask(key);
  if (!entry) return;
  Reader inner(std::make_unique<Impl>(impl_->page, impl_->path_of(key), entry->line));
  inner.impl_->take(entry->value);
  read(inner);
  inner.impl_->unknown_keys();
}

void Reader::sections(const std::string& key, const std::function<void(Reader&)>& read) {
  const auto* entry = impl_->ask(key);
  if (!entry) return;
  if (!entry->value.IsSequence()) return impl_->complain(entry->line, key, "expected a list of mappings, each starting with '- '");
  int n = 0;
  for (const auto& item : entry->value) {
    Reader inner(std::make_unique<Impl>(impl_->page, fmt::format("{}[{}]", impl_->path_of(key), n++), line_of(item)));
    inner.impl_->take(item);
    read(inner);
    inner.impl_->unknown_keys();
  }
}

bool Reader::has(const std::string& key) const {
  const auto found = impl_->entries.find(key);
  return found != impl_->entries.end() && !found->second.value.IsNull();
}

void Reader::complain(const std::string& key, const std::string& what) {
  const auto found = impl_->entries.find(key);
  impl_->complain(found == impl_->entries.end() ? impl_->line : found->second.line, key, what);
}

std::unique_ptr<Error> Reader::finish_error() {
  impl_->unknown_keys();
  auto& all = impl_->page->complaints;
  if (all.empty()) return nullptr;
  std::ranges::stable_sort(all, {}, &Complaint::line);
  std::string text;
  for (const auto& complaint : all) text += (text.empty() ? "" : "\n") + complaint.text;
  return std::make_unique<Error>(Error{Errc::invalid_input, std::move(text)});
}

}  // namespace ghm::config
