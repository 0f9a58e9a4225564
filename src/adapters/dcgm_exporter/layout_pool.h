#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "adapters/dcgm_exporter/page_shape.h"
#include "domain/telemetry/page.h"

namespace ghm::dcgm_exporter {

/// Equal things are one thing while anybody holds it. Add costs a hash and a comparison of the content.
template <class T>
class Interned {
 public:
  std::shared_ptr<const T> share(T fresh, std::size_t hash) {
    if (known_.size() > 2 * swept_size_ + 64) sweep();
    auto [from, to] = known_.equal_range(hash);
    for (; from != to; ++from)
      if (auto old = from->second.lock(); old && *old == fresh) return old;
    auto kept = std::make_shared<const T>(std::move(fresh));
    known_.emplace(hash, kept);
    return kept;
  }

 private:
  void sweep() {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    swept_size_ = known_.size();
  }
  std::unordered_multimap<std::size_t, std::weak_ptr<const T>> known_;
  std::size_t swept_size_ = 0;
};

class LayoutPool {
 public:
  /// `layout` with this table.
  std::shared_ptr<const telemetry::PageLayout> layout(telemetry::PageLayout layout, telemetry::SeriesTable table);
  std::shared_ptr<const PageShape> shape(PageShape shape);

 private:
  struct Layout {
    telemetry::PageLayout value;
    friend bool operator==(const Layout& a, const Layout& b) {
      return a.value.table == b.value.table && a.value.gpus == b.value.gpus && a.value.work == b.value.work;
    }
  };
  Interned<telemetry::SeriesTable> tables_;
  Interned<Layout> layouts_;
  Interned<PageShape> shapes_;
};

}  // namespace ghm::dcgm_exporter
