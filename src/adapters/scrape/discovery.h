#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/result.h"
#include "domain/telemetry/target.h"

namespace ghm::scrape {

/// One block of `scrape:` in the configuration: where its targets come from and how to talk to them.
struct TargetGroup {
  std::vector<std::string> targets;    // static "host:port"
  std::vector<std::string> file_sd;    // JSON or YAML in Prometheus' file_sd shape; globs in the last path component
  std::vector<std::string> http_sd;    // URLs that answer the same JSON
  telemetry::LabelMap labels;
  std::shared_ptr<const telemetry::ScrapeAccess> access;
  std::chrono::milliseconds refresh{60'000};  // http_sd; files are watched (inotify, with a poll as fall-back)
};

/// The file_sd / http_sd shape: [{"targets": ["h:9400"], "labels": {"rack": "R1"}}]. `file` names it in errors; a bad
/// entry is an error that says where, nothing is taken from a bad file.
Result<std::vector<telemetry::Target>> parse_targets(std::string_view text, std::string_view file, const TargetGroup& group);

/// Follows all groups and calls `on_change` with the whole set whenever it differs. A file or URL that turns bad keeps its last
/// good targets and is named in the log. A target listed twice is scraped once. All on the io_context's thread.
class Discovery {
 public:
  using OnChange = std::function<void(std::vector<telemetry::Target>)>;
  Discovery(boost::asio::io_context& io, std::vector<TargetGroup> groups, OnChange on_change, Log log);
  ~Discovery();
  /// Reads static and file targets at once (errors are returned: a wrong file at start is a wrong configuration), then follows.
  Result<void> start();
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ghm::scrape
