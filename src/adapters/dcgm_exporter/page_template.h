#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/dcgm_exporter/page_shape.h"
#include "domain/telemetry/page.h"

namespace ghm::dcgm_exporter {

class CarefulReader;
class LayoutPool;

/// A page's bytes around its values. Reading by it verifies every byte and parses only numbers: what it accepts, the
/// careful path would read the same way. The text between label strings (names, HELP, TYPE) is one PageShape for the
/// fleet; a host adds its label strings, one per GPU and link.
class PageTemplate {
 public:
  using LabelText = std::shared_ptr<const std::string>;

  /// From a page that `reader` has just read into `reading`. Nothing when a page of this kind could not be read by
  /// template the next time: its lines carry time stamps, or numbers are refused on it. Label strings that `known`
  /// templates of the same target hold are shared with them. O(page).
  static std::optional<PageTemplate> make(std::string_view page, const telemetry::PageReading& reading, const CarefulReader& reader,
                                          const std::vector<PageTemplate>& known, LayoutPool& pool);

  /// False when the page differs anywhere but in its numbers; `out` is then in no particular state.
  bool read(std::string_view page, telemetry::PageReading& out) const;

 private:
  struct LabelView {  // of labels_, side by side for the loop
    const char* data;
    std::size_t size;
  };
  class Builder;

  std::shared_ptr<const PageShape> shape_;
  std::shared_ptr<const telemetry::PageLayout> layout_;
  std::vector<LabelText> labels_;
  std::vector<LabelView> views_;
  std::vector<telemetry::Refusal> refused_;  // texts that are part of the template
};

}  // namespace ghm::dcgm_exporter
