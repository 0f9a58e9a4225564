// The idea: an exporter's page is the same text every time but for its numbers, so reading it is comparing it. A page is
// tried against the target's templates (memcmp of every byte, numbers parsed in between); what differs anywhere goes the
// careful path and leaves a template. Cost: a page of 880 samples (200 kB) takes about 20 us by template and
// three times that carefully; page_reader_bench.cpp measures it.
#include "adapters/dcgm_exporter/page_reader.h"

#include <algorithm>
#include <vector>

#include "adapters/dcgm_exporter/careful_reader.h"
#include "adapters/dcgm_exporter/page_template.h"

namespace ghm::dcgm_exporter {
namespace {

// Orders of two or three groups that an exporter commonly prints; each costs a host some 20 kB.
constexpr std::size_t kMostTemplates = 4;

}  // namespace

struct PageReader::Impl {
  Impl(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> shared)
      : pool(std::move(shared)), careful(catalogue, pool) {}

  bool read_by_template(std::string_view page) {
    const auto fits = std::ranges::find_if(templates, [&](const PageTemplate& t) { return t.read(page, reading); });
    if (fits == templates.end()) return false;
    std::rotate(templates.begin(), fits, fits + 1);  // the last one that fitted is tried first
    return true;
  }

  void read_carefully(std::string_view page) {
    careful.read(page, reading);
    auto fresh = PageTemplate::make(page, reading, careful, templates, *pool);
    if (!fresh) return;
    if (templates.size() == kMostTemplates) templates.pop_back();
    templates.insert(templates.begin(), std::move(*fresh));
  }

  std::shared_ptr<LayoutPool> pool;
  CarefulReader careful;
  std::vector<PageTemplate> templates;
  telemetry::PageReading reading;
  Stats stats;
};

PageReader::PageReader(const telemetry::MetricCatalogue& catalogue, std::shared_ptr<LayoutPool> pool)
    : impl_(std::make_unique<Impl>(catalogue, std::move(pool))) {}
PageReader::~PageReader() = default;
PageReader::PageReader(PageReader&&) noexcept = default;

telemetry::PageReading& PageReader::read(std::string_view page) {
  if (page.data() == nullptr) page = "";  // an empty body; memcmp wants an address even for nothing
  if (impl_->read_by_template(page)) {
    ++impl_->stats.template_pages;
  } else {
    impl_->read_carefully(page);
    ++impl_->stats.careful_pages;
  }
  return impl_->reading;
}

PageReader::Stats PageReader::stats() const {
  return impl_->stats;
}

telemetry::PageReading read_careful(std::string_view page, const telemetry::MetricCatalogue& catalogue) {
  CarefulReader reader(catalogue, make_layout_pool());
  telemetry::PageReading out;
  reader.read(page, out);
  return out;
}

}  // namespace ghm::dcgm_exporter
