// Any bytes as what an agent said at a fault: the text and the page are made, are UTF-8, and hold no tag of somebody else.
// Input: a body of a record, or four of them with a zero byte between (sign, context, later, later of the host).
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/utf8.h"
#include "domain/views/snapshot_view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghm::views;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<Json, 4> bodies;
  for (auto& body : bodies) {
    const auto end = rest.find('\0');
    body = Json::parse(rest.substr(0, end), nullptr, false);
    if (body.is_discarded()) body = nullptr;
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  const auto document = snapshot_document(bodies[0], bodies[1], bodies[2], bodies[3]);
  (void)document.dump(2, ' ', false, Json::error_handler_t::replace);
  const auto text = snapshot_text(document), html = snapshot_html(document);
  if (!ghm::is_utf8(text) || !ghm::is_utf8(html)) std::abort();
  for (const auto* tag : {"<script", "<img", "<style", "<a "})
    if (html.find(tag) != html.npos) std::abort();
  return 0;
}
