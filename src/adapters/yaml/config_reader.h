#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace ghm::config {

/// Reads one YAML mapping into a struct whose defaults are in sight. All complaints at once, each with file and line,
/// unknown keys too (with the nearest known key as a hint): "ghm.yaml:3: scrape.interval: '0': expected 1s to 1h".
///   config::Reader in(yaml, "ghm.yaml");
///   in.text("listen", c.listen);
///   in.section("scrape", [&](config::Reader& s) { s.duration("interval", c.interval, 1s, 1h); });
///   return in.finish(c);
/// A key that is absent, or present without a value, leaves `out` as it is. A key that was never asked for is unknown.
class Reader {
 public:
  Reader(std::string_view yaml, std::string_view file);
  ~Reader();

  void text(const std::string& key, std::string& out);
  /// Only one of `allowed`.
  void choice(const std::string& key, std::string& out, const std::vector<std::string>& allowed);
  void boolean(const std::string& key, bool& out);
  void integer(const std::string& key, std::int64_t& out, std::int64_t min, std::int64_t max);
  void real(const std::string& key, double& out, double min, double max);
  /// "500ms", "10s", "1h30m"; a number without a unit is refused with a hint.
  void duration(const std::string& key, std::chrono::milliseconds& out, std::chrono::milliseconds min, std::chrono::milliseconds max);
  /// A list of texts, replacing what `out` held.
  void texts(const std::string& key, std::vector<std::string>& out);
  /// A mapping of texts, added to `out`; a name that `out` has already is replaced.
  void labels(const std::string& key, std::vector<std::pair<std::string, std::string>>& out);
  /// A nested mapping; `read` is not called when the key is absent.
  void section(const std::string& key, const std::function<void(Reader&)>& read);
  /// A list of mappings.
  void sections(const std::string& key, const std::function<void(Reader&)>& read);
  bool has(const std::string& key) const;
  /// The reader's own complaint about a key, with its line: "ghm.yaml:7: tls.cert_file: …". An empty key is the mapping itself.
  void complain(const std::string& key, const std::string& what);

  /// The value, or one Error whose text is all complaints, a line each, in file order.
  template <class T>
  Result<T> finish(T value) {
    if (auto error = finish_error()) return *error;
    return value;
  }

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Error> finish_error();
  std::unique_ptr<Impl> impl_;
};

}  // namespace ghm::config
