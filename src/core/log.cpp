#include "core/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "core/time.h"

namespace ghm {
namespace {

class MemorySink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit MemorySink(std::vector<std::string>& lines) : lines_(lines) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override { lines_.emplace_back(m.payload.data(), m.payload.size()); }
  void flush_() override {}
  std::vector<std::string>& lines_;
};

std::string render_value(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\n\r\t") == value.npos;
  if (plain) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') quoted += "\\n";
    else if (static_cast<unsigned char>(c) >= 0x20) quoted += c;
  }
  return quoted + "\"";
}

std::string as_text(std::string_view event, const std::vector<LogField>& fields) {
  std::string line(event);
  for (const LogField& f : fields) line += " " + f.key + "=" + render_value(f.value);
  return line;
}

std::string as_json(std::string_view level, std::string_view event, const std::vector<LogField>& fields) {
  nlohmann::ordered_json line{{"at", format_rfc3339(SystemClock().now())}, {"level", level}, {"event", event}};
  for (const LogField& f : fields) line[f.key] = f.value;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

Log Log::to_stderr(std::string_view level, std::string_view format) {
  auto logger = std::make_shared<spdlog::logger>("ghm", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  const bool json = format == "json";
  logger->set_pattern(json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::info);
  return {std::move(logger), json};
}

Log Log::to_memory(std::vector<std::string>& lines, std::string_view format) {
  return {std::make_shared<spdlog::logger>("ghm", std::make_shared<MemorySink>(lines)), format == "json"};
}

std::string Log::render(std::string_view level, std::string_view event, std::initializer_list<LogField> fields) const {
  std::vector<LogField> all(fields);
  all.insert(all.end(), always_.begin(), always_.end());
  return json_ ? as_json(level, event, all) : as_text(event, all);
}

void Log::debug(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::debug)) out_->debug("{}", render("debug", event, fields));
}
void Log::info(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::info)) out_->info("{}", render("info", event, fields));
}
void Log::warn(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::warn)) out_->warn("{}", render("warning", event, fields));
}
void Log::error(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::err)) out_->error("{}", render("error", event, fields));
}

Log Log::with(std::initializer_list<LogField> fields) const {
  Log child = *this;
  child.always_.insert(child.always_.end(), fields);
  return child;
}

}  // namespace ghm
