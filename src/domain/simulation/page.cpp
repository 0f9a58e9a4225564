// A line is three copies and a number: the family's name, the GPU's labels, the closing brace. Both texts are short and stay
// in cache, so a page costs little more than writing its bytes.
#include "domain/simulation/page.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "domain/simulation/catalogue.h"
#include "domain/simulation/xid_text.h"

namespace ghm::simulation {
namespace {

struct Prepared {
  std::string head;   // HELP and TYPE
  std::string start;  // NAME{
};

template <class F>
std::vector<Prepared> prepare(std::span<const F> from, std::string_view first_label) {
  std::vector<Prepared> out;
  for (const auto& f : from)
    out.push_back({fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", f.name, f.help, f.type), fmt::format("{}{{{}", f.name, first_label)});
  return out;
}

void put_integer(std::string& page, std::int64_t v) {
  char text[24];
  page.append(text, std::to_chars(text, text + sizeof text, v).ptr);
}

// %f of a value that is neither negative nor above 1e12.
void put_decimal(std::string& page, double v) {
  const auto millionths = static_cast<std::uint64_t>(std::llround(std::max(0.0, v) * 1e6));
  put_integer(page, static_cast<std::int64_t>(millionths / 1'000'000));
  char text[8] = ".000000";
  auto rest = millionths % 1'000'000;
  for (int at = 6; at > 0; --at, rest /= 10) text[at] = static_cast<char>('0' + rest % 10);
  page.append(text, 7);
}

void put_number(std::string& page, const Family& f, double v) {
  page += "} ";
  if (f.decimals) put_decimal(page, v);
  else put_integer(page, static_cast<std::int64_t>(v));
  page += '\n';
}

// One row for each code of the window; a single zero without a code when there was none.
void put_xid_counts(std::string& page, const Prepared& p, const Board& b, const Labels& labels) {
  std::vector<std::pair<int, int>> counts;
  for (const auto& x : b.xids) {
    auto it = std::find_if(counts.begin(), counts.end(), [&](const auto& c) { return c.first == x.code; });
    if (it == counts.end()) it = counts.insert(counts.end(), {x.code, 0});
    ++it->second;
  }
  if (counts.empty()) fmt::format_to(std::back_inserter(page), "{}{},window_size_in_ms=\"300000\"}} 0\n", p.start, labels.gpu);
  for (const auto& [code, n] : counts)
    fmt::format_to(std::back_inserter(page), "{}{},window_size_in_ms=\"300000\",xid=\"{}\"}} {}\n", p.start, labels.gpu, code, n);
}

void put_xid(std::string& page, const Family& f, const Prepared& p, const Board& b, const Labels& labels) {
  fmt::format_to(std::back_inserter(page), "{}{},err_code=\"{}\",err_msg=\"{}\"", p.start, labels.gpu, b.last_xid, xid_text(b.last_xid));
  put_number(page, f, b.last_xid);
}

bool put_sample(std::string& page, const Family& f, const Prepared& p, const Board& b, const Labels& labels) {
  if (b.ill.gone || (f.profiling && b.ill.profiling_blank)) return false;
  if (f.shape == Family::Shape::xid_count) return put_xid_counts(page, p, b, labels), true;
  if (f.shape == Family::Shape::xid_gauge) return put_xid(page, f, p, b, labels), true;
  const double v = f.value(b);
  if (std::isnan(v)) return false;
  page += p.start;
  page += labels.gpu;
  put_number(page, f, v);
  return true;
}

void put_family(std::string& page, const Family& f, const Prepared& p, std::span<const Board> boards, std::span<const Labels> labels) {
  const auto before = page.size();
  page += p.head;
  bool any = false;
  for (std::size_t i = 0; i < boards.size(); ++i) any |= put_sample(page, f, p, boards[i], labels[i]);
  if (!any) page.resize(before);
}

void put_link_family(std::string& page, const LinkFamily& f, const Prepared& p, std::span<const Board> boards,
                     std::span<const Labels> labels) {
  page += p.head;
  for (std::size_t i = 0; i < boards.size(); ++i)
    for (int link = 0; link < kMostLinks; ++link) {
      if (boards[i].ill.gone || !boards[i].links.up[static_cast<std::size_t>(link)]) continue;
      page += p.start;
      put_integer(page, link);
      page += labels[i].link;
      page += "} ";
      put_integer(page, static_cast<std::int64_t>(f.value(boards[i], link)));
      page += '\n';
    }
}

}  // namespace

Labels labels_of(const Board& b, std::string_view host, std::string_view job) {
  const auto& model = b.spec->exporter_names.front();
  const auto of_job = job.empty() ? std::string() : fmt::format(",hpc_job=\"{}\"", job);
  return {
      fmt::format(
          "gpu=\"{0}\",UUID=\"{1}\",pci_bus_id=\"{2}\",device=\"nvidia{0}\",modelName=\"{3}\",Hostname=\"{4}\",DCGM_FI_DEV_SERIAL=\"{5}\","
          "DCGM_FI_DEV_VBIOS_VERSION=\"{6}\",DCGM_FI_DRIVER_VERSION=\"{7}\"{8}",
          b.id.index, b.id.uuid, b.id.pci_bus_id, model, host, b.id.serial, b.part->vbios, b.part->driver, of_job),
      fmt::format("\",gpu=\"{0}\",gpu_uuid=\"{1}\",pci_bus_id=\"{2}\",device=\"nvidia{0}\",model_name=\"{3}\",hostname=\"{4}\"{5}",
                  b.id.index, b.id.uuid, b.id.pci_bus_id, model, host, of_job)};
}

void render_page(std::span<const Board> boards, std::span<const Labels> labels, std::string& page) {
  static const auto prepared = prepare(families(), "");
  static const auto prepared_links = prepare(link_families(), "nvlink=\"");
  const auto all = families();
  for (std::size_t n = 0; n < all.size(); ++n) put_family(page, all[n], prepared[n], boards, labels);
  const bool any = std::any_of(boards.begin(), boards.end(), [](const Board& b) { return !b.ill.gone; });
  if (!any) return;
  for (std::size_t n = 0; n < link_families().size(); ++n) put_link_family(page, link_families()[n], prepared_links[n], boards, labels);
}

}  // namespace ghm::simulation
