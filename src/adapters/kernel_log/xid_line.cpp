#include "adapters/kernel_log/xid_line.h"

#include <cctype>

#include "adapters/kernel_log/pci_text.h"

namespace ghm::kernel_log {
namespace {

constexpr int kMostCode = 9999;        // today's highest is 172
constexpr std::size_t kMostName = 15;  // TASK_COMM_LEN - 1: the kernel keeps no longer names
constexpr int kFirstLinkCode = 144, kLastLinkCode = 150;

// "PCI:0000:9b:00 GPU-I:05 GPU-CI:00"
bool read_place(LineCursor& in, XidLine& out) {
  LineCursor place(in.until(")"));
  out.pci_bus_id = pci_of(place.until(" "));
  for (place.blanks(); !place.at_end(); place.blanks()) {
    if (place.word("GPU-I:")) out.gpu_instance = place.number();
    else if (place.word("GPU-CI:")) out.compute_instance = place.number();
    place.until(" ");
  }
  return !out.pci_bus_id.empty() && in.word(")");
}

// The names of two processes in a thousand hold ", ". A name is short, and what follows it begins like a sentence.
std::size_t end_of_name(std::string_view text) {
  const auto first = text.find(", ");
  for (auto at = first; at != text.npos && at <= kMostName; at = text.find(", ", at + 1))
    if (at + 2 < text.size() && std::isupper(static_cast<unsigned char>(text[at + 2]))) return at;
  return first == text.npos ? text.size() : first;
}

void read_process(LineCursor& in, XidLine& out) {
  LineCursor ahead = in;
  if (ahead.word(", ") && ahead.word("pid=")) {
    ahead.word("'");
    out.pid = ahead.number<std::uint32_t>();
    if (!out.pid) ahead.until(",");
    ahead.word("'");
    in = ahead;
  }
  ahead = in;
  if (ahead.word(", ") && ahead.word("name=")) {
    const auto name = ahead.left().substr(0, end_of_name(ahead.left()));
    if (name != "<unknown>" && name != "'<unknown>'") out.process = name;
    ahead.word(name);
    in = ahead;
  }
}

void read_cause(XidLine& out) {
  LineCursor in(out.text);
  if (in.behind("caused by previous Xid ")) out.caused_by = in.number<int>();
}

void read_recovery(XidLine& out) {
  LineCursor in(out.text);
  if (!in.behind("recovery action changed from ")) return;
  out.recovery_from = in.hex_word();
  if (in.behind(" to ")) out.recovery_to = in.hex_word();
}

std::optional<bool> yes_or_no(std::string_view text, std::string_view key) {
  for (auto at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    if (at > 0 && text[at - 1] != ' ') continue;  // "RST: " is also the end of "D-RST: "
    const auto answer = text.substr(at + key.size());
    if (answer.starts_with("Yes")) return true;
    if (answer.starts_with("No")) return false;
  }
  return std::nullopt;
}

void read_containment(XidLine& out) {
  out.needs_reset = yes_or_no(out.text, "RST: ");
  out.needs_drain_and_reset = yes_or_no(out.text, "D-RST: ");
}

void read_rpc(XidLine& out) {
  LineCursor in(out.text);
  if (in.behind("Expected function ") || in.behind("expected function ")) out.rpc_function = in.number();
}

void read_details(XidLine& out) {
  switch (out.code) {
    case 45: return read_cause(out);
    case 94:
    case 95: return read_containment(out);
    case 119:
    case 120: return read_rpc(out);
    case 154: return read_recovery(out);
    default: break;
  }
  if (out.code >= kFirstLinkCode && out.code <= kLastLinkCode) out.link_error = read_link_error(out.text);
}

bool read_seriousness(LineCursor& in, LinkError& out) {
  in.blanks();
  out.fatal = in.word("Fatal");
  if (!out.fatal && !in.word("Nonfatal") && !in.word("Non-fatal")) return false;
  in.blanks();
  return true;
}

bool read_numbers(LineCursor& in, LinkError& out) {
  const auto xc = in.word("XC") ? in.number<int>() : std::nullopt;
  in.blanks();
  const auto injected = in.word("i") ? in.number<int>() : std::nullopt;
  in.blanks();
  if (!xc || !injected || !in.word("Link")) return false;
  in.blanks();
  const auto link = in.number<int>();
  if (!link || *link < -1) return false;
  out.xc = *xc, out.injected = *injected, out.link = *link;
  return true;
}

bool read_words(LineCursor& in, LinkError& out) {
  constexpr std::size_t kMostWords = 6;
  in.blanks();
  if (!in.word("(")) return false;
  std::vector<std::uint32_t> all;
  for (auto word = in.hex_word(); word && all.size() < 2 + kMostWords; word = in.hex_word()) {
    all.push_back(*word);
    in.blanks();
  }
  if (all.size() < 2) return false;
  out.info = all[0], out.status = all[1];
  out.words.assign(all.begin() + 2, all.end());
  return true;
}

}  // namespace

std::optional<LinkError> read_link_error(std::string_view text) {
  LineCursor in(text);
  LinkError out;
  in.blanks();
  out.unit = in.until(" ");  // letters, digits, '_' and '/': not judged, new units come with every driver
  if (out.unit.empty() || !read_seriousness(in, out) || !read_numbers(in, out) || !read_words(in, out)) return std::nullopt;
  return out;
}

DriverLine read_xid(LineCursor in) {
  XidLine out;
  if (!read_place(in, out)) return UnreadableLine{"the PCI address in brackets cannot be read"};
  in.word(":");
  in.blanks();
  const auto code = in.number<int>();
  if (!code || *code < 0 || *code > kMostCode) return UnreadableLine{"no Xid number follows the address"};
  out.code = *code;
  read_process(in, out);
  in.word(",");
  in.blanks();
  out.text = in.left();
  read_details(out);
  return out;
}

}  // namespace ghm::kernel_log
