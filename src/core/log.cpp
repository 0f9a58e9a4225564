#include "core/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

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

std::string render(std::string_view event, std::initializer_list<LogField> fields, std::string_view suffix) {
  std::string line(event);
  for (const LogField& f : fields) line += " " + f.key + "=" + render_value(f.value);
  line += suffix;
  return line;
}

}  // namespace

Log Log::to_stderr(std::string_view level) {
  auto logger = std::make_shared<spdlog::logger>("ghm", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::info);
  return Log(std::move(logger));
}

Log Log::to_memory(std::vector<std::string>& lines) {
  return Log(std::make_shared<spdlog::logger>("ghm", std::make_shared<MemorySink>(lines)));
}

void Log::debug(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::debug)) out_->debug("{}", render(event, fields, suffix_));
}
void Log::info(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::info)) out_->info("{}", render(event, fields, suffix_));
}
void Log::warn(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::warn)) out_->warn("{}", render(event, fields, suffix_));
}
void Log::error(std::string_view event, std::initializer_list<LogField> fields) const {
  if (out_->should_log(spdlog::level::err)) out_->error("{}", render(event, fields, suffix_));
}

Log Log::with(std::initializer_list<LogField> fields) const {
  Log child = *this;
  child.suffix_ += render("", fields, "");
  return child;
}

}  // namespace ghm
