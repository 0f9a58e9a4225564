#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog {
class logger;
}

namespace ghm {

struct LogField {
  std::string key;
  std::string value;
};

/// A log line is an event and its fields: `scrape.failed target=h1:9400 error="connection refused"`, or as JSON
/// {"at":"…","level":"warning","event":"scrape.failed","target":"h1:9400","error":"connection refused"}.
/// Cheap to copy; goes to standard error, so that standard output stays a command's answer. Thread-safe.
class Log {
 public:
  /// level: "debug", "info", "warn", "error" or "off".
  /// format: "text" or "json".
  static Log to_stderr(std::string_view level = "info", std::string_view format = "text");
  /// Nothing is written; for tests and quiet commands.
  static Log off() { return to_stderr("off"); }
  /// Lines are appended to `lines` (the caller keeps it alive); for tests that read the log.
  static Log to_memory(std::vector<std::string>& lines, std::string_view format = "text");

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const;

  /// The same log with fields that every line carries.
  Log with(std::initializer_list<LogField> fields) const;

 private:
  Log(std::shared_ptr<spdlog::logger> out, bool json) : out_(std::move(out)), json_(json) {}
  std::string render(std::string_view level, std::string_view event, std::initializer_list<LogField> fields) const;

  std::shared_ptr<spdlog::logger> out_;
  bool json_;
  std::vector<LogField> always_;  // fields of every line
};

}  // namespace ghm
