#include "domain/telemetry/identity.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace ghm::telemetry {
namespace {

constexpr unsigned kLinksPerSwitch = 256;

constexpr std::pair<Entity::Kind, std::string_view> kWords[] = {
    // Longer words first: "cpucore1" also starts with "cpu".
    {Entity::Kind::cpu_core, "cpucore"}, {Entity::Kind::cpu, "cpu"}, {Entity::Kind::nvlink, "nvlink"},
    {Entity::Kind::nvswitch, "switch"},  {Entity::Kind::mig, "mig"},
};

std::optional<std::uint16_t> number(std::string_view digits) {
  std::uint16_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return n;
}

std::optional<Entity> numbered(std::string_view text) {
  for (const auto& [kind, word] : kWords) {
    if (!text.starts_with(word)) continue;
    if (const auto n = number(text.substr(word.size()))) return Entity{kind, *n};
  }
  return std::nullopt;
}

// "switch1link14"
std::optional<Entity> switch_link(std::string_view text) {
  constexpr std::string_view kSwitch = "switch", kLink = "link";
  const auto at = text.find(kLink);
  if (!text.starts_with(kSwitch) || at == std::string_view::npos) return std::nullopt;
  const auto n = number(text.substr(kSwitch.size(), at - kSwitch.size())), link = number(text.substr(at + kLink.size()));
  if (!n || !link || *n >= 256 || *link >= kLinksPerSwitch) return std::nullopt;
  return Entity{Entity::Kind::switch_link, static_cast<std::uint16_t>(*n * kLinksPerSwitch + *link)};
}

bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

std::optional<unsigned> hex(std::string_view text, std::size_t most_digits) {
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  unsigned n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool has_uuid_shape(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i)
    if (kShape[i] == 'x' ? !is_hex(text[i]) : text[i] != '-') return false;
  return true;
}

}  // namespace

std::string to_string(Entity e) {
  switch (e.kind) {
    case Entity::Kind::gpu: return "gpu";
    case Entity::Kind::node: return "node";
    case Entity::Kind::switch_link: return fmt::format("switch{}link{}", e.number / kLinksPerSwitch, e.number % kLinksPerSwitch);
    default: break;
  }
  for (const auto& [kind, word] : kWords)
    if (kind == e.kind) return fmt::format("{}{}", word, e.number);
  return "gpu";
}

Result<Entity> parse_entity(std::string_view text) {
  if (text == "gpu") return Entity{};
  if (text == "node") return Entity{Entity::Kind::node, 0};
  if (const auto e = switch_link(text)) return *e;
  if (const auto e = numbered(text)) return *e;
  return Error{
      Errc::invalid_input,
      fmt::format("'{}' is no part of a GPU or host: expected gpu, nvlink4, mig2, switch1, switch1link14, cpu0, cpucore12 or node", text)};
}

std::string normalise_pci_bus_id(std::string_view text) {
  if (text.starts_with("PCI:")) text.remove_prefix(4);
  unsigned function = 0;
  if (const auto dot = text.rfind('.'); dot != std::string_view::npos) {
    const auto f = hex(text.substr(dot + 1), 1);
    if (!f || *f > 7) return {};
    function = *f;
    text = text.substr(0, dot);
  }
  std::vector<std::string_view> parts;
  for (auto colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':')) {
    parts.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  parts.push_back(text);
  if (parts.size() == 2) parts.insert(parts.begin(), "0");
  if (parts.size() != 3) return {};
  const auto domain = hex(parts[0], 8), bus = hex(parts[1], 2), device = hex(parts[2], 2);
  if (!domain || !bus || !device || *device > 31) return {};
  return fmt::format("{:08X}:{:02X}:{:02X}.{}", *domain, *bus, *device, function);
}

bool is_gpu_uuid(std::string_view text) {
  return (text.starts_with("GPU-") || text.starts_with("MIG-")) && has_uuid_shape(text.substr(4));
}

}  // namespace ghm::telemetry
